"""Training of a prior, as a stream of progress that can be stopped anywhere and resumed exactly."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inverse.errors import DivergenceError, ParameterError, ProblemError
from inverse.imaging.files import unwritable
from inverse.training.crops import Crops
from inverse.training.photos import Rejected, Weights, load_photos
from inverse.training.settings import PriorTraining
from inverse.training.trainer import Trainer
from inverse.training.validation import Validation, validate

LOG = "log.jsonl"
"""File in the output folder, beside the trainer's: every report."""


@dataclass(frozen=True)
class Progress:
    """One report of a training.

    Attributes:
        iteration: updates so far, over every session.
        share: of the training that is done, 0 to 1.
        loss: EDM loss, mean over the updates since the last report; NaN in a session's first.
        learning_rate: of the last update.
        images_per_second: crops trained on, since the last report.
        seconds: training time so far, over every session, without validation and pauses.
        validation: when one was due.
        best: whether that validation is the best so far, and its weights were kept.
        photographs: how many are trained on, and how many kept out.
        rejected: pictures that could not be used; the same in every report.
    """

    iteration: int
    share: float
    loss: float
    learning_rate: float
    images_per_second: float
    seconds: float
    validation: Validation | None
    best: bool
    photographs: tuple[int, int]
    rejected: tuple[Rejected, ...]


def train_prior(
    parameters: PriorTraining,
    images: Path,
    output: Path,
    *,
    weights: Weights = (),
    initial: Path | None = None,
    device: str | None = None,
) -> Iterator[Progress]:
    """Trains, or goes on where the last checkpoint in the output folder ends.

    With the same parameters and photographs, a training that was killed and resumed gives the same weights as one that
    was not, bit for bit on the same machine, where `iterations` decides its end. Closing the generator saves first.

    Args:
        parameters: all of which may change between sessions, except the network.
        images: folder with photographs, subfolders included.
        output: folder for the checkpoint, the weights and the log; made if need be.
        weights: how often photographs are drawn, from `read_weights`.
        initial: a prior to start from, whose network may be smaller; only for a training's first session.
        device: "cpu" forces the CPU; otherwise accelerate chooses.

    Yields:
        A first report before any update, then one every `report_every` updates, at each validation and at the end.

    Raises:
        ProblemError: the photographs cannot be used, or accelerate is missing.
        PriorError: a file is damaged, of another network, or cannot be written.
        DivergenceError: the loss is no longer finite; the last checkpoint is from before.
    """
    accelerator = _accelerator(device)
    collection = load_photos(
        images, smallest=parameters.crop, memory=parameters.memory, held_out=parameters.held_out, weights=weights
    )
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise ProblemError(f"The folder {output} cannot be made. Give one that can be written to.") from None
    trainer = Trainer(parameters, accelerator, output, initial)
    crops = Crops(collection.training, parameters.crop, parameters.batch, parameters.shrink, parameters.seed)
    photographs = (len(collection.training.names), len(collection.validation.names))

    def report(validation: Validation | None = None) -> Progress:
        facts = trainer.measured()
        best = validation is not None and trainer.keep_if_best(validation)
        record = Progress(**facts, validation=validation, best=best, photographs=photographs,
                          rejected=collection.rejected)  # fmt: skip
        if accelerator.is_main_process:
            _log(output, record)
        return record

    def validation() -> Validation:
        return validate(trainer.averaged_prior(), collection.validation, max(128, parameters.crop))

    first = trainer.iteration * accelerator.num_processes + accelerator.process_index
    stream = crops.stream(first, accelerator.num_processes, _crop_threads(accelerator))
    try:
        yield report()
        while trainer.share < 1:
            trainer.update(next(stream))
            ended = trainer.share >= 1
            if ended or trainer.iteration % parameters.validate_every == 0:
                yield report(validation())
            elif trainer.iteration % parameters.report_every == 0:
                yield report()
            if not ended and trainer.checkpoint_due:
                trainer.save()
    except GeneratorExit:
        with suppress(DivergenceError):  # closing raises nothing; the last checkpoint stays
            trainer.save()
        raise
    finally:
        stream.close()
    trainer.save()


def _crop_threads(accelerator: Any) -> int:
    """One where the CPU trains too; else as many as a process can have, since one feeds no GPU."""
    cores = os.cpu_count() or 1
    return 1 if accelerator.device.type == "cpu" else max(1, cores // accelerator.num_processes - 1)


def _log(output: Path, record: Progress) -> None:
    """Appends a report to the log."""
    loss = None if math.isnan(record.loss) else record.loss  # JSON knows no NaN
    facts = asdict(record) | {"loss": loss, "rejected": len(record.rejected)}
    try:
        with (output / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(facts) + "\n")
    except OSError as error:
        raise unwritable(output / LOG, error) from error


def _accelerator(device: str | None) -> Any:
    if device not in (None, "cpu"):
        raise ParameterError(f"The device is 'cpu' or left out, and {device!r} is neither. Choose a GPU by its number "
                             "in CUDA_VISIBLE_DEVICES.")  # fmt: skip
    try:
        from accelerate import Accelerator
    except ImportError:
        raise ProblemError(
            "Training needs accelerate, which is not installed: pip install 'accelerate>=1.2,<2'."
        ) from None
    return Accelerator(cpu=device == "cpu")
