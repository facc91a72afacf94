"""What ships beside the code: the embedded prior, its estimators, and the example photos.

In a checkout they lie in `assets/`, next to the package; a wheel carries that folder inside the package.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
ASSETS = _PACKAGE / "assets" if (_PACKAGE / "assets").is_dir() else _PACKAGE.parent / "assets"
EMBEDDED = ASSETS / "prior" / "prior.safetensors"
EXAMPLES = ASSETS / "examples"
ESTIMATORS = ASSETS / "estimators"
