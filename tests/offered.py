"""An app that offers priors of a test's own."""

from contextlib import contextmanager

import pytest
import torch
from checkpoints import save_tiny
from trainings import TINY

from inverse.denoisers import catalog
from inverse.denoisers.embedded import save_network
from inverse.denoisers.network import ResidualUNet
from inverse.web.jobs import priors


@contextmanager
def offered(*names):
    """APP_PRIORS is these."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(priors.VARIABLE, ",".join(map(str, names)))
        priors.offered.cache_clear()
        try:
            yield priors.offered()
        finally:
            priors.offered.cache_clear()
            catalog.forget()


def two(folder):
    """A diffusers folder called faces, and a file of `train prior` called mine.safetensors."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    save_network(ResidualUNet(TINY), folder / "mine.safetensors")
    return save_tiny(folder / "faces"), folder / "mine.safetensors"
