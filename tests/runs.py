"""Runs as the app asks for them, and a stand-in for the library that does them."""

import base64
import io
import time

import torch
from PIL import Image

from inverse.settings import CLEAN, Settings
from inverse.solvers import Step
from inverse.web.jobs.job import Job
from inverse.web.jobs.running import Latest


def decoded(uri):
    head, body = uri.split(",", 1)
    assert head in ("data:image/jpeg;base64", "data:image/png;base64")
    return Image.open(io.BytesIO(base64.b64decode(body)))


def chosen(**changes):
    usual = {
        "mode": CLEAN, "size": None, "task": "denoise", "task_parameters": {}, "sigma_y": 0.05, "solver": "ddnm",
        "solver_parameters": {}, "seed": 0, "photons": None, "samples": 1,
    }  # fmt: skip
    return Settings.create(**{**usual, **changes})


def steps(settings, photo, total, seconds=0.0, closed=None, fail=None):
    """A stand-in for the library's stream: as many steps as wanted, as fast as wanted."""
    truth = settings.problem(photo, None).truth

    def stream(*_, **__):
        try:
            for index in range(1, total + 1):
                time.sleep(seconds)
                shares = (1 - torch.arange(settings.samples) / 10).view(-1, 1, 1, 1)  # no two samples are alike
                x0_hat = shares * truth * (index / total)
                step = Step(index, total, 0.5, x0_hat, x0_hat, index, 0, lambda x: torch.full((len(x),), 0.1))
                if fail is not None and index == fail[0]:
                    raise fail[1](step)
                yield step
        finally:
            if closed is not None:
                closed.append(time.perf_counter())

    return stream


def run(settings, photo, latest=None):
    job = Job(settings, photo)
    return (latest or Latest()).follow(lambda: (job, job.problem()))
