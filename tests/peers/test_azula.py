"""azula's solvers as solvers of ours, for `make peers`: what they cost, and that they do what they are for."""

import pytest
import torch
from toys import SIGMA_Y, run, setup

from inverse.randomness import generator
from inverse.solvers.run import Run

pytest.importorskip("azula")

import against_azula
from against_azula import CONTENDERS, PEERS, VERSIONS, Flat, Row, page, rows

SETTINGS = {"azula-diffpir": {"guidance_scale": 1.0}}


def few(kind):
    return kind(steps=40, **SETTINGS.get(kind.name, {}))


@pytest.mark.parametrize("kind", PEERS, ids=lambda kind: kind.name)
def test_a_peer_costs_what_it_says_and_comes_to_one_frame(kind):
    (step,) = run(few(kind), *setup("deblur-gaussian"))
    assert (step.nfe, step.vjp) == few(kind).cost and step.total == 1


@pytest.mark.parametrize("task", ["inpaint-box", "deblur-gaussian", "super-resolution"])
@pytest.mark.parametrize("kind", PEERS, ids=lambda kind: kind.name)
def test_a_peer_restores(kind, task):
    """What it explains of the measurement is that of the truth, by half at least."""
    prior, operator, y = setup(task)
    (step,) = run(few(kind), prior, operator, y)
    expected = operator(prior.sample(generator(1)))
    assert (operator(step.x0_hat) - expected).norm() <= 0.5 * expected.norm()


@pytest.mark.parametrize("kind", PEERS, ids=lambda kind: kind.name)
def test_the_seed_decides(kind):
    problem, before = setup(), torch.get_rng_state()
    first, again = (run(few(kind), *problem)[-1].x0_hat for _ in range(2))
    other = run(few(kind), *problem, seeds=(1,))[-1].x0_hat
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before), "nor does anything else depend on it"


@pytest.mark.parametrize("task", ["inpaint-box", "super-resolution"])
def test_flat_images_are_measured_as_others(task):
    prior, operator, y = setup(task)
    flat = Flat(Run(prior, operator, y, SIGMA_Y, [generator(0)]))
    x = prior.sample(generator(1))
    torch.testing.assert_close(flat.A(x.flatten(1)), operator(x).flatten(1))
    torch.testing.assert_close(flat.pinv(flat.y), operator.pinv(y).flatten(1))


def row(task, kind, psnr=20.0, searched=3):
    return Row(task, kind.name, {}, [psnr] * 3, 1.0, searched, VERSIONS)


def test_what_was_measured_before_it_was_killed_is_not_measured_again(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(against_azula, "load_prior", lambda _: None)
    monkeypatch.setattr(against_azula, "measured", lambda task, kind, *_: asked.append((task, kind)) or row(task, kind))
    for started in (1, len(CONTENDERS) + 2, 2 * len(CONTENDERS)):
        going = rows(["denoise", "hdr"], tmp_path / "kept", 3)
        assert [next(going).task for _ in range(started)]
        going.close()
    assert len(asked) == len(set(asked)) == 2 * len(CONTENDERS)
    assert list(rows(["hdr"], tmp_path / "kept", 1)) and len(asked) == 3 * len(CONTENDERS), "another search"


def test_the_page_says_who_is_ahead():
    dps, diffpir, pigdm = (kind for kind in CONTENDERS[1:] if not kind.name.startswith("azula"))
    theirs = {kind.title: kind for kind in PEERS}
    found = [
        row("hdr", dps, 21.0), row("hdr", theirs["DPS"], 20.0), row("hdr", diffpir, 20.0),
        row("hdr", theirs["DiffPIR"], 22.0), row("hdr", pigdm, 20.05), row("hdr", theirs["PiGDM"], 20.0),
    ]  # fmt: skip
    said = page(found)
    for line in ("- ours: DPS on hdr.", "- azula's: DiffPIR on hdr.", "- neither: PiGDM on hdr.",
                 "- hdr: ours DPS, 21.00 dB; azula DiffPIR, 22.00 dB.",
                 "| hdr | DiffPIR | 20.00 | 22.00 | azula's | -2.00 | 3 of 3 |"):  # fmt: skip
        assert line in said
