"""Text of others steers nothing: neither a terminal, nor a log, nor the direction of writing."""

import io
import logging
import pickle

import pytest

from inverse.errors import DivergenceError, ImageError, InverseError, ParameterError
from inverse.imaging.files import printable
from inverse.text import visible, visible_record

STEERING = ["\x1b", "\x07", "\r", "\x00", "\x9b", "\x7f", "\u202e", "\u2066", "\u200f", "\u061c", "\u2028", "\udc80"]


@pytest.mark.parametrize("character", STEERING, ids=ascii)
def test_what_steers_is_shown(character):
    text = visible(f"a{character}b\n", lines=True)
    assert character not in text and text.startswith("a\\") and text.endswith("b\n")
    assert "\n" not in visible("a\nb")
    for kind in (InverseError, ParameterError, ImageError):
        assert character not in str(kind(f"a{character}"))
    assert character not in str(DivergenceError(f"a{character}", None))


def test_other_text_stays_as_it_is():
    for text in ("Grüße, σ_y × 2 → 3", "日本語 עברית العربية", "👩\u200d🎨 [/x]", "a\\x1b"):
        assert visible(text) == text and str(ParameterError(text)) == text


def test_errors_travel_between_processes():
    error = pickle.loads(pickle.dumps(ParameterError("a\x1b")))
    assert isinstance(error, ParameterError) and str(error) == "a\\x1b"


def test_a_path_is_printable(tmp_path):
    assert printable(tmp_path / "a\x1b[2J\n.png").endswith("a\\x1b[2J\\n.png")


@pytest.fixture
def log():
    """What a handler without any settings writes, with our records."""
    stream, logger, usual = io.StringIO(), logging.getLogger("test_text"), logging.getLogRecordFactory()
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    logging.setLogRecordFactory(visible_record)
    yield logger, stream
    logging.setLogRecordFactory(usual)
    logger.removeHandler(handler)


def test_neither_messages_nor_tracebacks_steer_the_log(log):
    logger, stream = log
    logger.warning("one %s", "a\x1b[31m")
    logger.warning("two \x1b[31m")
    logger.warning("three %d of %d", 3, 5)
    try:
        raise KeyError("x") from ValueError("b\x1b]0;c\x07\u202e")
    except KeyError:
        logger.exception("four")
    text = stream.getvalue()
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
    assert (
        "one a\\x1b[31m\ntwo \\x1b[31m\nthree 3 of 5\nfour\n" in text
        and "Traceback" in text
        and "ValueError: b\\x1b]0;" in text
    )
