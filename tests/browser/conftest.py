"""An app and a Chromium for the browser tests of a process, and the log of what they measured."""

import contextlib
import json
import os
import shutil
import socket
import time
from pathlib import Path

import pytest
from huggingface_hub import constants
from offered import offered, two

from inverse.solvers import Step

ARTIFACTS = Path(__file__).resolve().parents[1] / ".artifacts"
TIMEOUT = 90_000
STEP = 0.15
"""Seconds that a step takes at least where runs are `unhurried`."""
MEASURED: dict[str, str] = {}


@pytest.fixture(scope="session")
def measured():
    """Figures for the log, by name."""
    return MEASURED


class Watch:
    """Stands before the library's stream and notes when a run starts, yields and is closed, and how long it works."""

    def __init__(self, stream):
        self.stream, self.runs = stream, []

    def __call__(self, *arguments, **settings):
        run = {"solving": 0.0, "steps": 0, "yielded": {}, "closed": None, "started": time.time()}
        self.runs.append(run)
        return self.watched(self.stream(*arguments, **settings), run)

    def watched(self, stream, run):
        try:
            while True:
                begun = time.perf_counter()
                step = next(stream, None)
                run["solving"] += time.perf_counter() - begun
                if step is None:
                    return
                if isinstance(step, Step):
                    run["steps"] += 1
                    run["yielded"][step.index] = time.time()
                yield step
        finally:
            stream.close()
            run["closed"], run["seconds"] = time.time(), time.time() - run["started"]


@pytest.fixture(scope="session")
def own_priors(tmp_path_factory):
    """Where the app's own priors lie: a folder called faces, and a file called mine.safetensors."""
    return two(tmp_path_factory.mktemp("operator"))


@pytest.fixture(scope="session")
def app(own_priors):
    """The running app, which offers them and one that is not here: its address and the watch over its solver."""
    with pytest.MonkeyPatch.context() as patched, offered("ddpm-cat-256", *own_priors):
        patched.setattr(constants, "HF_HUB_OFFLINE", True)
        yield from served()


def served():
    from inverse.web import build, launch
    from inverse.web.jobs import running

    watch = running.stream = Watch(running.stream)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = build()
    launch(page, server_name="127.0.0.1", server_port=port, prevent_thread_lock=True)
    yield f"http://127.0.0.1:{port}", watch
    running.stream = watch.stream
    page.close()


@pytest.fixture
def unhurried(app, monkeypatch):
    """Steps take their time, so that a run of many lasts on any machine, and costs little."""
    from inverse.web.jobs import running

    solving = running.stream

    def stream(*arguments, **settings):
        for step in solving(*arguments, **settings):
            time.sleep(STEP)
            yield step

    monkeypatch.setattr(running, "stream", stream)


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    path = os.environ.get("CHROMIUM") or next(filter(None, found), None)
    if path is None:
        pytest.fail("No Chromium found. Install it, or name it in CHROMIUM; `make test` does the former.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(app, chromium):
    """Opens the page in a view, `beside` another as a tab; it must ask no other host and log no error."""
    faults, contexts = [], []

    def open_page(width=1440, height=900, query="", beside=None, view="lab", **options):
        context = beside and beside.context
        if context is None:
            context = chromium.new_context(viewport={"width": width, "height": height}, **options)
            contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT)
        page.requests = []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        asked = f"{'&' if query else '?'}view={view}" if view else ""
        page.goto(f"{app[0]}/{query}{asked}")
        page.wait_for_selector("#viewer .inv-stage")
        page.wait_for_selector("[data-part=measured] img", state="attached")  # Simple shows it in the viewer
        return page

    yield open_page
    asked = [url for context in contexts for page in context.pages for url in page.requests]
    external = [url for url in asked if not url.startswith((app[0], "data:", "blob:"))]
    for context in contexts:
        with contextlib.suppress(Exception):
            context.close()
    MEASURED["requests to other hosts"] = str(int(MEASURED.get("requests to other hosts", "0")) + len(external))
    assert not external
    assert not faults


@pytest.fixture(scope="session")
def brush():
    """Draws a line on the pad of a page, between two points in its pixels on the screen."""

    def stroke(page, start, end, steps):
        place = page.locator("#mask canvas").bounding_box()
        page.mouse.move(place["x"] + start[0], place["y"] + start[1])
        page.mouse.down()
        page.mouse.move(place["x"] + end[0], place["y"] + end[1], steps=steps)
        page.mouse.up()

    return stroke


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):  # one of several processes of xdist
        session.config.workeroutput["measured"] = MEASURED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    MEASURED.update(getattr(node, "workeroutput", {}).get("measured", {}))


def pytest_terminal_summary(terminalreporter):
    if not MEASURED:
        return
    ARTIFACTS.mkdir(exist_ok=True)
    (ARTIFACTS / ".gitignore").write_text("*\n")
    (ARTIFACTS / "browser.json").write_text(json.dumps(MEASURED, indent=1))
    terminalreporter.section("measured in the browser")
    for name, figure in MEASURED.items():
        terminalreporter.line(f"{name}: {figure}")
