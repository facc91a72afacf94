"""A local Ray cluster of two workers gives what one process gives, also when a worker is killed."""

import os
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import evaluations
import pytest

from inverse.errors import PriorError
from inverse.evaluation.evaluate import cluster
from inverse.evaluation.evaluate.cluster import on_cluster
from inverse.results.record import METRICS

pytestmark = [pytest.mark.ray, pytest.mark.slow]
SAME = (*METRICS, "id", "nfe", "vjp", "failure", "pictures")


@pytest.fixture(autouse=True)
def two_workers(monkeypatch):
    pytest.importorskip("ray", reason="of the extra `ray`")
    monkeypatch.setattr(cluster.threads, "cores", lambda: 2)
    # Workers find the tests' modules where this process does.
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    )


def same(found, serial):
    lines = {outcome.line["id"]: outcome for outcome in found}
    assert len(found) == len(lines) == len(serial)  # each once
    for name, outcome in serial.items():
        assert {key: lines[name].line[key] for key in SAME} == {key: outcome.line[key] for key in SAME}
        assert lines[name].pictures == outcome.pictures


def test_the_records_are_those_of_one_process(plan, folder, serial):
    same(list(on_cluster(plan.jobs, folder.joinpath, evaluations.field, batch=3)), serial)


def test_what_a_killed_worker_had_is_done_again(plan, folder, serial, tmp_path):
    marker = tmp_path / "killed"
    found = list(on_cluster(plan.jobs, folder.joinpath, partial(evaluations.killed_once, marker), batch=3))
    assert marker.exists()
    same(found, serial)


def test_photos_and_priors_that_are_not_there_are_said_as_in_one_process(plan, folder):
    with pytest.raises(PriorError, match="Download it"):
        list(on_cluster(plan.jobs, folder.joinpath, evaluations.absent))
    lost = [replace(plan.jobs[0], photo="lost.png"), plan.jobs[1]]
    found = {outcome.line["id"]: outcome.line for outcome in on_cluster(lost, folder.joinpath, evaluations.field)}
    assert found[lost[0].id]["failure"] and not found[lost[1].id]["failure"]


def test_closed_in_the_middle_it_leaves_no_cluster(plan, folder):
    import ray

    with closing(on_cluster(plan.jobs, folder.joinpath, evaluations.field, batch=2)) as outcomes:
        next(outcomes)
        assert ray.is_initialized()
    assert not ray.is_initialized()
