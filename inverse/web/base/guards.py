"""What comes from outside: files by path; and errors on their way to the visitor."""

from __future__ import annotations

import html
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from PIL import Image

from inverse.errors import ImageError, InverseError
from inverse.imaging import images
from inverse.operators import Task
from inverse.web.base import limits
from inverse.web.base.dear import dear
from inverse.web.base.gradio_internals import upload_folder
from inverse.web.base.turns import Superseded

log = logging.getLogger(__name__)

MAX_STORED_SIDE = 2048
"""Photos are kept at this longer side at most."""


def uploaded_photo(path: Any) -> Image.Image:
    """The picture at a path that a browser sent back after an upload.

    Raises:
        ImageError: the path is not a file that was uploaded to this app, or is not a usable picture.
    """
    return decoded(uploaded(path))


def decoded(photo: images.Photo) -> Image.Image:
    """A picture of a visitor's: a file of a few kilobytes may take hundreds of megabytes meanwhile.

    Raises:
        ImageError: it is not a usable picture.
    """
    with dear(math.inf):
        return images.load(photo, max_side=MAX_STORED_SIDE)


def uploaded_helper(path: Any, task: Task) -> Image.Image:
    """The picture that a task needs besides the photo, uploaded; ImageError as in `uploaded_photo`, and of the task."""
    return task.load(uploaded(path), MAX_STORED_SIDE)


def uploaded_bytes(path: Any) -> bytes:
    """The content of a file that was uploaded to this app; ImageError as in `uploaded_photo`."""
    return uploaded(path).read_bytes()


def uploaded(path: Any) -> Path:
    """The file at a path that a client sent back after an upload; ImageError as in `uploaded_photo`."""
    refusal = ImageError("This is not a file that was uploaded here. Upload the photo again.")
    if not isinstance(path, str) or not path or "\0" in path or len(path) > 1000:
        raise refusal
    folder = upload_folder().resolve()
    try:
        file = Path(path).resolve(strict=True)
    except OSError:
        raise refusal from None
    if not file.is_relative_to(folder) or not file.is_file():
        raise refusal
    size = file.stat().st_size
    if size == 0:
        raise ImageError("This file is empty. Save the photo again and upload that.")
    if size > limits.current().body * 2**20:
        raise ImageError(f"This file is larger than {limits.current().body} MB. Save the photo smaller.")
    return file


@contextmanager
def spoken_errors() -> Iterator[None]:
    """Turns every error into a toast: our own sentences as they are, all else as one that tells nothing private."""
    try:
        yield
    except (gr.Error, Superseded):
        raise
    except InverseError as error:
        raise toast(str(error)) from error
    except torch.OutOfMemoryError as error:
        log.exception("out of memory")
        raise toast("The device ran out of memory. Choose a smaller size or photo, or fewer samples.") from error
    except Exception as error:
        log.exception("unexpected error in a handler")
        raise toast(
            "Something went wrong inside the program. Try again, or with other settings; the server's log says more."
        ) from error


def said(error: Exception) -> str:
    """The sentence of an error, for where text is shown as text."""
    return html.unescape(error.message) if isinstance(error, gr.Error) else str(error)


def toast(sentence: str) -> gr.Error:
    """An error for the visitor. Gradio shows messages as HTML, and a sentence may quote what somebody typed."""
    return gr.Error(html.escape(sentence, quote=False), duration=12, print_exception=False)
