"""A GPU computes what the CPU does. Skipped where there is none."""

import copy

import latents
import pytest
import torch
from operations import CASES, images, label, measurements, operator_of
from originals import SMALL, random_weights
from safetensors.torch import save_file
from toys import LINEAR, quick, run, setup
from trainings import photographs, settings

from inverse import degrade, load_prior, restore
from inverse.denoisers.exact import GaussianField
from inverse.denoisers.memory import bytes_per_pixel, exhausted, free_bytes
from inverse.operators.denoising import Identity
from inverse.solvers import SOLVERS
from inverse.training.prior import train_prior

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


class OnGPU(GaussianField):
    device = torch.device("cuda")


def on_gpu(prior):
    moved = copy.copy(prior)
    moved.__class__ = OnGPU
    for name, value in vars(prior).items():
        if isinstance(value, torch.Tensor):
            setattr(moved, name, value.cuda())
    return moved


@pytest.mark.parametrize("index", range(len(CASES)), ids=label)
def test_operators_agree_with_the_cpu(index):
    operator = operator_of(index)
    there = operator.to("cuda", torch.float64)
    x, y = images(operator), operator.project(measurements(operator))
    torch.testing.assert_close(there(x.cuda()).cpu(), operator(x), rtol=0, atol=1e-9)
    if operator.linear:
        for name in ("adjoint", "pinv"):
            expected, found = getattr(operator, name)(y), getattr(there, name)(y.cuda()).cpu()
            torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("task", [*LINEAR, "saturation"])
def test_solvers_agree_with_the_cpu(name, task):
    """The randomness of a seed is drawn on the CPU, so that the same restoration comes out."""
    if task == "saturation" and SOLVERS[name].linear_only:
        pytest.skip("linear only")
    prior, operator, y = setup(task)
    expected = run(quick(name), prior, operator, y)[-1].x
    found = run(quick(name), on_gpu(prior), operator, y)[-1].x
    assert found.device.type == "cuda"
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-6, atol=1e-6)


def test_the_embedded_prior_agrees_with_the_cpu(photo):
    problem = degrade(photo, "inpaint-box")
    x = problem.y + 0.5 * torch.randn(problem.y.shape, generator=torch.Generator().manual_seed(0))
    expected = load_prior(device="cpu", precision="float32")(x, 0.5)
    exact, fast = (load_prior(device="cuda", precision=precision) for precision in ("float32", "bfloat16"))
    assert exact.device.type == "cuda"
    torch.testing.assert_close(exact(x.cuda(), 0.5).cpu(), expected, rtol=0, atol=2e-3)  # TF32 may be in use
    torch.testing.assert_close(fast(x.cuda(), 0.5).cpu(), expected, rtol=0, atol=5e-2)


@pytest.mark.parametrize("precision", ["float32", "auto", "bfloat16", "float16"])
def test_a_network_of_diffusers_agrees_with_the_cpu(precision, tmp_path):
    """Estimate and gradient of a small network of guided-diffusion; "auto" is half precision there."""
    save_file(random_weights(**SMALL), tmp_path / "a.safetensors")
    found, tolerance = {}, 1e-2 if precision == "float32" else 0.1  # TF32 may be in use
    for device, kind in (("cpu", "float32"), ("cuda", precision)):
        prior = load_prior(str(tmp_path / "a.safetensors"), device, kind)
        x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)).to(device).requires_grad_()
        estimate = prior(x, 2.0)
        (gradient,) = torch.autograd.grad(estimate, x, 1e-3 * x.detach())
        found[device] = estimate.detach().cpu(), gradient.cpu()
    assert (prior.inside == torch.float32) == (precision == "float32")
    for one, other in zip(found["cuda"], found["cpu"], strict=True):
        assert one.dtype == torch.float32 and (one - other).norm() < tolerance * other.norm()


def test_a_restoration_on_the_gpu_is_the_one_of_the_cpu(photo):
    on_cpu, there = (
        restore(photo, "super-resolution", denoiser=load_prior(device=device, precision="float32"), size=64)
        for device in ("cpu", "cuda")
    )
    assert there.psnr == pytest.approx(on_cpu.psnr, abs=0.1)


@pytest.mark.parametrize("network", [latents.conditional, latents.transformer])
def test_a_latent_prior_and_its_decoders_gradient_agree_with_the_cpu(tmp_path, network):
    folder = latents.pipeline(tmp_path, autoencoder=latents.codec(), network=network())
    found, z = [], torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    for device in ("cpu", "cuda"):
        prior = load_prior(str(folder), device)
        estimate = prior(z.to(device), 0.5)
        lifted = prior.lift(Identity((3, 16, 16)).to(device))
        found.append([estimate, *lifted.vjp(estimate, lambda value: value), prior.preview(estimate)])
    for here, there in zip(*found, strict=True):
        torch.testing.assert_close(there.cpu(), here, rtol=2e-2, atol=2e-3)  # TF32 may be in use


def test_memory_of_the_gpu_is_measured():
    prior = load_prior(device="cuda")
    assert bytes_per_pixel(prior, True) > bytes_per_pixel(prior, False) > 0
    free = free_bytes(prior.device)
    assert 0 < free <= torch.cuda.mem_get_info()[1]
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2 * torch.cuda.mem_get_info()[1], dtype=torch.uint8, device="cuda")
    assert exhausted(caught.value)


def test_training_on_the_gpu_learns_and_resumes(tmp_path):
    folder = photographs(tmp_path / "photos")
    reports = list(train_prior(settings(iterations=40, precision="auto"), folder, tmp_path / "trained"))
    assert reports[-1].loss < reports[1].loss
    assert next(train_prior(settings(iterations=50, precision="auto"), folder, tmp_path / "trained")).iteration == 40
