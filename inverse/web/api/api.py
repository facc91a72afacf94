"""The app for programs: functions that go through the same validation and limits as the page.

Their docstrings are what a caller reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from gradio import FileData

from inverse import blind
from inverse.batch import grid
from inverse.batch.figure import FIGURES, of_sweep
from inverse.batch.sweep import Sweep
from inverse.blind import DEFAULT_SIZE
from inverse.errors import ParameterError
from inverse.imaging import images
from inverse.settings import DEGRADED, Settings
from inverse.settings.listing import listing
from inverse.web.api import answers
from inverse.web.api.answers import File, spoken_as_text
from inverse.web.api.asked import axis_of, job_of, path_of, understood
from inverse.web.base import limits
from inverse.web.base.dear import dear
from inverse.web.base.guards import uploaded, uploaded_photo
from inverse.web.elements.history import plain
from inverse.web.elements.photos import plain_name
from inverse.web.jobs import priors
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.diagnosing import diagnosed
from inverse.web.jobs.frames import Files
from inverse.web.jobs.fullsize import Full, FullJob
from inverse.web.jobs.job import Job
from inverse.web.jobs.offers import SAMPLES
from inverse.web.jobs.running import Latest


def degrade(
    photo: FileData, settings: dict[str, Any] | None = None, auxiliary: FileData | None = None
) -> tuple[FileData, dict[str, Any]]:
    """Degrade a clean photo: hide pixels, blur it, shrink it, add noise, compress it. Nothing is restored.

    Args:
        photo: The clean photo, an uploaded file: PNG, JPEG, WebP, BMP, TIFF, GIF or AVIF.
        settings: What to do to it, like {"task": "TASK", "sigma_y": 0.05, "size": 256, "seed": 0}, or with parameters {"task": {"name": "TASK", "parameters": {}}}. What is left out takes its default. The endpoint solvers lists all of it.
        auxiliary: The picture that some tasks need: a mask, white where the photo is missing, a blur kernel, or strokes of colour.

    Returns:
        The degraded photo as a PNG, and a record with the settings that were used and notes on what in them could not be honoured.
    """  # noqa: E501  (Gradio reads one line a parameter)
    with spoken_as_text():
        job, notes = job_of(photo, settings, auxiliary)
        if job.settings.degraded:
            raise ParameterError('mode must be "clean" here: this photo is to be degraded. Leave mode out.')
        problem = job.problem()
        notes += understood(problem)
        file = answers.png(problem.measurement, f"degraded-{problem.task.name}.png")
        return file, {"settings": plain(job.used), "sigma_y": problem.sigma_y, "notes": notes}


def restore(
    photo: FileData, settings: dict[str, Any] | None = None, auxiliary: FileData | None = None, prior: str = ""
) -> Iterator[tuple[FileData | None, dict[str, Any]]]:
    """Restore a photo with a diffusion model: fill in missing pixels, remove blur or noise, enlarge it. Streams records on the progress; the last one comes with the restored picture.

    Args:
        photo: The photo, an uploaded file: PNG, JPEG, WebP, BMP, TIFF, GIF or AVIF.
        settings: How, like {"mode": "degraded", "task": "DEGRADED", "solver": {"name": "SOLVER", "parameters": {"steps": 20}}, "seed": 0}. With the mode "degraded" the photo is restored as it is, with {"full_size": true} too at its own resolution, in the format that it came in; with "clean", the default, it is degraded first, and the result is compared with it. In the place of a solver a quality may be named, {"quality": "draft"}, "standard", "best" or "natural". What is left out takes its default or preset. The endpoint solvers lists all of it.
        auxiliary: The picture that some tasks need: a mask, white where the photo is missing, a blur kernel, or strokes of colour.
        prior: Name of the diffusion model, one of those that the endpoint solvers lists; empty for that of the settings, or the embedded one. One that is not on this server yet is downloaded first.

    Returns:
        The restored photo as a PNG that carries its settings (none until the end), and a record: phase, message, step, total, progress in percent, nfe (network evaluations), vjp (those with a backward pass), residual (in units of the noise), sometimes preview (a JPEG as a data URI); at the end seconds, samples (the PNG of every one), psnr and ssim of a clean photo (the mean over the samples), verdict (what can be said of it without the original: kind, level, text of each sentence, and remedy, a label and the changes of settings that may help, or null), the settings that were used, and notes on what in them could not be honoured.
    """  # noqa: E501
    with spoken_as_text():
        job, notes = job_of(photo, settings, auxiliary, prior)
    if isinstance(job, FullJob):
        yield from _at_full_size(job, notes)
        return
    with spoken_as_text():
        problem = job.problem()
        notes += understood(problem)
    name = f"{plain_name(path_of(photo))}-restored.png"
    latest = Latest(show=Files())
    with spoken_as_text(), closing(latest.follow(lambda: (job, problem))) as updates:
        for view, status in updates:
            far = answers.figures(latest, problem, status)
            record = {"phase": status["phase"], "message": status["message"], **far}
            frame = view and view["frame"]
            if frame and latest.record:
                files = [answers.saved(content, name) for content in frame["files"]]
                said = latest.verdict.to_dict() if latest.verdict else []
                ended = {**record, **latest.record.figures, "verdict": said, "samples": files}
                yield files[0], {**ended, "settings": plain(job.used), "notes": notes}
            else:
                yield None, {**record, "preview": frame and frame.get("preview")}


def _at_full_size(job: FullJob, notes: list[str]) -> Iterator[tuple[File | None, dict[str, Any]]]:
    """The same for a photo at its own resolution."""
    full = Full()

    def prepare() -> tuple[Job]:
        job.check()
        notes.extend(job.plan.notes)
        return (job,)

    with spoken_as_text(), closing(full.follow(prepare)) as updates:
        for view in updates:
            record = {"phase": view["phase"], "message": view["message"], "progress": view.get("progress", 0)}
            if view["phase"] != "done":
                yield None, record
                continue
            ended = {**record, **full.record, "settings": plain(job.used), "notes": notes}
            yield answers.file_at(Path(full.file)), ended


def sweep(
    photo: FileData,
    x: str,
    y: str = "",
    settings: dict[str, Any] | None = None,
    auxiliary: FileData | None = None,
    prior: str = "",
    figure: str = "",
) -> Iterator[tuple[FileData | None, dict[str, Any]]]:
    """Restore a photo over several values of one or two parameters, to see which are best. Streams a record whenever something happened; the last one has the table, and comes with the grid as a picture.

    Args:
        photo: The photo, an uploaded file: PNG, JPEG, WebP, BMP, TIFF, GIF or AVIF.
        x: A parameter and its values from column to column: steps=10,20,40 or sigma_max=1:40:4 or sigma_max=1:40:log 4. A parameter of the solver, of the task, seed, sigma_y, or prior with names of priors.
        y: The same from row to row; empty for a single row.
        settings: Everything else, as for the endpoint restore.
        auxiliary: The picture that some tasks need: a mask, white where the photo is missing, a blur kernel, or strokes of colour.
        prior: As for the endpoint restore.
        figure: svg or png, for a figure for print in place of the grid, with a caption that says every setting.

    Returns:
        The grid as a PNG, or the figure (none until the end), and a record: phase, message, finished, count, cell (index, the values on the axes, psnr, ssim, residual, nfe, vjp, cost (forward passes, with what backward passes cost beside them), seconds, failure, and preview, a JPEG as a data URI) whenever one is finished; at the end table (one entry a cell), csv, best (index of the best cell by each metric), settings and notes.
    """  # noqa: E501
    batch = Batch()
    with spoken_as_text():
        if figure not in ("", *FIGURES):
            raise ParameterError(f"figure must be one of {', '.join(FIGURES)}, or empty for the grid as a picture.")
        job, notes = job_of(photo, settings, auxiliary, prior)
        if job.settings.full_size:
            raise ParameterError("full_size is for the endpoint restore, and not for a sweep. Leave it out.")
        wanted = replace(job.used, samples=1)
        if wanted != job.used:
            notes.append("samples was left out: every run of a sweep is of one.")
        plan = Sweep(wanted, tuple(axis_of(wanted, name, text) for name, text in (("x", x), ("y", y)) if text != ""))
        views = batch.begin(job.several(plan.runs), {}, plan)
    told = 0
    with spoken_as_text(), closing(views):
        for view in views:
            record = {"phase": view["phase"], "message": view["message"], "count": len(plan.runs), "cell": None}
            fresh = view["cells"][told:]
            for cell in fresh:
                told += 1
                shown = {"preview" if name == "src" else name: entry for name, entry in cell.items()}
                told_of = {**answers.place(plan, cell), **shown}
                yield None, {**record, "phase": "running", "finished": told, "cell": told_of}
            if view["phase"] == "done":
                metric = "residual" if wanted.degraded else "psnr"
                if figure:
                    file = answers.saved(FIGURES[figure](of_sweep(plan, batch.done, metric)), f"sweep.{figure}")
                else:
                    file = answers.png(grid.picture(plan, batch.done, metric), "sweep.png", wanted.to_json())
                yield file, {**record, "finished": told, **answers.table(plan, batch), "notes": notes}
            elif not fresh:
                yield None, {**record, "finished": told}


def diagnose(photo: FileData) -> tuple[FileData | None, dict[str, Any]]:
    """Say what is wrong with a photo, in plain words, and which settings would restore it. Nothing is restored.

    Args:
        photo: The photo, an uploaded file: PNG, JPEG, WebP, BMP, TIFF, GIF or AVIF.

    Returns:
        A mask of what seems missing or scratched, white there, as a PNG to be looked at and edited (none where nothing does), and a record: width, height, sigma_y (noise), blur in pixels, jpeg (quality, subsampling, tables of the file), findings (kind, title, words, expectation of each), suggested (kinds that are worth a restoration), and settings for the endpoint restore, which takes the mask as auxiliary.
    """  # noqa: E501
    with spoken_as_text():
        file = uploaded(path_of(photo))
        found = diagnosed(file)
        mask = None if found.mask is None else answers.png(found.mask, f"{plain_name(path_of(photo))}-mask.png")
        return mask, {**found.to_dict(), "settings": plain(found.settings())}


def estimate_kernel(
    photo: FileData, size: int = DEFAULT_SIZE, full_size: bool = False
) -> tuple[FileData, dict[str, Any]]:
    """Tell from a blurred photo what blurred it, as a picture of its kernel for the task that takes one. Nothing is restored.

    Args:
        photo: The blurred photo, an uploaded file: PNG, JPEG, WebP, BMP, TIFF, GIF or AVIF. One blur lies over all of it.
        size: Side in pixels, 3 to 61, of the square within which a point was spread; a little larger than the blur looks.
        full_size: For a restoration with full_size; else the kernel is for the size at which restore uses the photo.

    Returns:
        The kernel as a PNG, what one bright point became, bright on black: to be looked at, edited, and given to restore as auxiliary. And a record: confidence (how similar the kernels are that two halves of the photo tell, from 0 to 1), words, and settings for the endpoint restore.
    """  # noqa: E501
    with spoken_as_text():
        settings = replace(Settings.create(mode=DEGRADED, task=blind.TASK), full_size=full_size)
        picture = images.load(uploaded(path_of(photo))) if full_size else uploaded_photo(path_of(photo))
        with dear(math.inf):
            found = blind.estimate_kernel(picture if full_size else Job(settings, picture).part, size)
        file = answers.png(found.image, f"{plain_name(path_of(photo))}-kernel.png")
        used = replace(settings, sigma_y=found.sigma_y)
        return file, {"confidence": found.confidence, "words": found.words, "settings": plain(used)}


def solvers() -> dict[str, Any]:
    """List what settings may say: tasks and solvers with their parameters, ranges, defaults and presets; and the priors.

    Returns:
        settings (what stands beside task and solver), tasks, solvers, priors (those on offer, and of one that cannot be used now the reason), limits of this server.
    """  # noqa: E501
    allowed = limits.current()
    return {
        **listing(),
        "priors": priors.listed(),
        "limits": {"max_side": allowed.side, "max_cells": allowed.cells, "max_samples": SAMPLES.high},
    }
