"""The kinds of damage that may be found, or said: what they are called, what undoes them, what may be expected."""

from __future__ import annotations

from inverse.operators import Task, make_task

TITLES = {
    "missing": "Parts are missing",
    "scratched": "Scratched",
    "blurry": "Blurry",
    "small": "Too small",
    "grainy": "Grainy",
    "blocky": "Blocky (JPEG)",
    "grey": "Black and white",
    "faded": "Faded",
}
"""All that may be found, or said, in the order in which it is offered."""
HAPPENED = ("grey", "blurry", "small", "blocky", "missing", "scratched")
"""Those that a task undoes, in the order in which they happen to a photo; grain is the noise beside any task."""
EXPECTED = {
    "missing": "What fills the holes is invented to fit their surroundings. Small holes vanish; a missing face is not "
    "brought back.",
    "scratched": "Thin scratches usually vanish, and where nothing else is repaired, all other pixels stay as they "
    "are. Look at the mask before you restore: edges and wires are thin lines too.",
    "blurry": "A light blur sharpens well. Of a strong one outlines come back and fine detail does not; where parts of "
    "the photo are blurred differently, some of them suffer. Where the camera shook or something moved, "
    "the task deblur-kernel can tell the blur from the photo itself.",
    "small": "Edges and plain textures become crisp. Letters and faces of a few pixels become plausible, and not true.",
    "grainy": "Grain goes; the finest texture goes with it.",
    "blocky": "Blocks and halos go. Detail that the JPEG dropped is guessed, and colours can shift a little.",
    "grey": "Colours are guesses of what is likely, often pale. They say nothing about what the colours were.",
    "faded": "Nothing here undoes that: no detail is lost, and stretching the levels in any photo program brings the "
    "contrast back.",
}
"""What may be expected of a restoration, by kind."""
NOT_BY_ITSELF = ("grey", "faded")
"""What is found, and yet is no reason to change anything unless somebody says so."""


def usual(kind: str) -> Task:
    """The task that undoes what is said to be wrong, where the photo does not tell how much."""
    names = {
        "grey": "colorize", "blurry": "deblur-gaussian", "small": "super-resolution", "blocky": "jpeg",
        "missing": "inpaint-mask", "scratched": "inpaint-mask",
    }  # fmt: skip
    return make_task(names[kind], {"quality": 30} if kind == "blocky" else {"factor": 2} if kind == "small" else {})
