"""What of the measurement is not explained."""

import pytest
import torch

from inverse.operators import TASKS
from inverse.restoration import degrade
from inverse.results.misfit import misfit

PLAIN = [name for name, kind in TASKS.items() if not kind.auxiliary]


@pytest.mark.parametrize("task", PLAIN)
def test_of_the_truth_only_noise_is_left_with_standard_deviation_one(task, photo):
    problem = degrade(photo, task, size=64, sigma_y=0.03)
    values = misfit(problem, problem.truth[0]).values
    known = values[~values.isnan()]
    assert known.std() == pytest.approx(1, abs=0.12 if problem.operator.linear else 0.25)
    assert abs(known.mean()) < 0.25


@pytest.mark.parametrize("task", PLAIN)
def test_what_is_missed_stands_out(task, photo):
    problem = degrade(photo, task, size=64, sigma_y=0.03)
    wrong = problem.truth[0].clone()
    wrong[:, 16:40, 16:48] *= 0.3
    right, missed = (misfit(problem, x).values for x in (problem.truth[0], wrong))
    known = ~missed.isnan()
    assert missed[known].square().mean() > 1.5 * right[known].square().mean()


def test_it_is_signed_and_says_what_was_not_measured(photo):
    problem = degrade(photo, "inpaint-half", task_parameters={"half": "left"}, size=64, sigma_y=0.02)
    darker = misfit(problem, problem.truth[0] - 0.2).values
    width = darker.shape[1]
    assert darker[:, : width // 2].isnan().all() and not darker[:, width // 2 :].isnan().any()
    assert darker[:, width // 2 :].mean() > 5, "the measurement is brighter than the estimate explains"


def test_a_measurement_without_noise_and_an_estimate_that_is_not_finite_give_a_picture(photo):
    problem = degrade(photo, "denoise", size=64, sigma_y=0.0)
    for x in (problem.truth[0], torch.full_like(problem.truth[0], torch.nan)):
        assert misfit(problem, x).image.size == (82, 64)


def test_a_measurement_that_is_no_picture_says_so(photo):
    problems = [degrade(photo, task, size=64) for task in PLAIN]
    told = {each.task.name for each in problems if "no picture" in misfit(each, each.truth[0]).words}
    assert told == {"compressed-sensing", "phase-retrieval"}
