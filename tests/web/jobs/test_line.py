"""The line before the device: places and times by the queue's own record."""

import time
from types import SimpleNamespace

import pytest

from inverse.web.jobs import line
from inverse.web.jobs.line import Line, Place, ordinal


def event(session, function=1):
    return SimpleNamespace(_id=f"{session}-{function}", session_hash=session, fn=SimpleNamespace(_id=function))


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(time=100.0)
    monkeypatch.setattr(time, "monotonic", lambda: now.time)
    return now


def test_place_and_time_follow_those_before(clock):
    made, (a, b, c) = Line(), map(event, "abc")
    for name, seconds in (("a", 30), ("b", 12), ("c", 5)):
        made.expect((name, 1), seconds)
    made.begin(a)
    assert made.place(("b", 1), [a], [b, c]) == Place(1, 30)
    assert made.place(("c", 1), [a], [b, c]) == Place(2, 42)
    clock.time += 10
    assert made.place(("c", 1), [a], [b, c]) == Place(2, 32)
    clock.time += 100
    assert made.place(("c", 1), [a], [b, c]) == Place(2, 13), "one that takes longer than expected may end any moment"
    made.end(a)
    made.begin(b)
    assert made.place(("c", 1), [b], [c]) == Place(1, 12)


def test_who_is_about_to_ask_is_last_and_who_does_not_wait_has_no_place(clock):
    made, a = Line(), event("a")
    assert made.place(("b", 1), [a], []) is None, "nobody asked"
    made.expect(("b", 1), 5)
    assert made.place(("b", 1), [a], [event("c")]) == Place(2, 2 * line.USUAL)
    assert made.place(("b", 2), [a], []) is None, "another of its buttons"
    assert made.place(("b", 1), [], []) is None, "nobody is before it"
    made.forget("b", 1)
    assert made.place(("b", 1), [a], []) is None


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(line, "MOST", 10)
    made = Line()
    for number in range(100):
        made.expect((str(number), 1), 1)
    assert len(made.expected) == 10 and ("99", 1) in made.expected
    made.forget("99")
    assert len(made.expected) == 9


def test_the_words_of_a_place():
    assert Place(1, 0.2).words == "Next in line, about 1 s."
    assert Place(2, 40.4).words == "2nd in line, about 40 s."
    assert Place(3, 200).words == "3rd in line, about 3 min."
    assert [ordinal(n) for n in (1, 11, 12, 13, 21, 22, 23, 24, 101, 111)] == [
        "1st", "11th", "12th", "13th", "21st", "22nd", "23rd", "24th", "101st", "111th",
    ]  # fmt: skip
