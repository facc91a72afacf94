"""How long runs are said to take."""

import time

import pytest

from inverse.denoisers.catalog import load_prior
from inverse.settings import Settings
from inverse.web.jobs import pace
from inverse.web.jobs.pace import Pace

SHORT, LONG = (Settings.create(task="denoise", solver="diffpir", solver_parameters={"steps": n}) for n in (3, 20))


@pytest.fixture
def measurements(monkeypatch):
    """What the next measurements find, and a clock that the test turns."""
    found, clock = [], [0.0]
    monkeypatch.setattr(pace, "seconds_per_pixel", lambda denoiser: found.pop(0))
    monkeypatch.setattr(pace.time, "monotonic", lambda: clock[0])
    return found, clock


def test_a_measurement_is_the_time_of_a_pass():
    begun = time.perf_counter()
    assert 0 < 3 * pace.seconds_per_pixel(load_prior()) * 128 * 128 <= time.perf_counter() - begun


def test_the_expected_time_grows_with_runs_and_pixels(measurements):
    measurements[0].append(1e-6)
    here = Pace()
    one = here.seconds([LONG], (32, 32))
    assert here.seconds([LONG] * 3, (64, 32)) == pytest.approx(6 * one) and one > 0


def test_a_slow_moment_is_measured_again_and_the_fastest_counts(measurements):
    found, clock = measurements
    found.extend([1e-5, 1e-6, 4e-6])
    here = Pace()
    slow = here.seconds([LONG], (32, 32))
    assert here.seconds([LONG], (32, 32)) == slow  # it holds for a moment
    clock[0] += pace.MEASURED_AGAIN
    assert here.seconds([LONG], (32, 32)) == pytest.approx(slow / 10)
    clock[0] += pace.MEASURED_AGAIN
    assert here.seconds([LONG], (32, 32)) == pytest.approx(slow / 10)
    assert not found


def test_the_next_run_is_expected_to_be_as_fast_as_the_last(measurements):
    measurements[0].append(1.0)
    here = Pace()
    here.learn([LONG] * 2, (64, 64), 6.0)
    assert here.seconds([LONG], (64, 64)) == pytest.approx(3.0)
    here.learn([SHORT], (64, 64), 100.0)  # hardly more than its preparations
    assert here.seconds([LONG], (64, 64)) == pytest.approx(3.0)
    assert measurements[0]
