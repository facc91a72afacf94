"""Whatever is killed, no result is lost, none is counted twice, and the same command goes on."""

import json
import os
import random
import signal
import time
from collections import Counter

import evaluations
import pytest

from inverse.evaluation.evaluate import plan as plans
from inverse.evaluation.evaluate.results import LINES, PICTURES, Outcome, Results, read
from inverse.evaluation.evaluate.work import work


def lines(folder):
    """Whole lines of all files, with repetitions."""
    texts = [text for file in (folder / LINES).glob("*") for text in file.read_bytes().split(b"\n")[:-1]]
    return Counter(json.loads(text)["id"] for text in texts)


def go_on(plan, folder):
    with Results(folder) as results:
        for outcome in work(plans.left(plan.jobs, read(folder)), evaluations.PLACE.joinpath, evaluations.field):
            results.add(outcome)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is copied by fork")
def test_killed_at_random_moments_it_comes_to_its_end_with_every_job_once(tmp_path, monkeypatch):
    plan, folder, chance = evaluations.planned(tmp_path / "photos", 6), tmp_path / "run", random.Random(0)
    monkeypatch.setattr(evaluations, "PLACE", tmp_path / "photos", raising=False)
    evaluations.field()
    killed = 0
    while len(lines(folder)) < len(plan.jobs):
        child = os.fork()
        if not child:
            go_on(plan, folder)
            os._exit(0)
        enough = sum(lines(folder).values()) + chance.randint(1, 3)  # at least one, so that the test ends
        while sum(lines(folder).values()) < enough and os.waitpid(child, os.WNOHANG) == (0, 0):
            time.sleep(0.001)
        time.sleep(chance.random() * 0.02)
        try:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            killed += 1
        except (ProcessLookupError, ChildProcessError):
            pass
        for file in (folder / LINES).glob("*"):  # as if it had been killed in the middle of a line
            content = file.read_bytes()
            if content and chance.random() < 0.3 and file.stat().st_mtime_ns == max(
                each.stat().st_mtime_ns for each in (folder / LINES).glob("*")
            ):  # fmt: skip
                file.write_bytes(content[: -chance.randint(1, 30)])
    assert killed >= 2
    assert lines(folder) == Counter(job.id for job in plan.jobs)
    assert not plans.left(plan.jobs, read(folder))
    kept = {name for line in read(folder).values() for name in line["pictures"]}
    assert kept <= {path.name for path in (folder / PICTURES).iterdir()}


def test_a_line_that_is_cut_anywhere_is_no_result(tmp_path):
    with Results(tmp_path) as results:
        for name in "ab":
            results.add(Outcome({"id": name, "psnr": 20.5, "failure": "Grüße"}))
    (file,) = (tmp_path / LINES).glob("*")
    content = file.read_bytes()
    first = content.index(b"\n") + 1
    for end in range(len(content)):
        file.write_bytes(content[:end])
        assert set(read(tmp_path)) == ({"a"} if end >= first else set())


def test_every_process_has_a_file_of_its_own_and_the_first_line_of_a_job_counts(tmp_path):
    for number in range(3):
        with Results(tmp_path) as results:
            results.add(Outcome({"id": "a", "psnr": number}))
            results.add(Outcome({"id": str(number)}))
    assert len(list((tmp_path / LINES).glob("*"))) == 3
    assert set(read(tmp_path)) == {"a", "0", "1", "2"}


def test_a_line_comes_after_its_pictures(tmp_path, monkeypatch):
    with Results(tmp_path) as results, monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda *_: pytest.fail("a line without its picture"))
        with pytest.raises(TypeError):
            results.add(Outcome({"id": "a"}, {"a.png": "no bytes"}))
    assert not read(tmp_path)
