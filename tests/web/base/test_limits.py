"""Every limit is in one object, can be set from outside, and is documented."""

import re
from pathlib import Path

import pytest

from inverse.errors import ParameterError
from inverse.web.base import limits
from inverse.web.base.limits import Limits

ROOT = Path(__file__).parents[3]


def test_the_environment_sets_every_limit():
    for name, spec in Limits.specs().items():
        value = spec.low + 1
        made = Limits.from_environment({limits.variable(name): f" {value} "})
        assert getattr(made, name) == value
        untouched = [other for other in Limits.specs() if other != name]
        assert all(getattr(made, other) == getattr(Limits.from_environment({}), other) for other in untouched)


@pytest.mark.parametrize("nonsense", ["x", "-1", "0", "nan", "inf", "1e99", "1.5", "true", "[5]", "16 MB"])
def test_nonsense_ends_in_a_sentence_that_names_the_variable(nonsense):
    for name, spec in Limits.specs().items():
        with pytest.raises(ParameterError, match=f"^{limits.variable(name)} must be a whole number from {spec.low} to"):
            Limits.from_environment({limits.variable(name): nonsense})


def test_a_misspelt_limit_is_not_passed_over(monkeypatch):
    monkeypatch.setenv("APP_MAX_SIDES", "400")
    limits.current.cache_clear()
    with pytest.raises(ParameterError, match="APP_MAX_SIDES is no limit"):
        limits.current()


def test_nonsense_ends_the_program_with_the_sentence_and_without_a_traceback(monkeypatch):
    from inverse.web import build

    monkeypatch.setenv("APP_MAX_QUEUE", "many")
    limits.current.cache_clear()
    with pytest.raises(SystemExit, match="APP_MAX_QUEUE must be"):
        build()


def test_the_readme_shows_every_limit_as_it_is():
    assert limits.table() in (ROOT / "README.md").read_text(encoding="utf-8"), "run: python -m inverse.web.base.limits"


def test_the_summary_names_every_limit_and_no_other_code_reads_the_environment():
    assert all(f"{name} " in Limits().summary for name in Limits.specs())
    reads = [file for file in (ROOT / "inverse").rglob("*.py") if re.search(r"environ|getenv", file.read_text())]
    others = {
        "cluster.py",
        "folder.py",
        "__init__.py",
        "device.py",
        "threads.py",
        "contention.py",
        "measure.py",
        "port.py",
        "server.py",
        "origins.py",
        "app.py",
        "priors.py",
    }
    assert {file.name for file in reads} <= {"limits.py", *others}


@pytest.fixture(autouse=True)
def _read_again():
    yield
    limits.current.cache_clear()
