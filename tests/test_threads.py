"""The programs take the cores that are there and wait without spinning; what the user has set stays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inverse import threads
from inverse.evaluation import contention

ROOT = Path(__file__).parents[1]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Makes up control groups, and a machine of 16 cores; returns how many are found."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)

    def found(member, files):
        (tmp_path / "member").write_text(member)
        for name, text in files.items():
            path = tmp_path / "groups" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return threads.cores(tmp_path / "groups", tmp_path / "member")

    return found


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("200000 100000", 2), ("150000 100000", 2), ("5000 100000", 1), ("max 100000", 16), ("9900000 100000", 16)],
)
def test_a_containers_quota_bounds_the_cores(machine, quota, cores):
    assert machine("0::/\n", {"cpu.max": quota + "\n"}) == cores


def test_the_strictest_group_above_counts(machine):
    files = {"a/cpu.max": "400000 100000", "a/b/cpu.max": "max 100000", "c/cpu.max": "100000 100000"}
    assert machine("0::/a/b\n", files) == 4


@pytest.mark.parametrize("name", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(("quota", "cores"), [("300000", 3), ("-1", 16)])
@pytest.mark.parametrize("seen", ["", "docker/0f/"])
def test_version_1_counts_too_seen_from_inside_and_from_outside(machine, name, quota, cores, seen):
    files = {f"{name}/{seen}cpu.cfs_quota_us": quota + "\n", f"{name}/{seen}cpu.cfs_period_us": "100000\n"}
    member = f"9:memory:/docker/0f\n4:{name}:/docker/0f\n3:cpuset:/\n0::/\n"
    assert machine(member, files) == cores


@pytest.mark.parametrize("text", ["", "abc", "1 2 3", "100000 0", "-5 100000", "\x00"])
def test_what_cannot_be_understood_is_no_bound(machine, text):
    assert machine("nonsense\n0::/\n", {"cpu.max": text}) == 16


def test_cores_that_the_process_may_not_run_on_do_not_count(machine, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 7, 11}, raising=False)
    assert machine("0::/\n", {"cpu.max": "max 100000"}) == 3


def test_where_nothing_is_told_every_core_counts(machine, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert threads.cores(Path("/nowhere"), Path("/nowhere")) == 6


@pytest.mark.parametrize(
    "set_by_the_user",
    [{"OMP_WAIT_POLICY": "ACTIVE"}, {"OMP_NUM_THREADS": "7"}, {"OMP_WAIT_POLICY": "ACTIVE", "OMP_NUM_THREADS": "7"}],
)
def test_what_the_user_has_set_stays(set_by_the_user):
    environment = dict(set_by_the_user)
    threads.settle(environment)
    expected = {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": str(threads.cores()), **set_by_the_user}
    assert environment == expected


def test_the_threads_of_mkl_are_the_users_too():
    environment = {"MKL_NUM_THREADS": "1"}
    threads.settle(environment)
    assert "OMP_NUM_THREADS" not in environment


def test_a_library_leaves_the_environment_alone():
    said = python("import os, inverse.restoration; print({name for name in os.environ if 'OMP' in name})")
    assert said == "set()"


@pytest.mark.parametrize(("cores", "chosen"), [(1, {}), (2, {"OMP_NUM_THREADS": "1"}), (2, {"MKL_NUM_THREADS": "1"})])
def test_torch_takes_what_was_settled(cores, chosen):
    """One thread is what every machine can have; where there are more cores, torch takes more unless it is told."""
    settled = f"from inverse import threads; threads.cores = lambda: {cores}; threads.settle()"
    assert python(f"{settled}; import torch; print(torch.get_num_threads())", **chosen) == "1"


PROGRAMS = {
    "app.py": ["app.py"],
    "python -m inverse": ["-m", "inverse", "solvers", "dps"],
    "python -m inverse app": ["-m", "inverse", "app"],
}
SEEN = """
import importlib.abc, os, runpy, sys

class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print(os.environ.get("OMP_WAIT_POLICY"), os.environ.get("OMP_NUM_THREADS"), flush=True)
            os._exit(0)

sys.meta_path.insert(0, Watch())
sys.argv = sys.argv[1:]
if sys.argv[0] == "-m":
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__")
else:
    runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_settles_before_torch_is_loaded(name):
    assert python(SEEN, *PROGRAMS[name]) == f"PASSIVE {threads.cores()}"


def test_the_bench_compares_both_policies_alone_and_beside_a_busy_process(monkeypatch):
    made, began = "import os; print(1.0 if os.environ.get('OMP_WAIT_POLICY') == 'PASSIVE' else 2.0)", []
    start = subprocess.Popen

    def watched(command, **options):
        began.append(start(command, **options))
        return began[-1]

    monkeypatch.setattr(contention, "RESTORATION", made)
    monkeypatch.setattr(subprocess, "Popen", watched)
    table = contention.table()
    assert [list(column.cells) for column in table.columns] == [["passive", "spinning"], *[["1.00", "2.00"]] * 2]
    busy = [process for process in began if "while True" in process.args[-1]]
    assert len(busy) == 2 and all(process.returncode is not None for process in busy), "none stays behind"


def python(code, *arguments, **environment):
    """What a process says that inherits nothing about threads."""
    bare = {name: text for name, text in os.environ.items() if "OMP" not in name and "MKL" not in name}
    command = [sys.executable, "-c", code, *arguments]
    environment = {**bare, "PYTHONPATH": str(ROOT), **environment}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()
