"""All settings of one run as one object, and what is made of it: JSON, a PNG, a link, a command line."""

from inverse.settings.settings import CLEAN, DEGRADED, SCHEMA, Settings

__all__ = ["CLEAN", "DEGRADED", "SCHEMA", "Settings"]
