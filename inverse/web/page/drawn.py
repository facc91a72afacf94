"""The pictures that a task needs besides the photo: a mask on the pad, and what is uploaded."""

from __future__ import annotations

import html
import math

import gradio as gr
from PIL import Image, ImageChops

from inverse import blind
from inverse.diagnosis import find_scratches
from inverse.errors import ProblemError
from inverse.imaging import images, masks, strokes
from inverse.operators.deblurring import MAX_KERNEL
from inverse.settings import Settings
from inverse.web.base.dear import dear
from inverse.web.base.guards import uploaded_helper, uploaded_photo
from inverse.web.base.pictures import jpeg, mask_uri, png, strokes_uri
from inverse.web.elements.controls import Values
from inverse.web.jobs.job import Job
from inverse.web.page import form
from inverse.web.page.page import Page, Updates


def receive_mask(page: Page, values: Values) -> Updates:
    """A mask picture was uploaded, or scratches are to be found; the pad shows them, and can be brushed on."""
    task, value = form.damage(page, values), values[page.mask] or {}
    settings, photo = form.settings(page, values), form.chosen_photo(page, values)
    if "find" in value:
        mask = find_scratches(photo)
        if not mask.getbbox():
            gr.Info("No scratches were found. Brush over what is damaged.", duration=8)
        drawn = form.auxiliary_picture(page, values)
        if drawn is not None:
            mask = ImageChops.lighter(mask, drawn.convert("L").resize(mask.size, Image.Resampling.NEAREST))
    else:
        mask = uploaded_helper(value.get("path"), task)
    uri, coarser = mask_uri(on_pad(mask, settings, photo))
    if coarser:
        gr.Warning("This mask has more detail than can be sent with every change, and is used a little coarser.")
    return {page.mask: {"mask": uri, "load": True}}


def receive_strokes(page: Page, values: Values) -> Updates:
    """A picture of strokes was uploaded; the pad shows them, and can be painted on.

    Raises:
        ProblemError: it is of another shape than the photo.
    """
    picture = uploaded_helper((values[page.strokes] or {}).get("path"), form.damage(page, values))
    size = Job(form.settings(page, values), form.chosen_photo(page, values)).image_shape
    uri, coarser = strokes_uri(strokes.at(picture, size))
    if coarser:
        gr.Warning("These strokes have more detail than can be sent with every change, and are used a little coarser.")
    return {page.strokes: {"mask": uri, "load": True}}


def on_pad(mask: Image.Image, settings: Settings, photo: Image.Image | None) -> Image.Image:
    """A mask at the size at which its photo is used, where nothing thin is lost.

    Raises:
        ProblemError: it is of another shape than the photo.
    """
    if photo is None:
        return mask
    return images.to_image(2 * masks.fitted(mask, Job(settings, photo).image_shape).expand(3, -1, -1) - 1)


def receive_picture(page: Page, values: Values) -> Updates:
    """Another picture that the task needs was uploaded."""
    kind = form.damage(page, values).auxiliary
    picture = uploaded_photo(values[page.picture_upload])
    words = f"{kind.capitalize()} of {picture.width} × {picture.height} pixels."
    return {page.auxiliary: {**values[page.auxiliary], kind: picture}, page.picture_note: shown(picture, words)}


def estimate_kernel(page: Page, values: Values) -> Updates:
    """The kernel that a blurred photo tells, at the size at which it is used, and the noise to restore by.

    Raises:
        ProblemError: the photo is not blurred yet, or does not tell its blur.
    """
    job = Job(form.settings(page, values), form.chosen_photo(page, values))
    if not job.settings.degraded:
        raise ProblemError(
            "This photo counts as clean, and is blurred here by the kernel that you upload. Choose Damaged for a photo "
            "that is blurred already."
        )
    with dear(math.inf):
        found = blind.estimate_kernel(job.part)
    height, width = job.image_shape
    words = (
        f"{found.words} It is for the photo at {width} × {height} pixels. To edit it, save it, paint black what is no "
        "blur, and upload it."
    )
    return {
        page.auxiliary: {**values[page.auxiliary], "kernel": found.image},
        page.picture_note: shown(found.image, words),
        page.settings["sigma_y"]: found.sigma_y,
        page.sigma_y_note: "The noise of the photo, and what the estimated kernel gets wrong.",
    }


def shown(picture: Image.Image, words: str) -> str:
    """A small picture enlarged, to be saved by a click, with words beside it, as HTML."""
    uri = png(picture.convert("L")) if max(picture.size) <= MAX_KERNEL else jpeg(picture)
    picture_words = f"the picture of {picture.width} × {picture.height} pixels"
    return (
        f'<a class="inv-kernel" href="{uri}" download="kernel.png" title="Save {picture_words}">'
        f'<img src="{uri}" alt="{picture_words}, enlarged"></a>{html.escape(words)}'
    )
