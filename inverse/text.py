"""Text that others wrote, made fit for a terminal, a log and a page: what would steer them is shown, not sent."""

from __future__ import annotations

import logging
import re
import traceback
from typing import Any

# Control characters (ESC among them), surrogates, separators of lines, and what turns the direction of writing:
# Unicode Technical Report 36, "Unicode Security Considerations".
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str, *, lines: bool = False) -> str:
    r"""The text with every character that steers a terminal, a line or the direction of writing as its escape, `\x1b`.

    With `lines`, line ends and tabs stay, for a text that is ours as a whole.
    """

    def escaped(match: re.Match[str]) -> str:
        return match[0] if lines and match[0] in "\n\t" else match[0].encode("unicode_escape").decode()

    return _STEERING.sub(escaped, text)


def visible_record(*arguments: Any, **settings: Any) -> logging.LogRecord:
    """A record of a log whose message and traceback are `visible`, for `logging.setLogRecordFactory`."""
    record = logging.LogRecord(*arguments, **settings)
    try:
        message = record.getMessage()
    except (TypeError, ValueError, KeyError):  # the handler will tell of it
        return record
    if message != visible(message, lines=True):
        record.msg, record.args = visible(message, lines=True), ()
    if record.exc_info and record.exc_info[0] is not None:
        # Formatters take a text that is there already.
        record.exc_text = visible("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"), lines=True)
    return record
