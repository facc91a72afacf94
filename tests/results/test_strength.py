"""How much of a restoration is kept: the rest is the photo as it was, but for what is missing."""

import pytest
import torch

from inverse.denoisers.catalog import load_prior
from inverse.errors import ParameterError, ProblemError
from inverse.operators import TASKS
from inverse.restoration import restore
from inverse.results.problem import mixed
from inverse.settings import DEGRADED, Settings

QUICK = {"steps": 3, "gradient_steps": 1}


def results(photo, task, **more):
    values = {}
    for strength in (0.0, 0.25, 1.0):
        settings = Settings.create(
            mode=DEGRADED, task=task, solver="vml-map", solver_parameters=QUICK, sigma_y=0.1, strength=strength, **more
        )
        problem = settings.problem(photo)
        *_, values[strength] = problem.steps(settings.solver, load_prior())
    return problem, {strength: step.x0_hat for strength, step in values.items()}


@pytest.mark.parametrize("task", ["denoise", "colorize"])
def test_it_is_between_the_photo_and_the_restoration(photo, task):
    problem, found = results(photo, task)
    before = problem.operator.preview(problem.y)
    torch.testing.assert_close(found[0.0], before.expand_as(found[0.0]))
    torch.testing.assert_close(found[0.25], 0.25 * found[1.0] + 0.75 * before)


def test_what_is_missing_is_filled_in_whole(photo):
    problem, found = results(photo, "inpaint-box", task_parameters={"keep_known": "never"})
    missing = (problem.operator.mask == 0).expand_as(found[1.0])
    assert torch.equal(found[0.0][missing], found[1.0][missing])
    assert torch.equal(found[0.0][~missing], problem.y[~missing])


def test_a_smaller_photo_is_enlarged_for_it(photo):
    problem, found = results(photo, "super-resolution")
    assert found[0.0].shape == found[1.0].shape
    again = problem.operator(found[0.0])
    assert float((again - problem.y).square().mean().sqrt()) < 0.05


def test_what_is_no_picture_cannot_be_mixed_in_and_more_than_all_cannot_be_kept(photo):
    operator = TASKS["compressed-sensing"]().operator((3, 64, 64), torch.Generator().manual_seed(0), None)
    with pytest.raises(ProblemError, match="no picture"):
        mixed(operator, operator(torch.zeros(1, 3, 64, 64)), 0.5, torch.zeros(1, 3, 64, 64))
    with pytest.raises(ParameterError, match="strength"):
        restore(photo, "denoise", strength=1.5)
