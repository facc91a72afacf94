"""The findings lab: what solvers' scores and samples are, where the truth is known.

Xu et al. (ICLR 2025, arXiv 2501.18913) claim of DPS that its conditional score is farther from the true one than the
unconditional score, that the mean of its score is not 0 as every score's is, and that its samples hardly vary. A study
measures all three for every solver, on truths whose posterior is known exactly.
"""

from inverse.evaluation.findings.measuring import Findings, stream
from inverse.evaluation.findings.study import Study
from inverse.evaluation.findings.truths import TRUTHS, Truth, truth

__all__ = ["TRUTHS", "Findings", "Study", "Truth", "stream", "truth"]
