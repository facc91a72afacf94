"""The plan: jobs are known by what they are, a plan is written once, and shards share it out."""

import shutil
from dataclasses import replace

import evaluations
import pytest
from hypothesis import given
from hypothesis import strategies as st

import inverse
from inverse.errors import ImageError, InverseError, OutputError, ParameterError
from inverse.evaluation.evaluate import plan as plans
from inverse.evaluation.evaluate.job import Job
from inverse.evaluation.evaluate.protocols import PROTOCOLS
from inverse.operators import make_task

EMBEDDED = {"embedded": ("embedded", True)}


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return evaluations.planned(tmp_path_factory.mktemp("photos"))


def test_a_job_is_known_by_the_photos_content_and_the_settings_alone(plan, monkeypatch):
    ids = {job.id for job in plan.jobs}
    assert len(ids) == len(plan.jobs) == 3 * 2 * 2
    job = plan.jobs[0]
    for changes in ({"seed": 1}, {"samples": 2}, {"size": 32}, {"sigma_y": 0.051}):
        assert replace(job, settings=replace(job.settings, **changes)).id not in ids
    assert Job("another name", job.digest, job.settings).id == job.id
    assert replace(job, digest="0" * 64).id != job.id
    monkeypatch.setattr(inverse, "__version__", "9.9")
    assert Job(job.photo, job.digest, job.settings).id == job.id


def test_a_plan_is_read_as_it_was_written_and_is_written_once(plan, tmp_path):
    found = plan.written(tmp_path)
    assert found == plan == plans.read(tmp_path)
    before = (tmp_path / plans.FILE).stat().st_mtime_ns
    assert plan.written(tmp_path) == plan and (tmp_path / plans.FILE).stat().st_mtime_ns == before
    with pytest.raises(OutputError, match=r"another evaluation.*--out"):
        replace(plan, jobs=plan.jobs[1:]).written(tmp_path)
    assert plans.read(tmp_path) == plan


def test_a_plan_that_is_damaged_or_of_other_settings_is_refused(plan, tmp_path):
    with pytest.raises(ParameterError, match=r"no evaluation.*--images"):
        plans.read(tmp_path)
    plan.written(tmp_path)
    file = tmp_path / plans.FILE
    text = file.read_text()
    for damaged in (
        text[:-20],
        "".join(text.splitlines(keepends=True)[:-1]),
        "[]\n",
        text.replace('"seed": 0', '"seed": 1'),
    ):
        file.write_text(damaged)
        with pytest.raises(ParameterError):
            plans.read(tmp_path)


@given(n=st.integers(1, 30))
def test_shards_are_disjoint_complete_and_of_equal_size(plan, n):
    parts = [plans.shard(plan.jobs, f"{i}/{n}") for i in range(1, n + 1)]
    every = [job.id for part in parts for job in part]
    assert sorted(every) == sorted(job.id for job in plan.jobs)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", "1/3/5", "-1/3"])
def test_a_shard_that_is_none_is_refused(plan, text):
    with pytest.raises(ParameterError, match="i/n"):
        plans.shard(plan.jobs, text)


def test_what_does_not_fit_is_left_out_and_said(tmp_path):
    photos = evaluations.photos(tmp_path, 1)
    tasks = [(make_task("jpeg"), {}), (make_task("denoise"), {})]
    jobs, notes = plans.jobs_of(photos, tasks, [plans.Choice("ddrm")], EMBEDDED, size=16)
    assert [job.settings.task.name for job in jobs] == ["denoise"] and "ddrm" in notes[0] and "jpeg" in notes[0]
    with pytest.raises(ParameterError, match="Nothing is left"):
        plans.jobs_of(photos, tasks[:1], [plans.Choice("ddrm")], EMBEDDED, size=16)


def test_a_copy_of_a_photo_counts_once(tmp_path):
    evaluations.photos(tmp_path, 2)
    shutil.copy(tmp_path / "0.png", tmp_path / "z.png")
    jobs, notes = plans.jobs_of(plans.photos_in(tmp_path), evaluations.TASKS, [], EMBEDDED, size=16)
    assert {job.photo for job in jobs} == {"0.png", "1.png"} and "z.png is a copy of 0.png" in notes[0]


def test_a_folder_without_photos_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ImageError):
            plans.photos_in(folder)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocols_tasks_are_possible_for_its_solvers(name, tmp_path):
    protocol = PROTOCOLS[name]
    photos = evaluations.photos(tmp_path, 1)
    kind = "latent" if "stable-diffusion" in protocol.prior else "ddpm"
    try:
        jobs, notes = plans.jobs_of(
            photos, [(task, {}) for task in protocol.tasks], protocol.solvers, {"p@" + "0" * 40: (kind, False)},
            size=protocol.size, sigma_y=protocol.sigma_y,
        )  # fmt: skip
    except InverseError as error:
        pytest.fail(str(error))
    assert not notes and len(jobs) == len(protocol.tasks) * len(protocol.solvers)
