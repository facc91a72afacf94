"""Small evaluations: photos of waves, a prior that is known exactly, jobs that take milliseconds."""

import os
import signal
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from inverse.denoisers.exact import GaussianField
from inverse.errors import PriorError
from inverse.evaluation.evaluate import plan as plans
from inverse.evaluation.evaluate.work import work
from inverse.operators import make_task

SIDE = 16
TASKS = ((make_task("inpaint-box"), {}), (make_task("super-resolution", {"factor": 2}), {"sigma_y": 0.1}))
SOLVERS = (plans.Choice("ddrm", {"steps": 5}), plans.Choice("diffpir", {"steps": 10}))


@cache
def field(name="embedded"):
    """The prior, whatever it is called."""
    return GaussianField((3, SIDE, SIDE))


def photos(folder: Path, count=3):
    """Makes a folder of photos, and returns their digests by name."""
    folder.mkdir(exist_ok=True)
    y, x = np.mgrid[0:20, 0:24] / 20
    for place in range(count):
        waves = np.stack([np.sin((3 + place) * x + k * y) for k in range(3)], -1)
        Image.fromarray((127.5 + 100 * waves).clip(0, 255).astype(np.uint8)).save(folder / f"{place}.png")
    return plans.photos_in(folder)


def planned(folder: Path, count=3, **settings):
    """A plan of a dozen jobs, and the folder of its photos."""
    settings = {"size": SIDE, "sigma_y": 0.05, **settings}
    tasks = [(task, {**own}) for task, own in TASKS]
    jobs, _ = plans.jobs_of(photos(folder, count), tasks, SOLVERS, {"embedded": ("embedded", True)}, **settings)
    return plans.Plan(str(folder), tuple(jobs))


def worked(plan, folder: Path, load=field):
    """The outcomes of all its jobs, one after another."""
    return work(plan.jobs, folder.joinpath, load)


def absent(name):
    """Loads no prior."""
    raise PriorError("It is not here. Download it.")


def killed_once(marker: Path, name):
    """Loads the prior; the process that asks for it first is killed once it has worked a little."""
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return field()

    class Deadly(GaussianField):
        calls = 0

        def denoise(self, x, sigma):
            self.calls += 1
            if self.calls > 12:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().denoise(x, sigma)

    return Deadly((3, SIDE, SIDE))
