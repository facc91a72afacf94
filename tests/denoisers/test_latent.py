"""Latent priors on disk: pipelines of diffusers, saved and loaded back."""

import json
import re
import shutil
import sys
import types

import latents
import pytest
import torch
from diffusers import DDIMScheduler
from safetensors.torch import load_file, save_file

from inverse.denoisers import catalog, hub, memory, prompt
from inverse.denoisers.cards import FLOW, LATENT, PRIORS, Card
from inverse.denoisers.catalog import kind_at, load_prior
from inverse.denoisers.download import File, Progress
from inverse.denoisers.latent import LatentDenoiser
from inverse.denoisers.prompt import FILE, POOLED, WORDS
from inverse.denoisers.resident import weight
from inverse.errors import CapacityError, PriorError, ProblemError
from inverse.operators import TASKS
from inverse.operators.denoising import Identity
from inverse.randomness import generator
from inverse.restoration import degrade, restore, stream
from inverse.solvers import SOLVERS

PARTS = {
    "averaging": {},
    "text": {"network": latents.conditional(), "prediction": "epsilon"},
    "codebook": {"autoencoder": latents.codebook(), "network": latents.unconditional(), "prediction": "epsilon"},
    "transformer": {"network": latents.transformer()},
}


pytestmark = pytest.mark.usefixtures("nothing_kept")


@pytest.fixture
def folder(tmp_path):
    return latents.pipeline(tmp_path / "pipeline")


def normal(*shape):
    return torch.randn(*shape, generator=generator(0))


@pytest.mark.parametrize("name", PARTS)
def test_a_pipeline_is_a_prior_of_its_latents(tmp_path, name):
    folder = latents.pipeline(tmp_path, **PARTS[name])
    prior = load_prior(str(folder), "cpu")
    kind = FLOW if name == "transformer" else LATENT
    assert isinstance(prior, LatentDenoiser) and prior.kind == kind == kind_at(folder) == kind_at(str(folder))
    assert (prior.channels, prior.factor) == (3, 2) and prior.conditional is False
    lifted = prior.lift(Identity((3, 13, 18)))
    assert lifted.image_shape == (3, 7, 9) and not lifted.linear
    bytes_of = [sum(value.nbytes for value in network.parameters()) for network in prior.networks]
    assert len(bytes_of) == 2 and weight(prior) == sum(bytes_of) and min(bytes_of) > 0
    z = normal(2, 3, 7, 9)
    assert prior(z, 0.5).shape == z.shape and prior.lower(z).shape == prior.preview(z).shape == (2, 3, 14, 18)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_the_estimate_is_the_schedulers(tmp_path, prediction):
    network = latents.conditional()
    folder = latents.pipeline(tmp_path, network=network, prediction=prediction)
    scheduler = DDIMScheduler.from_pretrained(folder / "scheduler", clip_sample=False)
    scheduler.set_timesteps(1000)
    prior, words = load_prior(str(folder), "cpu"), load_file(folder / FILE)[WORDS]
    z_vp = normal(2, 3, 8, 8)
    for t in (1, 300, 999):
        with torch.no_grad():
            output = network(z_vp, t, words.expand(2, -1, -1)).sample
        expected = scheduler.step(output, t, z_vp).pred_original_sample
        abar = scheduler.alphas_cumprod[t].double()
        found = prior((z_vp.double() / abar.sqrt()).float(), ((1 - abar) / abar).sqrt())
        torch.testing.assert_close(found, expected, rtol=2e-4, atol=2e-4 * float(expected.abs().max()))


def test_the_prompt_matters(tmp_path):
    folder = latents.pipeline(tmp_path, network=latents.conditional())
    one = load_prior(str(folder), "cpu")(normal(1, 3, 8, 8), 1.0)
    save_file({WORDS: torch.randn(1, 77, 8)}, folder / FILE)
    catalog.forget()
    assert (load_prior(str(folder), "cpu")(normal(1, 3, 8, 8), 1.0) - one).abs().max() > 1e-4


def configured(part, changes):
    def harm(folder):
        config = folder / part / ("scheduler_config.json" if part == "scheduler" else "config.json")
        config.write_text(json.dumps({**json.loads(config.read_text()), **changes}))

    return harm


def embedded(name, *shape):
    return lambda folder: save_file({name: torch.zeros(*shape)}, folder / FILE)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda folder: (folder / FILE).unlink(), r"pip install \"inverse\[text\]\", or put .*empty_prompt"),
        (embedded(WORDS, 1, 77, 9), r"\(1, L, 8\), and has \(1, 77, 9\)"),
        (embedded(WORDS, 77, 8), r"\(1, L, 8\)"),
        (embedded(WORDS, 1, 5000, 8), r"\(1, L, 8\)"),
        (embedded("words", 1, 77, 8), "has none"),
        (lambda folder: (folder / FILE).write_bytes(b"\x80\x04 no"), "pickle"),
        (configured("unet", {"addition_embed_type": "text_time"}), "Stable Diffusion XL"),
        (configured("unet", {"in_channels": 9}), "not those of"),
        (configured("unet", {"transformer_layers_per_block": 10**9}), "far larger"),
        (configured("unet", {"cross_attention_dim": 10**9}), "far larger"),
        (configured("unet", {"cross_attention_dim": "wide"}), "cannot be read"),
        (configured("unet", {"_class_name": "UNet1DModel"}), "UNet2DModel"),
        (configured("scheduler", {"_class_name": "FlowMatchEulerDiscreteScheduler"}), "no table of betas"),
        (lambda folder: shutil.rmtree(folder / "scheduler"), "missing"),
        (lambda folder: shutil.rmtree(folder / "unet"), "missing"),
        (lambda folder: (folder / "vae/diffusion_pytorch_model.safetensors").unlink(), "has no diffusion_pytorch"),
    ],
)
def test_a_part_that_is_not_understood_ends_in_a_sentence(folder, harm, words, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    harm(folder)
    with pytest.raises(PriorError, match=rf"({words}).*\.$"):
        load_prior(str(folder), "cpu")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (configured("transformer", {"_class_name": "FluxTransformer2DModel"}), "Use a SD3Transformer2DModel"),
        (configured("transformer", {"num_layers": 10**9}), "far larger"),
        (configured("scheduler", {"_class_name": "DDIMScheduler"}), "flow matching"),
        (lambda folder: (folder / FILE).unlink(), POOLED),
        (embedded(WORDS, 1, 77, 8), f"{POOLED} of shape"),
    ],
)
def test_so_does_one_of_a_flow(tmp_path, harm, words):
    folder = latents.pipeline(tmp_path, network=latents.transformer())
    harm(folder)
    with pytest.raises(PriorError, match=rf"({words}).*\.$"):
        load_prior(str(folder), "cpu")


def test_parts_that_do_not_belong_together_are_refused(tmp_path):
    folder = latents.pipeline(tmp_path, network=latents.conditional(channels=4))
    with pytest.raises(PriorError, match="4 channels, and its autoencoder makes 3"):
        load_prior(str(folder), "cpu")
    other = latents.pipeline(tmp_path / "other")
    (other / "vae").rename(other / "no")
    with pytest.raises(PriorError, match="UNet2DModel"):
        load_prior(str(other), "cpu")


def test_the_largest_size_of_a_transformer_is_said(tmp_path):
    prior = load_prior(str(latents.pipeline(tmp_path, network=latents.transformer())), "cpu")
    with pytest.raises(ProblemError, match=r"up to 32 a side"):
        prior(torch.zeros(1, 3, 34, 8), 1.0)


def test_pictures_of_other_channels_are_refused(folder):
    with pytest.raises(ProblemError, match="colour pictures"):
        load_prior(str(folder), "cpu").lift(Identity((1, 16, 16)))


def test_the_empty_prompt_is_asked_of_the_pipelines_own_text_encoder(tmp_path, monkeypatch):
    """With a stand-in for transformers, and with the library itself where it is installed."""
    asked = []

    class Tokenizer:
        model_max_length = 5

        @classmethod
        def from_pretrained(cls, folder, local_files_only):
            assert local_files_only
            return cls()

        def __call__(self, text, padding, max_length, return_tensors):
            asked.append((text, padding, max_length))
            return types.SimpleNamespace(input_ids=torch.arange(5)[None])

    class CLIPTextModel(torch.nn.Module):
        def __init__(self, config):
            super().__init__()
            self.table = torch.nn.Embedding(5, config["hidden_size"])

        def forward(self, tokens):
            return types.SimpleNamespace(last_hidden_state=self.table(tokens))

    config = types.SimpleNamespace(from_dict=dict)
    stand_in = types.SimpleNamespace(CLIPTextConfig=config, CLIPTextModel=CLIPTextModel, CLIPTokenizer=Tokenizer)
    monkeypatch.setitem(sys.modules, "transformers", stand_in)
    folder, table = latents.pipeline(tmp_path), torch.rand(5, 8)
    (folder / FILE).unlink()
    (folder / "tokenizer").mkdir()
    (folder / "text_encoder").mkdir()
    (folder / "text_encoder/config.json").write_text(json.dumps({"hidden_size": 8}))
    save_file({"table.weight": table, "position_ids": torch.arange(3)}, folder / "text_encoder/model.safetensors")
    prior = load_prior(str(folder), "cpu")
    assert torch.equal(prior.inner.network.words, table[None]) and asked == [("", "max_length", 5)]
    catalog.forget()
    (folder / "text_encoder/config.json").write_text(json.dumps({"hidden_size": 9}))
    with pytest.raises(PriorError, match=r"not this network's.*empty_prompt"):
        load_prior(str(folder), "cpu")
    catalog.forget()
    (folder / "text_encoder/config.json").write_text(json.dumps({"hidden_size": 8}))
    save_file({"table.weight": table[:, :3].contiguous()}, folder / "text_encoder/model.safetensors")
    with pytest.raises(PriorError, match="cannot be read"):
        load_prior(str(folder), "cpu")


@pytest.mark.parametrize("prefix", ["", "text_model."])
def test_the_empty_prompt_of_a_real_text_encoder(tmp_path, prefix):
    """Files of before transformers 5 have the model's name before every other, and numbers of positions."""
    transformers = pytest.importorskip("transformers")
    words = ["<|startoftext|>", "<|endoftext|>", "!", "a</w>"]
    place = tmp_path / "tokenizer"
    place.mkdir()
    (place / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    (place / "merges.txt").write_text("#version: 0.2\n")
    told = {"bos_token": words[0], "eos_token": words[1], "unk_token": words[1], "pad_token": "!"}
    (place / "tokenizer_config.json").write_text(json.dumps({**told, "model_max_length": 7}))
    torch.manual_seed(0)
    config = transformers.CLIPTextConfig(
        vocab_size=4, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=7, bos_token_id=0, eos_token_id=1, pad_token_id=2,
    )  # fmt: skip
    encoder = transformers.CLIPTextModel(config).eval()
    encoder.save_pretrained(tmp_path / "text_encoder")
    file = tmp_path / "text_encoder/model.safetensors"
    tensors = {prefix + name.removeprefix("text_model."): value for name, value in load_file(file).items()}
    save_file({**tensors, "text_model.embeddings.position_ids": torch.arange(7)}, file)
    with torch.no_grad():
        expected = encoder(torch.tensor([[0, 1, 2, 2, 2, 2, 2]])).last_hidden_state
    torch.testing.assert_close(prompt.computed(tmp_path, tmp_path, 8), expected)
    for changes in ({"vocab_size": 10**12}, {"num_hidden_layers": 10**9}, {"num_hidden_layers": 2}):
        place = tmp_path / "text_encoder/config.json"
        place.write_text(json.dumps({**json.loads(place.read_text()), **changes}))
        with pytest.raises(PriorError, match="cannot be read"):
            prompt.computed(tmp_path, tmp_path, 8)


# Sizes, words, memory, the Hub


def test_a_photo_of_any_size_is_restored_at_its_size(folder, photo):
    result = restore(
        photo.resize((37, 29)), "inpaint-box", "vml-map", denoiser=str(folder), solver_parameters={"steps": 4}
    )
    assert result.image.size == (37, 29) and result.step.draft.x0_hat.shape == (1, 3, 29, 37)
    assert result.psnr[0] > 10


def test_a_task_without_a_solver_is_restored_by_one_that_can(folder, photo):
    """The default one for colours works on single coefficients."""
    prior = load_prior(str(folder), "cpu")
    problem = degrade(photo, "colorize", size=16)
    steps = list(stream(problem, None, prior, solver_parameters={"steps": 3}))
    assert steps[-1].x0_hat.shape == (1, 3, *problem.operator.image_shape[1:])
    with pytest.raises(ProblemError, match=r"DDRM needs a linear task.*on this prior's own space.*vml-map"):
        list(stream(problem, "ddrm", prior))


@pytest.mark.parametrize("solver", ["dps", "vml-map", "daps"])
def test_out_of_memory_ends_in_a_size_that_fits(folder, photo, monkeypatch, solver):
    """The decoder's part is measured: of a prior without one the same network needs less."""
    prior = load_prior(str(folder), "cpu")
    problem, decode = degrade(photo.resize((144, 112)), "denoise"), prior.codec.decode

    def hungry(z):
        if min(z.shape[-2:]) > memory.PROBE:
            raise MemoryError
        return decode(z)

    monkeypatch.setattr(memory, "PROBE", 16)
    prior.calibration = prior.codec.calibration
    monkeypatch.setattr(prior.codec, "decode", hungry)
    with pytest.raises(CapacityError, match=r"a picture of 144x112 pixels .* is (\d+) pixels or less\.$") as caught:
        list(stream(problem, solver, prior, solver_parameters={"steps": 10}))
    assert 8 <= int(re.search(r"is (\d+) pixels", str(caught.value))[1]) < 112


def test_what_a_step_needs_is_measured_with_the_decoder(folder):
    prior = load_prior(str(folder), "cpu")
    alone = memory.bytes_per_pixel(prior.inner, True) / prior.factor**2
    figures = [memory.bytes_per_pixel(prior, *needs) for needs in ((False, False), (False, True), (True, True))]
    assert figures == sorted(figures) and figures[0] < figures[1] and alone < figures[2]
    prior.codec.checkpointing = False
    assert memory.bytes_per_pixel(prior, False, True) > figures[1]


def test_stable_diffusion_is_fetched_whole_in_half_precision(folder, monkeypatch, tmp_path):
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    card = PRIORS["stable-diffusion-2-base"]
    parts = ("unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model")
    weights = [f"{part}{half}.safetensors" for part in parts for half in ("", ".fp16")]
    listed = [*weights, "unet/config.json", "vae/config.json", "text_encoder/config.json", "tokenizer/vocab.json"]
    listed += ["unet/diffusion_pytorch_model.bin", "pipeline.py", "512-base-ema.safetensors", "scheduler/other.json"]
    sizes, asked = dict.fromkeys(listed, 10**9), []

    def snapshot_download(*_, **__):
        if not asked:
            raise LocalEntryNotFoundError("not here")
        return str(folder)

    def download(prior, files):
        asked.append({file.path for file in files})
        yield Progress(1, 1)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    monkeypatch.setattr(hub, "listed", lambda _: [File(path, size, "") for path, size in sizes.items()])
    monkeypatch.setattr(hub, "download", download)
    with pytest.raises(PriorError, match=r"7\.0 GB, and at most 6 GB"):
        hub.folder_of(card)
    sizes.update(dict.fromkeys(listed, 1000))
    assert hub.folder_of(card) == folder
    configured = {name for name in listed if name in hub.CONFIGURATION + hub.PROMPT}
    assert asked == [configured | {f"{part}.fp16.safetensors" for part in parts}] and len(configured) == 4
    assert isinstance(load_prior(card.name, "cpu"), LatentDenoiser), "read by what is in it"
    asked.clear()
    del sizes["vae/diffusion_pytorch_model.safetensors"], sizes["vae/diffusion_pytorch_model.fp16.safetensors"]
    with pytest.raises(PriorError, match="no weights"):
        hub.folder_of(card)


def test_a_download_without_the_autoencoders_weights_is_not_taken(folder, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(folder))
    card = Card("mine", LATENT, repository="me/mine", revision="0" * 40)
    assert hub.folder_of(card) == folder
    (folder / "vae/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(PriorError):
        hub.folder_of(card)


def test_solvers_can_be_asked_for_on_the_command_line(folder):
    from click.testing import CliRunner

    from inverse.__main__ import main

    said = {name: " ".join(CliRunner().invoke(main, ["solvers", name]).output.split()) for name in SOLVERS}
    assert "With priors of latents: linear tasks in pictures: decode, closed form, encode" in said["vml-map"]
    assert "With priors of latents: not on latents" in said["ddrm"] and TASKS
