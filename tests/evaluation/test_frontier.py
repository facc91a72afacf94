"""The qualities against the default of before: what is compared, what is kept, and how it is summed up."""

import pytest

from inverse.evaluation import frontier
from inverse.evaluation.frontier import FORMER, TASKS, Row, chart, methods, rows, summary
from inverse.solvers.qualities import STANDARD


@pytest.mark.parametrize("task", TASKS)
def test_every_method_is_another_and_the_default_of_before_takes_thirty_calls_at_full_size(task):
    found = methods(task, 256)
    assert found[FORMER].solver.cost == (30, 0) and found[FORMER].passes == 30
    assert STANDARD in found and len({(each.solver, each.pyramid) for each in found.values()}) == len(found)
    assert found[STANDARD].passes < 11


def test_what_is_there_is_not_measured_again(tmp_path, photo, monkeypatch):
    monkeypatch.setattr(frontier, "held_out_photos", lambda: {"one": photo, "two": photo})
    monkeypatch.setattr(frontier, "methods", lambda task, size: few(methods(task, size)))
    file = tmp_path / "lines.jsonl"
    first = list(rows((32,), 1, file, ["x4"]))
    assert [row.method for row in first] == ["draft", "standard"] and {row.photo for row in first} == {"one"}
    assert first[0].passes < first[1].passes and all(row.psnr > 10 and row.seconds > 0 for row in first)
    monkeypatch.setattr(frontier, "measured", None)
    assert list(rows((32,), 1, file, ["x4"])) == first


def few(found):
    return {name: found[name] for name in ("draft", "standard")}


def test_a_line_compares_means_with_those_of_before():
    found = [
        Row("x4", 256, photo, method, passes, seconds, psnr, 1.0)
        for photo, better in (("a", 0.0), ("b", 10.0))
        for method, passes, seconds, psnr in ((FORMER, 30.0, 4.0, 20 + better), ("draft", 1.7, 1.0, 21 + better))
    ]
    lines = {line[2]: dict(zip(frontier.HEADS, line, strict=True)) for line in summary(found)}
    assert lines["draft"]["against former"] == "+1.00" and lines["draft"]["of former"] == "0.25"
    assert lines["draft"]["PSNR"] == "26.00" and lines[FORMER]["of former"] == "1.00"
    (_, _, before), (name, passes, gain) = chart(found, "x4").points
    assert before.value == 0 and (name, passes) == ("draft", 1.7)
    assert (gain.value, gain.error) == (1, 0), "photo by photo, so that what photos differ by is no error"
