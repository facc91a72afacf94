"""`python -m inverse restore`."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from inverse.cli import fullsize
from inverse.cli.command import GroupedCommand
from inverse.cli.kernel import kernel_options, told
from inverse.cli.many import STREAM, Place, found, is_folder, line, mask_of, piped, planned, restored
from inverse.cli.options import damage_options, setting_options
from inverse.cli.places import apart, check_output, save_picture
from inverse.cli.run import chosen, run_options
from inverse.cli.terminal import Description, Terminal
from inverse.denoisers.catalog import load_prior
from inverse.errors import DivergenceError, OutputError
from inverse.imaging import images, metrics
from inverse.imaging.files import printable, unwritable
from inverse.imaging.jpeg_tables import tables_of
from inverse.results.problem import Problem
from inverse.results.record import Record
from inverse.results.spread import Spread
from inverse.settings import Settings
from inverse.solvers import Step
from inverse.solvers.advice import advice_for
from inverse.verdicts import Finding, verdict
from inverse.verdicts.finding import BAD, DOUBT, GOOD, TASK

MARKS = {GOOD: "+", DOUBT: "?", BAD: "!"}
"""Before each sentence of the verdict, by its level."""


@run_options
@click.command(cls=GroupedCommand)
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...", type=click.Path(path_type=Path, allow_dash=True))
@damage_options
@setting_options()
@click.option("--overwrite", is_flag=True, help="With several photos: restore those anew whose results are there.")
@click.option("--json", "lines", is_flag=True, help="Tell of every photo in a line of JSON on the standard output.")
@click.option("--save-frames", type=click.Path(path_type=Path, file_okay=False), help="Write every step in here.")
@click.option("--save-measurement", type=click.Path(path_type=Path), help="Write what the solver was given.")
@click.option("--estimator", type=click.Path(path_type=Path), help="A conditional estimator that `train estimator` "
              "wrote. Default: the one that ships with the prior.")  # fmt: skip
@click.option("--estimate-kernel", is_flag=True, help="For deblur-kernel: tell from the blurred photo itself what "
               "blurred it, all of it in one way. `estimate-kernel` shows and writes it.")  # fmt: skip
@kernel_options
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@click.pass_context
def restore(
    context: click.Context, photos: tuple[Path, ...], output: Path, overwrite: bool, lines: bool, **values: Any
) -> None:
    """Restores PHOTO and writes the result to a file; a PNG carries its settings.

    Without --degraded the photo counts as clean: it is degraded first, and the result is compared with it. With several
    --samples every one gets a file, and so do their mean and their spread.

    Of several photos, or a folder with them, the results go into the folder OUTPUT, under the photos' names. What is
    there already is not made again, so that the same command goes on where it was ended. A photo that fails does not
    end the rest; the exit status is then 1. With --mask a folder, each photo has the mask of its own name.

    - stands for a photo that is piped in, and for a PNG that is piped out.
    """
    console = Terminal(stderr=True, quiet=values["quiet"])
    tell = line if lines else lambda record: None
    if lines and output == STREAM:
        raise OutputError("The standard output cannot hold both the picture and --json. Write one of them to a file.")
    if len(photos) == 1 and not is_folder(photos[0]) and not (is_folder(output) and output != STREAM):
        if output == STREAM and values["samples"] > 1:
            raise OutputError("The standard output holds one picture, and these are several samples. Name a file.")
        with piped(photos[0], output) as place:
            record = _restored(context, place.photo, place.output, **values)
        tell({"photo": str(photos[0]), "output": str(output), "status": "restored", **record})
        return
    if STREAM in (*photos, output):
        raise OutputError("- stands for a single photo. Name files, or pipe them in one at a time.")
    for name in ("save_frames", "save_measurement"):
        if values[name] is not None:
            raise OutputError(f"--{name.replace('_', '-')} is for a single photo. Leave it out, or name one photo.")
    samples = chosen(context, values)[0].samples  # what is wrong with the flags is wrong for all
    places, masks = planned(found(photos), output), values.pop("auxiliary")

    def there(place: Place) -> bool:
        return not overwrite and all(path.exists() for path in _outputs(place.output, samples))

    def one(place: Place) -> dict[str, Any]:
        own = mask_of(place.photo, masks)
        return _restored(context, place.photo, place.output, auxiliary=own, **values)

    if not restored(places, one, there, console, tell):
        context.exit(1)


def _restored(
    context: click.Context, photo: Path, output: Path, device: str | None, precision: str, save_frames: Path | None,
    save_measurement: Path | None, allow_pickle: bool, compiled: bool, estimator: Path | None, quiet: bool,
    **values: Any,
) -> dict[str, Any]:  # fmt: skip
    """Restores a photo; returns what there is to tell of it, as plain data."""
    console = Terminal(stderr=True, quiet=quiet)
    inputs = photo, values["auxiliary"], values["settings"]
    asked, notes = chosen(context, values)
    for note in notes:
        console.print(note)
    for path in filter(None, {output, *_outputs(output, asked.samples), save_measurement}):
        check_output(path, *inputs)
    if save_measurement is not None:
        apart(save_measurement, output, *_outputs(output, asked.samples))
    fullsize.check(asked, save_frames, save_measurement)
    asked, auxiliary = told(photo, asked, values)
    if asked.full_size:
        prior = load_prior(values["prior"], device, precision, allow_pickle=allow_pickle, compiled=compiled)
        guided = asked.guided(prior, estimator)
        return fullsize.restore(console, photo, auxiliary, asked, guided, output)
    picture = images.load(photo)
    problem = asked.problem(picture, auxiliary)
    run = asked.settled(picture, problem)
    run = run if auxiliary is None else run.with_auxiliary(auxiliary)
    degraded, settings, seed, samples = run.degraded, run.solver, run.seed, run.samples
    prior = load_prior(values["prior"], device, precision, allow_pickle=allow_pickle, compiled=compiled)
    denoiser = run.guided(prior, estimator)
    if save_frames is not None:
        _make_folder(save_frames)
    if save_measurement is not None:
        save_picture(problem.measurement, save_measurement)
    origin = "as it is" if degraded else "degraded first; --degraded if it already is"
    head = f"{problem.task.title}, {settings.title}", advice_for(problem.task, settings.name, kind=denoiser.kind)
    console.print("\n".join(filter(None, head)))
    console.print(f"{printable(Path(photo.name))}: {origin}, sigma_y {problem.sigma_y:.3g}{_understood(problem)}")
    start = time.perf_counter()
    with Progress(Description(), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console) as progress:
        bar = progress.add_task("", total=settings.total)
        try:
            for step in problem.steps(settings, denoiser, seed, samples):
                progress.update(bar, completed=step.index, description=_describe(problem, step))
                if save_frames is not None:
                    save_picture(images.to_image(step.x0_hat[0]), save_frames / f"{step.index:04d}.png")
        except DivergenceError as error:
            if error.last is not None:  # what was reached is worth a look
                save_picture(images.to_image(error.last.x0_hat[0]), output)
            raise
    seconds, alike = time.perf_counter() - start, tables_of(photo) if degraded else None
    for number, (path, x) in enumerate(zip(_outputs(output, samples), step.x0_hat, strict=False), 1):
        save_picture(images.to_image(x), path, run, alike, **({"sample": number} if samples > 1 else {}))
        console.print(f"{printable(path)}: {_quality(path, problem)}{step.nfe} evaluations, {seconds:.1f} s")
    if samples > 1:
        spread, (mean_path, spread_path) = Spread.of(step.x0_hat), _outputs(output, samples)[-2:]
        save_picture(spread.mean_image, mean_path, run, sample="mean")
        save_picture(spread.image, spread_path, run, sample="spread")
        console.print(f"{printable(mean_path)}: {_quality(mean_path, problem)}the mean, the most faithful of them")
        console.print(f"{printable(spread_path)}: black is 0, white {spread.top:g}. {spread.words}")
    return {**_told(console, problem, step, run, seconds), "settings": replace(run, auxiliary="").to_dict()}


def _told(console: Terminal, problem: Problem, step: Step, run: Settings, seconds: float) -> dict[str, Any]:
    """Says what can be said of a result; returns it, and its figures, as plain data."""
    found, figures = verdict(problem, step.x0_hat, run), Record.of(problem, step, seconds).figures
    for each in found.findings:
        console.print(f"{MARKS[each.level]} {each.text}{_remedy(each)}")
    finite = {
        name: None if isinstance(each, float) and not math.isfinite(each) else each for name, each in figures.items()
    }
    return {**finite, "verdict": found.to_dict(), "sigma_y": problem.sigma_y}


def _outputs(output: Path, samples: int) -> list[Path]:
    """Where the results go: out.png; or out-1.png, out-2.png, ..., then out-mean.png and out-spread.png."""
    if samples == 1:
        return [output]
    return [output.with_stem(f"{output.stem}-{name}") for name in (*range(1, samples + 1), "mean", "spread")]


def _quality(path: Path, problem: Problem) -> str:
    """The figures of a file, whose pixels are rounded, and lossy perhaps; nothing where the truth is not known."""
    if problem.truth is None:
        return ""
    written, truth = images.to_tensor(images.load(path))[0], problem.truth[0]
    return f"PSNR {metrics.psnr(written, truth):.2f} dB, SSIM {metrics.ssim(written, truth):.3f}, "


def _understood(problem: Problem) -> str:
    """What a mask was taken for."""
    if problem.task.auxiliary != "mask" or problem.operator.missing is None:
        return ""
    return f"; the mask marks {problem.operator.missing:.1%} of the pixels as missing"


def _remedy(finding: Finding) -> str:
    """The flags that may help."""
    if finding.remedy is None:
        return ""
    changes = ((name.removeprefix(TASK).replace("_", "-"), value) for name, value in finding.remedy.changes.items())
    flags = " ".join(f"--{name} {value if isinstance(value, str) else f'{value:g}'}" for name, value in changes)
    return f" Try {flags}."


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


def _describe(problem: Problem, step: Step) -> str:
    text = f"residual {problem.relative_residual(step):.2f} times the noise"
    if problem.truth is not None:
        text += f", {metrics.psnr(step.x0_hat[0], problem.truth[0]):.1f} dB"
    return text
