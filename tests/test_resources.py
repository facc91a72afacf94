"""What ships is found in a checkout and inside an installed package, from wherever Python is started."""

import shutil
import subprocess
import sys

import pytest

from inverse import resources


def test_what_ships_is_there():
    assert resources.EMBEDDED.is_file() and list(resources.EXAMPLES.glob("*.jpg"))


@pytest.mark.parametrize("place", ["inverse/assets", "assets"], ids=["installed", "checkout"])
def test_it_is_inside_the_package_or_beside_it(tmp_path, place):
    package = tmp_path / "inverse"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copy(resources.__file__, package)
    (tmp_path / place).mkdir()
    code = f"import sys; sys.path[0] = {str(tmp_path)!r}; from inverse import resources; print(resources.ASSETS)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str((tmp_path / place).resolve())
