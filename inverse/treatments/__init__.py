"""A few ways to restore a photo, tried on a part of it that tells them apart, before all of it is restored."""

from inverse.treatments.candidates import Treatment, proposed
from inverse.treatments.crop import Box, telling_box
from inverse.treatments.trial import Trial, Tried, try_on_crop

__all__ = ["Box", "Treatment", "Trial", "Tried", "proposed", "telling_box", "try_on_crop"]
