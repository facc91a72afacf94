"""The same work on a Ray cluster, by Ray Data: a worker a GPU, or a CPU where there is none, each with its prior.

What a worker that is killed had not handed back is done again by another. Photos travel with the work, so that only
the priors have to be within the workers' reach: embedded, on the Hub, or at the same path.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
from collections.abc import Generator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from inverse import threads
from inverse.batch.runs import Load
from inverse.errors import PriorError, ProblemError
from inverse.evaluation.evaluate.job import Job
from inverse.evaluation.evaluate.results import Outcome
from inverse.evaluation.evaluate.work import Photos, work

LOCAL = "local"
"""The address that stands for a cluster of this machine, made for this call and ended with it."""
BATCH = 8
"""Jobs that a worker takes at once. On a GPU they share passes; as many are done again when it is killed."""


class Worker:
    """In a process of the cluster: does batches of jobs, and keeps its priors between them."""

    def __init__(self, photos: Mapping[str, Any], load: Load, pictures: bool) -> None:
        self._photos, self._load, self._pictures = photos, load, pictures

    def _photo(self, name: str) -> bytes:
        import ray

        return ray.get(self._photos[name])

    def __call__(self, batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """From jobs, as JSON, to outcomes, as bytes; or to the error that ends it all."""
        jobs = [Job.from_dict(json.loads(text)) for text in batch["job"]]
        done: Sequence[Outcome | PriorError]
        try:
            done = list(work(jobs, self._photo, self._load, self._pictures))
        except PriorError as error:
            done = [error]
        return {"outcome": np.array([pickle.dumps(each) for each in done], dtype=object)}


def on_cluster(
    jobs: Sequence[Job], photos: Photos, load: Load, pictures: bool = True, *, address: str = LOCAL, batch: int = BATCH
) -> Generator[Outcome, None, None]:
    """As `work`, on a cluster, in no particular order; close it to stop.

    Args:
        address: of the cluster, as `ray.init` takes it; `LOCAL` starts one of this machine's cores and GPUs.
        batch: as `BATCH`.
        others: as for `work`; `load` can be copied to another process.

    Raises:
        ProblemError: Ray is not installed, or the cluster does not answer.
        PriorError: a worker cannot load a prior.
    """
    if find_spec("ray") is None:
        raise ProblemError("Ray is not installed. Install it by: pip install 'inverse[ray]'. Or use --shard.")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody asked to send any
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "error")
    import ray
    import ray.exceptions

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address == LOCAL:
            ray.init(num_cpus=threads.cores(), include_dashboard=False, **quiet)
        else:
            ray.init(address, **quiet)
    except (ConnectionError, ray.exceptions.RaySystemError) as error:
        raise ProblemError(f"No Ray cluster answers at {address[:200]}. Start one by: ray start --head.") from error
    try:
        yield from _outcomes(jobs, photos, load, pictures, batch)
    finally:
        ray.shutdown()


def _outcomes(
    jobs: Sequence[Job], photos: Photos, load: Load, pictures: bool, batch: int
) -> Generator[Outcome, None, None]:
    import ray
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.ERROR)  # progress is shown by whoever asked
    ray.data.DataContext.get_current().enable_progress_bars = False
    sent = {name: ray.put(_content(photos(name))) for name in dict.fromkeys(job.photo for job in jobs)}
    has = ray.cluster_resources()
    gpus, workers = int(has.get("GPU", 0)), int(has.get("GPU", 0) or has.get("CPU", 1))
    # A block a batch, so that what is done comes back at once.
    rows = ray.data.from_items(
        [{"job": json.dumps(job.to_dict())} for job in jobs], override_num_blocks=max(1, -(-len(jobs) // batch))
    )
    workers = max(1, min(workers, -(-len(jobs) // batch)))
    done = rows.map_batches(
        Worker, fn_constructor_args=(sent, load, pictures), batch_size=batch, batch_format="numpy", num_cpus=1,
        num_gpus=1 if gpus else 0,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
    )  # fmt: skip
    for block in done.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=0):
        for outcome in map(pickle.loads, block["outcome"]):  # which a worker of ours has made
            if isinstance(outcome, PriorError):
                raise outcome
            yield outcome


def _content(photo: Any) -> bytes:
    """The bytes of a photo's file; none of one that cannot be read, which its jobs will say."""
    try:
        return photo.read_bytes()
    except OSError:
        return b""
