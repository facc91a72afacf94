"""Work that takes much memory is done one at a time; other work does not wait for it."""

import threading

import pytest

from inverse.web.base.dear import MUCH, dear


def begun_beside(need):
    """Whether work of that need begins while work that takes much goes on."""
    begun = threading.Event()

    def work():
        with dear(need):
            begun.set()

    with dear(MUCH):
        other = threading.Thread(target=work)
        other.start()
        beside = begun.wait(0.2)
    other.join(20)
    assert begun.is_set(), "it begins in the end"
    return beside


@pytest.mark.parametrize(("need", "waits"), [(MUCH - 1, False), (MUCH, True), (float("inf"), True)])
def test_much_waits_for_much(need, waits):
    assert begun_beside(need) != waits


def test_work_that_fails_keeps_nobody_waiting():
    with pytest.raises(ZeroDivisionError), dear(MUCH):
        _ = 1 / 0
    assert not begun_beside(MUCH)
