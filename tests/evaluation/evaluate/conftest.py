"""A small evaluation and the folder of its photos."""

import evaluations
import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("photos")


@pytest.fixture(scope="module")
def plan(folder):
    return evaluations.planned(folder, 4)


@pytest.fixture(scope="module")
def serial(plan, folder):
    """What becomes of each job, by its id."""
    return {outcome.line["id"]: outcome for outcome in evaluations.worked(plan, folder)}
