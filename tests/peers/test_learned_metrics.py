"""The networks of FID and LPIPS, against torch-fidelity's and lpips's, on random weights in the published naming."""

import pytest
import torch

from inverse.evaluation.evaluate.inception import FEATURES, Inception
from inverse.evaluation.evaluate.lpips import lpips
from inverse.evaluation.evaluate.weights import Weights

peer = pytest.importorskip("lpips")
FeatureExtractorInceptionV3 = pytest.importorskip(
    "torch_fidelity.feature_extractor_inceptionv3"
).FeatureExtractorInceptionV3


def test_inception_has_torch_fidelitys_features(tmp_path):
    torch.manual_seed(0)
    network = Inception().eval()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
    head = {"fc.weight": torch.zeros(1008, FEATURES), "fc.bias": torch.zeros(1008)}
    torch.save({**network.state_dict(), **head}, tmp_path / "inception.pth")
    other = FeatureExtractorInceptionV3("peer", ["2048"], str(tmp_path / "inception.pth"))
    levels = torch.randint(0, 256, (2, 3, 61, 83), dtype=torch.uint8)
    with torch.inference_mode():
        found, expected = network(levels / 127.5 - 1), other(levels)[0]
    assert (found - expected).norm() < 1e-5 * expected.norm()


def test_lpips_is_that_of_its_package_by_its_own_heads(tmp_path):
    torch.manual_seed(0)
    other = peer.LPIPS(net="alex", pnet_rand=True, verbose=False)
    layers = [layer for part in (f"slice{n}" for n in range(1, 6)) for layer in getattr(other.net, part)]
    trunk = {f"features.{name}": value for name, value in torch.nn.Sequential(*layers).state_dict().items()}
    heads = {name: value for name, value in other.state_dict().items() if name.startswith("lin")}
    torch.save(trunk, tmp_path / "alexnet.pth")
    torch.save(heads, tmp_path / "alex.pth")
    files = {"alexnet": str(tmp_path / "alexnet.pth"), "lpips": str(tmp_path / "alex.pth")}
    x, y = torch.rand(2, 3, 3, 70, 64) * 2 - 1
    with torch.inference_mode():
        found = lpips(Weights(files, allow_pickle=True))(x, y)
        assert found.tolist() == pytest.approx(other(x, y).flatten().tolist(), rel=1e-5)
