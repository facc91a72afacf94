"""The wheel works where nothing of the checkout is: `make wheel` builds it and runs this."""

import os
import subprocess
import sysconfig
import time
import venv
from pathlib import Path

import httpx
import pytest
from PIL import Image

from inverse.resources import EXAMPLES

pytestmark = pytest.mark.slow

DIST = Path(__file__).parents[2] / "dist"
BARE = {name: text for name, text in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The programs of a fresh environment. What the wheel needs is lent by this one: PyTorch twice would be minutes."""
    (wheel,) = DIST.glob("*.whl")
    folder = tmp_path_factory.mktemp("wheel") / "venv"
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")

    def pip(*arguments):
        command = [programs / "python", "-m", "pip", "--disable-pip-version-check", *arguments]
        run = subprocess.run(command, cwd=folder, env=BARE, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr

    pip("install", "--no-index", "--no-deps", wheel)  # at first, so that the lent folder's own `inverse` does not count
    paths = {"base": str(folder), "platbase": str(folder)}
    own = Path(sysconfig.get_path("purelib", vars=paths))
    # A folder that a .pth file names lends its packages, and not the checkout that its own .pth files may name.
    (own / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip("uninstall", "--yes", "setuptools")  # venv's own is old, and hides the lent one
    pip("install", "--no-index", f"{wheel}[app]")  # ends with an error where the wheel asks for what is not there
    return programs


@pytest.fixture
def elsewhere(tmp_path):
    (tmp_path / "photo.jpg").write_bytes((EXAMPLES / "chelsea.jpg").read_bytes())
    return tmp_path


def test_only_the_package_is_installed_and_its_assets_with_it(installed, elsewhere):
    code = "import inverse.resources as r, sys; print(sys.prefix, r.EMBEDDED, r.EXAMPLES / 'chelsea.jpg')"
    run = subprocess.run([installed / "python", "-c", code], cwd=elsewhere, env=BARE, capture_output=True, check=True)
    prefix, *files = map(Path, run.stdout.decode().split())
    assert all(file.is_file() and file.is_relative_to(prefix) for file in files)
    assert not list(prefix.rglob("site-packages/tests")) and not list(prefix.rglob("site-packages/assets"))


def test_a_photo_is_restored(installed, elsewhere):
    command = ["restore", "photo.jpg", "-o", "out.png", "--task", "denoise", "--solver", "ddnm", "--size", "64"]
    run = subprocess.run([installed / "inverse", *command], cwd=elsewhere, env=BARE, capture_output=True, check=False)
    assert run.returncode == 0 and b"PSNR" in run.stderr, run.stderr
    with Image.open(elsewhere / "out.png") as picture:
        assert min(picture.size) == 64


def test_the_app_opens_and_shows_its_page(installed, elsewhere, free_port):
    command = [installed / "inverse", "app", "--port", str(free_port)]
    log = elsewhere / "log"
    with log.open("w") as said:
        app = subprocess.Popen(command, cwd=elsewhere, env=BARE, stdout=said, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + 300
        while "is open at" not in log.read_text() and app.poll() is None and time.monotonic() < end:
            time.sleep(0.2)
        assert "is open at" in log.read_text(), log.read_text()
        page = httpx.get(f"http://127.0.0.1:{free_port}/", timeout=60)
        assert page.status_code == 200 and "Chelsea the cat" in page.text
    finally:
        app.terminate()
        app.wait(60)
