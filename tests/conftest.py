"""Fixtures that several test modules share."""

import os
import socket

# Two pools of threads that spin on two cores slow each other down; set before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def photo():
    """A small smooth picture with edges, 72x56, RGB."""
    y, x = np.mgrid[0:56, 0:72] / 56
    waves = [np.sin(5 * x + 3 * y), np.cos(4 * y - x), np.sin(3 * x * y)]
    pixels = np.stack([0.5 + 0.3 * wave + 0.2 * (x > 0.6) for wave in waves], -1)
    return Image.fromarray((255 * pixels.clip(0, 1)).astype(np.uint8))


@pytest.fixture(scope="module")
def free_port():
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
