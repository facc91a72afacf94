"""The lab on the embedded prior, made small: what stands for the truth there, and what is left out."""

import math

import pytest
import torch

from inverse.evaluation.findings import Study, learned, stream, truths
from inverse.evaluation.findings.claims import verdicts
from inverse.evaluation.findings.contenders import BEST, CONDITIONAL, UNCONDITIONAL
from inverse.evaluation.findings.figures import figures
from inverse.evaluation.findings.page import to_markdown
from inverse.evaluation.findings.samples import BINS, Exactly, diversity
from inverse.evaluation.findings.sentences import sentences
from inverse.randomness import generator


@pytest.fixture(scope="module", autouse=True)
def small():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(learned, "SIDE", 16)
        patched.setattr(learned, "STEPS", 1)
        truths.truth.cache_clear()
        yield
    truths.truth.cache_clear()


def test_scores_are_compared_and_samples_left_out():
    *_, found = stream(Study(truth="embedded", solvers=("dps", "pigdm"), step_sizes=(1.0,), steps=20))
    assert found.complete and not found.samples and found.truth.posterior is None
    assert {BEST, UNCONDITIONAL, "PiGDM"} <= {row.label for row in found.errors}
    assert CONDITIONAL in {row.label for row in found.means} and len({row.sigma for row in found.errors}) >= 4
    assert all(math.isfinite(row.error) for row in found.errors)
    said = sentences(found)
    assert "with the embedded prior" in said["score"] and not said["samples"]
    assert verdicts(found)[2].startswith("Not measured") and "modes" not in figures(found)
    assert "# Findings" in to_markdown([found], {}) and all(chart.svg() for chart in figures(found).values())


def test_the_reference_is_the_estimator_and_draws_are_its_samples():
    known = truths.truth("embedded", "inpainting")
    x = torch.zeros(2, 3, 16, 16)
    condition = known.reference.condition(known.problem.operator, known.problem.y, known.problem.sigma_y)
    assert not torch.equal(known.reference(x, 1.0, [condition] * 2), known.prior(x, 1.0))
    drawn = known.draw(generator(0), 3)
    assert drawn.shape == (3, 3, 16, 16) and torch.equal(known.draw(generator(1), 2), drawn[:2])
    assert list(known.prepare(3)) == [], "they are there already"


def test_samples_are_held_to_the_photograph_where_asked_for():
    known = truths.truth("embedded", "inpainting")
    exactly = Exactly(known.problem.truth[0].double(), torch.full((3, 16, 16), 0.1).double(), math.nan, -math.inf, 0.0)
    noise = 0.1 * torch.randn(19, 3, 16, 16, generator=generator(2))
    row = diversity(known, exactly, "", known.problem.truth + noise)
    assert row.std_ratio == pytest.approx(1, abs=0.05) and math.isnan(row.to_mode) and math.isnan(row.strays)
    assert sum(row.ranks) == pytest.approx(1) and row.coverage(0.9) > 0.95  # the photograph is in the middle of them
    far = diversity(known, exactly, "", known.problem.truth + noise + 1)
    assert far.ranks[0] == 1 and len(far.ranks) == BINS and far.bias == pytest.approx(10, rel=0.05)
