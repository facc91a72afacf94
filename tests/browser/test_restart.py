"""A page whose server is killed and started again says so, and what to do."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.thorough]  # programs that start twice take a minute

ROOT = Path(__file__).parents[2]


class Server:
    """The app in a process of its own."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"
        self.variables = {**os.environ, "GRADIO_SERVER_PORT": str(port), "APP_MAX_WORK": "1000000"}
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=self.variables, stdout=subprocess.DEVNULL
        )
        end = time.monotonic() + 300
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/gradio_api/startup-events", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        pytest.fail("the app did not start")

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(free_port):
    server = Server(free_port)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def page(server, chromium):
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(90_000)
    page.goto(f"{server.url}/?view=lab")
    page.wait_for_selector("[data-part=measured] img")
    yield page
    context.close()


SAYS = "([where, words]) => document.querySelector(`${where} .inv-message`).textContent.includes(words)"


ANSWERED = "performance.getEntriesByType('resource').some((each) => each.name.includes('/app_id') && each.responseEnd)"
KEPT = "localStorage.getItem('inverse-settings')"


def begin(page):
    """A run that takes longer than the test."""
    page.wait_for_function(ANSWERED)  # the page knows its server; the answer may have come before this looks
    page.wait_for_function(KEPT)
    kept = page.evaluate(KEPT)
    page.fill("#solver-cse-vml-map-steps input[type=number]", "1000")
    page.keyboard.press("Tab")
    page.wait_for_function(f"kept => {KEPT} !== kept", arg=kept)
    page.click("#run")
    page.wait_for_selector("#status [data-phase=running]")
    page.wait_for_selector("#viewer img.inv-after")


def test_a_run_whose_server_was_killed_does_not_go_on_for_ever(server, page):
    """Gradio loads the page anew when it finds another server, or the page says that this is to be done."""
    begin(page)
    server.kill()
    page.wait_for_function(SAYS, arg=["#status", "does not answer"])
    server.start()
    page.wait_for_function("() => !document.querySelector('[data-phase=running], [data-phase=waiting]')")
    page = page.context.new_page()
    page.goto(f"{server.url}/?view=lab")
    page.wait_for_selector("[data-part=measured] img")
    page.wait_for_function("document.querySelector('#solver-cse-vml-map-steps input[type=number]').value === '1000'")


def test_a_run_of_another_server_ends_with_a_sentence(visit):
    page = visit()
    begin(page)
    page.route("**/app_id", lambda route: route.fulfill(body='{"app_id": 1}'))
    page.wait_for_function(SAYS, arg=["#status", "Reload the page"])
    for element in ("#status", "#viewer"):
        page.wait_for_selector(f"{element} [data-phase=failed]")
    assert page.locator("#viewer img.inv-after").count() == 1, "the last picture stays"
