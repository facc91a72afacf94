"""What happened to a photo, as its file and its pixels tell: suggestions in sentences, and nothing is done."""

from inverse.diagnosis.findings import TITLES, Diagnosis, Finding, diagnose
from inverse.diagnosis.scratches import find_scratches

__all__ = ["TITLES", "Diagnosis", "Finding", "diagnose", "find_scratches"]
