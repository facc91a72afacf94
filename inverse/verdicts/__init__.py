"""An honest verdict on a restoration, in sentences: what it fits, what is wrong with it, and what may help.

It goes by the measurement and the result alone, since nobody knows the truth of a photo of their own.
"""

from inverse.verdicts.finding import Finding, Remedy, Verdict
from inverse.verdicts.sentences import verdict

__all__ = ["Finding", "Remedy", "Verdict", "verdict"]
