"""What every training is: a stream of progress that can be stopped anywhere and resumed exactly."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inverse.errors import DivergenceError, ParameterError, ProblemError
from inverse.imaging.files import unwritable
from inverse.training.crops import Crops
from inverse.training.photos import Collection, Rejected
from inverse.training.trainer import Measured, Trainer

LOG = "log.jsonl"
"""File in the output folder, beside the trainer's: every report."""


@dataclass(frozen=True)
class Progress:
    """One report of a training.

    Attributes:
        iteration: updates so far, over every session.
        share: of the training that is done, 0 to 1.
        loss: mean over the updates since the last report; NaN in a session's first.
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
    validation: Any | None
    best: bool
    photographs: tuple[int, int]
    rejected: tuple[Rejected, ...]


def reports(
    trainer: Trainer[Any, Any], collection: Collection, validation: Callable[[], Measured]
) -> Iterator[Progress]:
    """Trains on crops of the photographs, until the parameters' end or the trainer's.

    Closing it saves first.

    Args:
        trainer: at its beginning, or where a checkpoint ended.
        collection: the photographs.
        validation: measures the averaged weights.

    Yields:
        A first report before any update, then one every `report_every` updates, at each validation and at the end.

    Raises:
        PriorError: a file cannot be written.
        DivergenceError: the loss is no longer finite; the last checkpoint is from before.
    """
    parameters, accelerator = trainer.parameters, trainer.accelerator
    crops = Crops(
        collection.training, parameters.crop, parameters.batch, parameters.shrink, parameters.seed, parameters.whole
    )
    photographs = (len(collection.training.names), len(collection.validation.names))

    def report(validation: Measured | None = None) -> Progress:
        facts = trainer.measured()
        best = validation is not None and trainer.keep_if_best(validation)
        record = Progress(**facts, validation=validation, best=best, photographs=photographs,
                          rejected=collection.rejected)  # fmt: skip
        if accelerator.is_main_process:
            _log(trainer.output, record)
        return record

    first = trainer.iteration * accelerator.num_processes + accelerator.process_index
    stream = crops.stream(first, accelerator.num_processes, _crop_threads(accelerator))
    try:
        yield report()
        while not trainer.ended:
            trainer.update(next(stream))
            ended = trainer.ended
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


def made(folder: Path) -> Path:
    """The output folder, made if need be; ProblemError where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise ProblemError(f"The folder {folder} cannot be made. Give one that can be written to.") from None
    return folder


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


def accelerated(device: str | None) -> Any:
    """Where a training runs, as accelerate has it; `device` as for `train_prior`."""
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
