"""The page, and settings of a run."""

import pages
import pytest

from inverse.settings import CLEAN, Settings


@pytest.fixture(scope="session")
def page():
    return pages.built()


@pytest.fixture
def settings():
    return Settings.create(
        mode=CLEAN, size=128, task="denoise", task_parameters={}, sigma_y=0.1,
        solver="vml-map", solver_parameters={}, seed=3,
    )  # fmt: skip
