"""What is wrong with a photo, one at a time: every look at one takes much memory."""

from __future__ import annotations

import math

from inverse.diagnosis import Diagnosis, diagnose
from inverse.imaging import images
from inverse.web.base.dear import dear
from inverse.web.base.guards import MAX_STORED_SIDE


def diagnosed(photo: images.Photo) -> Diagnosis:
    """What is wrong with a photo, as it is kept here.

    Raises:
        ImageError: it cannot be read.
    """
    with dear(math.inf):
        return diagnose(photo, MAX_STORED_SIDE)
