"""Errors in words for a page: nothing private, and no markup."""

import gradio as gr
import pytest
import torch

from inverse.operators import TASKS
from inverse.web.base.guards import spoken_errors


@pytest.mark.parametrize("error", [RuntimeError("/home/secret/path"), torch.OutOfMemoryError("CUDA 0")])
def test_unexpected_errors_tell_nothing_private(error):
    with pytest.raises(gr.Error) as caught, spoken_errors():
        raise error
    assert "secret" not in caught.value.message and caught.value.message.endswith(".")


def test_what_a_person_typed_is_shown_as_text_in_an_error():
    with pytest.raises(gr.Error) as caught, spoken_errors():
        TASKS.find("<img src=x onerror=alert(1)>")
    assert "<img" not in caught.value.message and "&lt;img" in caught.value.message
