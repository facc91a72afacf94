"""What the README promises holds: its examples of the API run as they stand there, and its links lead somewhere."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1:7860"


def example(language):
    """The README's block of this language that names the app's address."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (found,) = [block for block in blocks if ADDRESS in block]
    return found


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What the app says when it starts."""
    return tmp_path_factory.mktemp("app") / "printed.txt"


@pytest.fixture(scope="module")
def url(free_port, printed):
    variables = {**os.environ, "GRADIO_SERVER_NAME": "localhost", "GRADIO_SERVER_PORT": str(free_port)}
    url = f"http://127.0.0.1:{free_port}"
    with printed.open("w") as said:
        app = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=variables, stdout=said)
    try:
        end = time.monotonic() + 300
        while app.poll() is None and time.monotonic() < end:
            try:
                if httpx.get(f"{url}/gradio_api/startup-events", timeout=5).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.2)
        else:
            pytest.fail("the app did not start")
        yield url
    finally:
        app.terminate()
        app.wait(30)


DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_that_is_there(document):
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not link.startswith(("http://", "https://", "#"))]
    missing = [link for link in links if not (document.parent / link.split("#")[0]).exists()]
    assert not missing


def promised():
    """(promise, file, test) of every test that docs/promises.md names; "…" stands for what it leaves out."""
    for row in re.findall(r"^\| .*$", (ROOT / "docs/promises.md").read_text(encoding="utf-8"), re.MULTILINE)[2:]:
        _, number, promise, tests, *_ = map(str.strip, row.split("|"))
        file = ""
        for named in re.findall(r"`([^` ]+)`", tests):
            place, _, test = named.rpartition("::")
            if named.endswith(".py"):
                place, test = named, ""
            file = place or file
            yield number or promise, file, test


def test_every_test_that_the_promises_name_is_there():
    files = {path.relative_to(ROOT / "tests").as_posix(): path.read_text() for path in ROOT.glob("tests/**/test_*.py")}
    missing = []
    for promise, file, test in promised():
        found = [code for path, code in files.items() if f"/{file}" in f"/{path}" or path.startswith(f"{file}/")]
        name = r"\w*".join(re.escape(part) for part in test.split("…"))
        if not file or not any(re.search(rf"^def {name}\(" if name else "^def test_", code, re.M) for code in found):
            missing.append((promise, file, test))
    assert not missing


def test_the_app_listens_where_the_environment_says(url, printed):
    """By a name of this machine, so that no test opens it to others; the default is the number."""
    end = time.monotonic() + 60
    while "open at" not in printed.read_text() and time.monotonic() < end:
        time.sleep(0.1)  # it answers a moment before it says so
    assert f"open at {url.replace('127.0.0.1', 'localhost')}/" in printed.read_text()


def test_the_python_example(url, tmp_path):
    shutil.copy(ROOT / "assets/examples/chelsea.jpg", tmp_path / "photo.jpg")
    code = example("python").replace(ADDRESS, url)
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    picture = Image.open(tmp_path / "restored.png")
    assert picture.format == "PNG" and min(picture.size) == 128 and " %" in run.stdout
    psnr = float(run.stdout.splitlines()[-1].split()[0])
    assert psnr > 20


def test_the_python_example_ends_with_an_error_where_the_file_is_too_large(url, tmp_path):
    """gradio_client's own loop over a job would wait for ever."""
    (tmp_path / "photo.jpg").write_bytes(bytes(17 * 2**20))
    code = example("python").replace(ADDRESS, url).replace("damaged, record = ", "pass  # ")
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode != 0 and "exceeds" in run.stderr.splitlines()[-1]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_example(url):
    run = subprocess.run(
        ["bash", "-c", example("bash").replace(ADDRESS, url)], capture_output=True, text=True, check=True
    )
    assert "event: complete" in run.stdout and '"solvers"' in run.stdout
