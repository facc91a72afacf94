"""What happened to a photo, as its file and its pixels tell: suggestions in sentences, and nothing is done."""

from inverse.diagnosis.findings import Diagnosis, Finding
from inverse.diagnosis.kinds import TITLES
from inverse.diagnosis.scratches import find_scratches
from inverse.diagnosis.signs import diagnose

__all__ = ["TITLES", "Diagnosis", "Finding", "diagnose", "find_scratches"]
