"""Learned metrics: their formulas on features that are known, and weights under their right name only."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from inverse.denoisers.identity import digest
from inverse.errors import ParameterError, ProblemError
from inverse.evaluation.evaluate import weights as files
from inverse.evaluation.evaluate.distances import FEWEST, SUBSETS, fid, kid
from inverse.evaluation.evaluate.inception import FEATURES, Inception, resized
from inverse.evaluation.evaluate.lpips import Lpips, lpips
from inverse.evaluation.evaluate.measures import MEASURES, usual
from inverse.evaluation.evaluate.weights import KNOWN, Weights, fill

pytest.importorskip("torchmetrics", reason="of the extra `evaluate`")


def normal(n, seed, mean=0.0, features=8):
    return torch.randn(n, features, generator=torch.Generator().manual_seed(seed)) + mean


def test_fid_is_the_distance_of_two_normal_distributions():
    assert fid(normal(600, 0), normal(600, 0)).value == pytest.approx(0, abs=1e-3)
    moved = fid(normal(4000, 0, 0.5), normal(4000, 1))
    assert moved.value == pytest.approx(8 * 0.25, rel=0.1) and moved.n == 4000


def test_fid_of_few_pictures_is_refused():
    with pytest.raises(ProblemError, match=rf"needs {FEWEST} pictures, and there are {FEWEST - 1}.*KID"):
        fid(normal(FEWEST - 1, 0), normal(600, 1))


def test_kid_of_one_distribution_is_0_within_its_error_and_of_two_is_not():
    same = [kid(normal(400, 2 * seed), normal(400, 2 * seed + 1)) for seed in range(8)]
    assert all(each.error > 0 for each in same)
    scores = torch.tensor([each.value / each.error for each in same])
    assert scores.abs().max() < 4 and scores.abs().mean() > 0.2  # an error that is neither too small nor too large
    apart = kid(normal(400, 0, 1.0), normal(400, 1))
    assert apart.value > 5 * apart.error


def test_kid_is_the_same_again_and_leaves_the_callers_randomness_alone():
    torch.manual_seed(5)
    first = kid(normal(40, 0), normal(40, 1))
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.rand(1) == drawn and kid(normal(40, 0), normal(40, 1)) == first


def test_the_error_of_kid_counts_disjoint_subsets_only():
    few, many = kid(normal(40, 0), normal(40, 1)), kid(normal(4000, 0), normal(4000, 1))
    assert few.error / many.error > 0.4 * (SUBSETS / 4) ** 0.5
    with pytest.raises(ProblemError, match="KID needs"):
        kid(normal(19, 0), normal(19, 1))


def test_pictures_are_resized_between_pixels_as_tensorflow_did():
    line = torch.tensor([0.0, 1.0, 2.0, 3.0])
    assert resized(line.expand(1, 1, 4, 4), 8)[0, 0, 3].tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3]
    x = torch.rand(2, 3, 9, 9)
    assert torch.allclose(resized(x, 9), x)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Files of weights as they are published, of random numbers."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    network = Lpips()
    trunk = {name: value for name, value in network.state_dict().items() if name.startswith("features.")}
    heads = {f"lin{place}.model.1.weight": torch.rand(1, n, 1, 1) for place, n in enumerate((64, 192, 384, 256, 256))}
    torch.save({**trunk, "classifier.1.weight": torch.rand(4, 4)}, folder / "alexnet.pth")
    save_file(heads, folder / "heads.safetensors")
    return {"alexnet": str(folder / "alexnet.pth"), "lpips": str(folder / "heads.safetensors")}


def test_lpips_is_0_for_equal_pictures_alike_in_both_directions_and_falls_with_the_difference(own):
    network = lpips(Weights(own, allow_pickle=True))
    x, noise = torch.rand(2, 3, 64, 64) * 2 - 1, torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        assert network(x, x).tolist() == [0, 0]
        assert torch.allclose(network(x, x + noise), network(x + noise, x))
        assert (network(x, x + 0.1 * noise) < network(x, x + 0.5 * noise)).all()


def test_a_file_that_a_metric_is_not_defined_by_is_named_by_its_digest(own, monkeypatch):
    found = digest(Path(own["lpips"]))
    remark = Weights(own).remark(("lpips",))
    assert "other weights" in remark and found[:12] in remark
    monkeypatch.setitem(files.KNOWN, "lpips", replace(KNOWN["lpips"], digests=(found[:8],)))
    assert Weights(own).remark(("lpips",)) == ""


def test_a_pickle_is_read_when_it_is_allowed_or_known_as_a_whole(own, monkeypatch):
    with pytest.raises(ParameterError, match="--allow-pickle"):
        Weights(own).tensors("alexnet")
    assert "features.0.weight" in Weights(own, allow_pickle=True).tensors("alexnet")
    found = digest(Path(own["alexnet"]))
    for known, trusted in ((found[:8], False), (found, True)):
        monkeypatch.setitem(files.KNOWN, "alexnet", replace(KNOWN["alexnet"], digests=(known,)))
        if trusted:
            assert Weights(own).tensors("alexnet")
        else:
            with pytest.raises(ParameterError, match="pickle"):
                Weights(own).tensors("alexnet")


def test_weights_that_are_not_there_or_of_another_network_are_refused_with_a_remedy(own, tmp_path):
    for name in KNOWN:
        with pytest.raises(ParameterError, match=f"Download.*--weights {name}=FILE"):
            Weights().path(name)
    with pytest.raises(ParameterError, match="is no file"):
        Weights({"lpips": str(tmp_path / "nowhere")}).path("lpips")
    with pytest.raises(ParameterError, match="no weights called 'vgg'"):
        Weights({"vgg": "x"})
    with pytest.raises(ParameterError, match="from the Hub"):  # tests are offline
        Weights({"lpips": f"owner/name@{'0' * 40}:alex.pth"}).path("lpips")
    (tmp_path / "damaged").write_bytes(b"nothing of it")
    with pytest.raises(ParameterError, match="Get it again"):
        Weights({"lpips": str(tmp_path / "damaged")}).tensors("lpips")
    with pytest.raises(ParameterError, match="of another network"):
        fill(Inception(), Weights(own).tensors("lpips"), "inception")


def test_measures_are_offered_when_their_weights_are_named():
    assert usual(Weights()) == ["psnr", "ssim", "residual", "calls", "seconds"]
    assert set(usual(Weights({"inception": "x", "alexnet": "y", "lpips": "z"}))) == set(MEASURES)


def test_inception_takes_pictures_of_any_size():
    """That its features are the right ones, `make test-peers` sees."""
    with torch.inference_mode():
        found = Inception().eval()(torch.rand(1, 3, 20, 30) * 2 - 1)
    assert found.shape == (1, FEATURES) and found.isfinite().all()
