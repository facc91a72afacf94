"""Training: repeatable, resumable, honest about bad pictures, and its result is a prior."""

import math
import shutil
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from trainings import TINY, Tiny, photographs, settings

from inverse.denoisers.embedded import EDMDenoiser, load_network, precondition
from inverse.denoisers.exact import GaussianField
from inverse.denoisers.network import NetworkConfig, ResidualUNet
from inverse.errors import DivergenceError, ParameterError, PriorError, ProblemError
from inverse.training import latency
from inverse.training.average import Average
from inverse.training.crops import Crops
from inverse.training.evaluate import Score, table
from inverse.training.growth import inherit
from inverse.training.photos import load_photos, read_weights
from inverse.training.prior import PriorTrainer, edm_loss, train_prior
from inverse.training.samples import unconditional
from inverse.training.settings import PRESETS, PriorTraining
from inverse.training.trainer import CHECKPOINT, LATEST, Trainer
from inverse.training.validation import NOISE_LEVELS

BEST = PriorTrainer.best


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return photographs(tmp_path_factory.mktemp("photos"))


def weights_of(path):
    return load_network(path).state_dict()


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_killed_training_resumes_bit_for_bit(folder, tmp_path):
    straight, killed, resumed = (tmp_path / name for name in ("straight", "killed", "resumed"))
    reports = list(train_prior(settings(), folder, straight, device="cpu"))
    assert reports[-1].iteration == 20 and reports[-1].share == 1
    # checkpoint_minutes=0 writes after every update; what lies there at update 10 is what a kill would leave.
    training = train_prior(settings(checkpoint_minutes=0.0), folder, killed, device="cpu")
    while next(training).iteration < 10:
        pass
    shutil.copytree(killed, resumed)
    training.close()
    again = list(train_prior(settings(), folder, resumed, device="cpu"))
    assert 0 < again[0].iteration <= 10
    assert (straight / CHECKPOINT).stat().st_size == (resumed / CHECKPOINT).stat().st_size
    for name in (BEST, LATEST):
        assert equal(weights_of(straight / name), weights_of(resumed / name)), name
    assert again[-1].loss == reports[-1].loss
    assert again[-1].validation == reports[-1].validation


def test_closing_saves_and_a_finished_training_stays_as_it_is(folder, tmp_path):
    training = train_prior(settings(), folder, tmp_path, device="cpu")
    while next(training).iteration < 5:
        pass
    training.close()
    first = next(training := train_prior(settings(), folder, tmp_path, device="cpu"))
    assert first.iteration == 5
    list(training)
    before = weights_of(tmp_path / LATEST)
    assert [r.iteration for r in train_prior(settings(), folder, tmp_path, device="cpu")] == [20]
    assert equal(before, weights_of(tmp_path / LATEST))


def test_a_longer_training_extends_a_shorter_one(folder, tmp_path):
    list(train_prior(settings(iterations=5), folder, tmp_path, device="cpu"))
    assert list(train_prior(settings(iterations=8), folder, tmp_path, device="cpu"))[-1].iteration == 8


def test_bad_pictures_are_left_out_and_listed(folder, tmp_path):
    collection = load_photos(folder, smallest=16, memory=1.0)
    assert [r.name for r in collection.rejected] == ["broken.jpg", "small.png"]
    assert all(r.reason.endswith(".") and str(folder) not in r.reason for r in collection.rejected)
    assert len(collection.training.names) + len(collection.validation.names) == 8
    assert not set(collection.training.names) & set(collection.validation.names)
    report = next(train_prior(settings(), folder, tmp_path, device="cpu"))
    assert report.rejected == collection.rejected


def test_a_photograph_stays_on_its_side_when_others_join(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "more")
    before = load_photos(folder, smallest=16, memory=1.0, held_out=0.4)
    for index in range(5):
        Image.new("RGB", (20, 20)).save(tmp_path / "more" / f"new{index}.png")
    after = load_photos(tmp_path / "more", smallest=16, memory=1.0, held_out=0.4)
    assert set(before.training.names) <= set(after.training.names)
    assert set(before.validation.names) <= set(after.validation.names)


def test_weights_decide_how_often_a_photograph_is_drawn(folder, tmp_path):
    (tmp_path / "weights.tsv").write_text("# pattern\tweight\nflat/*\t0\n\ndeep/*\t2.5\n")
    weights = read_weights(tmp_path / "weights.tsv")
    assert weights == [("flat/*", 0.0), ("deep/*", 2.5)]
    collection = load_photos(folder, smallest=16, memory=1.0, weights=weights)
    assert all(name.startswith("deep/") for name in collection.training.names + collection.validation.names)
    for text in ("flat", "flat\t-1", "flat\tnan", "\t1", "flat 2"):
        (tmp_path / "weights.tsv").write_text(text)
        with pytest.raises(ProblemError, match="Line 1"):
            read_weights(tmp_path / "weights.tsv")


def test_memory_is_a_limit(folder):
    assert load_photos(folder, smallest=16, memory=1.0).training.pixels[0].shape == (40, 48, 3)
    folder_bytes = 8 * 40 * 48 * 3
    with pytest.raises(ProblemError, match="over the limit"):
        load_photos(folder, smallest=16, memory=folder_bytes / 2 / 1e9)


def test_large_photographs_shrink_into_the_memory(tmp_path):
    for index in range(4):
        Image.new("RGB", (300, 200 + index)).save(tmp_path / f"{index}.png")
    collection = load_photos(tmp_path, smallest=16, memory=4 * 300 * 200 * 3 / 2 / 1e9)
    pixels = collection.training.pixels + collection.validation.pixels
    assert sum(p.nbytes for p in pixels) <= 1.02 * 4 * 300 * 200 * 3 / 2
    assert all(abs(p.shape[1] / p.shape[0] - 1.5) < 0.05 for p in pixels)


def test_folders_without_photographs_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ProblemError):
            load_photos(path, smallest=16, memory=1.0)


def test_crops_depend_on_their_index_only(folder):
    photos = load_photos(folder, smallest=16, memory=1.0).training
    crops = Crops(photos, 16, 3, 4.0, seed=1)
    assert crops[5].shape == (3, 3, 16, 16) and crops[5].dtype == torch.uint8
    assert torch.equal(crops[5], Crops(photos, 16, 3, 4.0, seed=1)[5])
    assert not torch.equal(crops[5], crops[6])
    for threads in (1, 3):
        stream = crops.stream(4, stride=2, threads=threads)
        assert all(torch.equal(next(stream), crops[index]) for index in range(4, 24, 2))
    stream.close()


def test_crops_show_a_gradient_at_every_scale(tmp_path):
    # A ramp across 256 levels: whatever the scale, a crop's slope lies between 1 and 4 levels a pixel.
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (256, 256, 3))
    for index in range(2):
        Image.fromarray(ramp.copy()).save(tmp_path / f"{index}.png")
    photos = load_photos(tmp_path, smallest=32, memory=1.0).training
    crops = torch.cat([Crops(photos, 32, 16, 4.0, seed=0)[index] for index in range(8)]).float()
    slope = (crops[..., 24] - crops[..., 8]).mean((1, 2)).abs() / 16
    assert 0.95 < slope.min() < 1.05 and 3 < slope.max() < 4.1
    assert 0.1 < (slope < 1.01).float().mean() < 0.4  # the photograph's own pixels


def test_some_crops_show_the_whole_photograph(tmp_path):
    """Of a ramp: eight levels a pixel where 256 are shrunk to 32, however little others are shrunk."""
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (256, 256, 3))
    for index in range(2):
        Image.fromarray(ramp.copy()).save(tmp_path / f"{index}.png")
    photos = load_photos(tmp_path, smallest=32, memory=1.0).training
    for whole in (0.0, 0.5, 1.0):
        crops = torch.cat([Crops(photos, 32, 16, 1.5, seed=0, whole=whole)[index] for index in range(8)]).float()
        slope = (crops[..., 24] - crops[..., 8]).mean((1, 2)).abs() / 16
        assert float((slope > 7).float().mean()) == pytest.approx(whole, abs=0.15)


def test_the_average_is_that_of_its_definition():
    network = torch.nn.Linear(2, 1, bias=False)
    average = Average(network, 0.5)
    expected = network.weight.detach().clone()
    for iteration in range(1, 8):
        with torch.no_grad():
            network.weight.add_(iteration)
        average.update(network, iteration)
        decay = min(0.5, (1 + iteration) / (10 + iteration))
        expected = decay * expected + (1 - decay) * network.weight.detach()
    torch.testing.assert_close(average.network.weight, expected)
    assert not average.network.weight.requires_grad


def test_the_loss_is_that_of_the_bare_network():
    # Karras et al. 2022, eq. 8: the weights are chosen so that F's own error counts the same at every noise level.
    generator = torch.Generator().manual_seed(0)
    x0, noise = (torch.randn(3, 3, 8, 8, generator=generator, dtype=torch.float64) for _ in range(2))
    answer = torch.randn(3, 3, 8, 8, generator=generator, dtype=torch.float64)
    sigma = torch.tensor([0.01, 0.5, 40.0], dtype=torch.float64)
    s = sigma[:, None, None, None]
    total, x = s**2 + 0.25, x0 + s * noise
    target = (x0 - 0.25 / total * x) * total.sqrt() / (0.5 * s)
    loss = edm_loss(precondition(lambda *_: answer, x, sigma, 0.5), x0, sigma)
    torch.testing.assert_close(loss, (answer - target).square().mean())


def test_the_loss_falls_on_constant_images_and_the_result_is_a_prior(tmp_path):
    for index, color in enumerate(["#803010", "#20a060", "#7070f0", "#e0e020"]):
        Image.new("RGB", (16, 16), color).save(tmp_path / f"{index}.png")
    training = settings(iterations=80, learning_rate=1e-2, batch=8, report_every=20, validate_every=40)
    reports = list(train_prior(training, tmp_path, tmp_path / "out", device="cpu"))
    losses = [r.loss for r in reports if not math.isnan(r.loss)]
    assert losses[-1] < 0.8 * losses[0]
    assert all(r.images_per_second > 0 and r.learning_rate >= 0 for r in reports[1:])
    validations = [r.validation for r in reports if r.validation]
    assert tuple(validations[0].psnr) == NOISE_LEVELS and validations[-1].mean > validations[0].mean
    prior = EDMDenoiser(load_network(tmp_path / "out" / BEST), "cpu", "float32")
    x = torch.full((1, 3, 20, 28), 0.2)
    noisy = x + 0.4 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    assert (prior(noisy, 0.4) - x).square().mean() < (noisy - x).square().mean()


def test_a_grown_network_computes_the_same():
    torch.manual_seed(0)
    source = ResidualUNet(TINY)
    wider = NetworkConfig(widths=(10, 16), depths=(2, 3), embedding=16, frequencies=4, context=5)
    grown = ResidualUNet(wider)
    x, log_sigma = torch.randn(2, 3, 16, 16), torch.tensor([-1.0, 1.0])
    assert not torch.allclose(grown(x, log_sigma), source(x, log_sigma), atol=1e-2)
    inherit(grown, source)
    torch.testing.assert_close(grown(x, log_sigma), source(x, log_sigma), atol=1e-5, rtol=1e-4)
    grown(x, log_sigma).square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in grown.parameters())


def test_a_checkpoint_of_something_else_is_refused(folder, tmp_path):
    list(train_prior(settings(iterations=1), folder, tmp_path, device="cpu"))

    @dataclass(frozen=True)
    class Other(Tiny):
        @property
        def config(self):
            return NetworkConfig(widths=(8,), depths=(1,), embedding=16)

    other = Other(**settings().to_dict())
    with pytest.raises(PriorError, match="another network"):
        next(train_prior(other, folder, tmp_path, device="cpu"))
    (tmp_path / CHECKPOINT).write_bytes(b"\x00" * 100)
    with pytest.raises(PriorError, match="damaged"):
        next(train_prior(settings(), folder, tmp_path, device="cpu"))


def test_the_learning_rate_rises_stays_and_falls():
    training = PriorTraining(learning_rate=1e-3, warmup=9, decay=0.2)
    assert training.rate(0, 0.0) == pytest.approx(1e-4)
    assert training.rate(9, 0.5) == training.rate(9, 0.8) == pytest.approx(1e-3)
    assert training.rate(9, 0.9) == pytest.approx(5e-4)
    assert training.rate(9, 1.0) == pytest.approx(0.0)
    assert PriorTraining(warmup=0, decay=0.0).rate(0, 1.0) == 6e-4


def test_the_first_budget_that_is_spent_ends_the_training():
    assert PriorTraining(iterations=100).progress(50, 1e9) == 0.5
    assert PriorTraining(iterations=100, hours=1.0).progress(50, 1800 * 1.5) == 0.75
    assert PriorTraining(iterations=100, hours=1.0).progress(50, 1e9) == 1.0


@pytest.mark.parametrize(
    "wrong", [{"crop": 20}, {"batch": 0}, {"network": "huge"}, {"hours": -1.0}, {"learning_rate": math.nan}]
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        PriorTraining(**wrong)


def test_every_setting_is_explained_and_every_preset_fits():
    assert all(spec.help.endswith(".") for spec in PriorTraining.specs().values())
    assert all(preset.crop % preset.config.multiple == 0 for preset in PRESETS.values())


def test_the_table_has_a_row_a_photograph_and_level_and_the_means():
    cells = [("a", "x", 30.0), ("a", "y", 31.0), ("b", "x", 32.0), ("b", "y", 30.0)]
    scores = [Score(photo, method, 25, psnr, 1.0) for photo, method, psnr in cells]
    lines = table(scores).splitlines()
    assert lines[0] == "| photo | noise | x | y |" and lines[2] == "| a | 25 | 30.00 | 31.00 |"
    assert lines[-1] == "| mean | 25 | 31.00 | 30.50 |"


@pytest.mark.parametrize("minutes", [0.0, 60.0])
def test_what_diverged_is_not_kept(folder, tmp_path, monkeypatch, minutes):
    """Neither the checkpoint nor the best prior takes a value that is not finite."""

    def poisoned(trainer, crops):
        update(trainer, crops)
        if trainer.iteration == 6:
            next(trainer.network.parameters()).data.fill_(math.nan)
            next(trainer.average.network.parameters()).data.fill_(math.nan)

    update = Trainer.update
    list(train_prior(settings(iterations=4, validate_every=4), folder, tmp_path, device="cpu"))
    kept = {name: (tmp_path / name).read_bytes() for name in (CHECKPOINT, BEST)}
    monkeypatch.setattr(Trainer, "update", poisoned)
    changes = {"checkpoint_minutes": minutes, "report_every": 20, "validate_every": 8}
    with pytest.raises(DivergenceError, match="no longer finite"):
        list(train_prior(settings(**changes), folder, tmp_path, device="cpu"))
    values = load_file(tmp_path / CHECKPOINT).values()
    assert all(value.isfinite().all() for value in values if value.is_floating_point())
    assert (tmp_path / BEST).read_bytes() == kept[BEST]
    if minutes:
        assert (tmp_path / CHECKPOINT).read_bytes() == kept[CHECKPOINT]


def test_samples_have_the_prior_s_distribution_and_stand_alone():
    prior = GaussianField((1, 8, 8), variance=0.16)
    prior.sigma_min, prior.sigma_max = 0.003, 80.0
    samples = unconditional(prior, 100, 8)
    power = torch.fft.rfft2(samples, norm="ortho").abs().square().mean((0, 1))
    ratio = (power / prior.spectrum).mean().item()
    assert ratio == pytest.approx(1, abs=6 * (2 / 100 / 64) ** 0.5)
    torch.testing.assert_close(unconditional(prior, 2, 8), samples[:2])
    assert not torch.allclose(unconditional(prior, 1, 8, seed=1), samples[:1])


def test_priors_take_turns_and_the_first_evaluation_does_not_count(monkeypatch):
    clock, order = [0.0], []

    def prior(name, seconds):
        durations = iter(seconds)

        def evaluate(x, sigma):
            assert x.shape == (1, 3, 32, 32)
            order.append(name)
            clock[0] += next(durations)

        return evaluate

    monkeypatch.setattr(latency, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    taken = latency.latencies([prior("a", [90, 1, 3, 2]), prior("b", [90, 5, 4, 6])], 32, repeats=3)
    assert taken == [2000, 5000] and order == ["a", "b"] * 4
