"""What ships beside the code: the embedded prior, its estimators, example photos, and what was measured of solvers.

In a checkout they lie in `assets/` and `docs/`, next to the package; a wheel carries these inside the package.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _beside(name: str) -> Path:
    return _PACKAGE / name if (_PACKAGE / name).is_dir() else _PACKAGE.parent / name


ASSETS, DOCS = _beside("assets"), _beside("docs")
EMBEDDED = ASSETS / "prior" / "prior.safetensors"
EXAMPLES = ASSETS / "examples"
ESTIMATORS = ASSETS / "estimators"
JUDGE, FINDINGS = DOCS / "judge.md", DOCS / "findings.md"
