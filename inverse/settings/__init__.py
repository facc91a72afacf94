"""All settings of one run as one object, and what is made of it: JSON, a PNG, a link, a command line."""

from inverse.settings.fields import CLEAN, DEGRADED, SAMPLES, SEED, SIZE
from inverse.settings.saved import SCHEMA
from inverse.settings.settings import Settings

__all__ = ["CLEAN", "DEGRADED", "SAMPLES", "SCHEMA", "SEED", "SIZE", "Settings"]
