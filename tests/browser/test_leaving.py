"""A page that is loaded anew in the middle of a run finds it again: by a reload, or because its connection was lost."""

import socket
import threading
import time

import pytest
from PIL import Image

from inverse.web.elements.picker import EXAMPLES

pytestmark = pytest.mark.browser

RESULTS = "count => document.querySelectorAll('.inv-result').length === count"
KEPT = "sessionStorage.getItem('inverse-jobs')"


@pytest.fixture
def opened(app, chromium):
    """Opens the page; of a stream that is cut off, Gradio logs an error, which is none here."""
    contexts = []

    def open_page(address=app[0]):
        contexts.append(chromium.new_context(viewport={"width": 1440, "height": 900}))
        page = contexts[-1].new_page()
        page.set_default_timeout(120_000)
        page.goto(f"{address}/?view=lab")
        page.wait_for_selector("[data-part=measured] img")
        return page

    yield open_page
    for context in contexts:
        context.close()


def begun(page, levels, tmp_path):
    """A run of a photo of one's own, which goes on; its settings as the browser keeps them."""
    Image.open(EXAMPLES / "astronaut.jpg").resize((160, 128)).save(tmp_path / "mine.png")
    page.set_input_files("#photo input[type=file]", tmp_path / "mine.png")
    page.wait_for_selector("#photo :text('160 × 128')")
    page.get_by_label("Clean, to try", exact=True).check()
    page.get_by_label("128", exact=True).check()
    before = page.evaluate("sessionStorage.getItem('inverse-settings')")
    page.fill("#solver-cse-vml-map-steps input[type=number]", str(levels))
    page.keyboard.press("Tab")
    page.wait_for_function("before => sessionStorage.getItem('inverse-settings') !== before", arg=before)
    page.wait_for_selector("#run:not([disabled])")
    page.click("#run")
    page.wait_for_selector("#viewer img.inv-after")
    page.wait_for_function(f"() => {KEPT} !== null")


def goes_on(page, levels):
    """The photo, the settings and the run are back; which update the page shows."""
    page.wait_for_selector("#photo :text('160 × 128')")
    assert page.input_value("#solver-cse-vml-map-steps input[type=number]") == str(levels)
    page.wait_for_selector("#status [data-phase=running]")
    page.wait_for_selector("#viewer [data-phase=running] img.inv-after")
    assert page.is_disabled("#run") and page.is_enabled("#stop")
    return update(page)


def update(page):
    return int(page.inner_text("#viewer .inv-at").split()[1])


LATER = "before => Number(document.querySelector('#viewer .inv-at').innerText.split(' ')[1]) > before"


def test_a_reload_in_the_middle_of_a_run_brings_it_back_and_it_ends_in_results(opened, unhurried, app, tmp_path):
    page, levels = opened(), 15
    begun(page, levels, tmp_path)
    seen, runs = update(page), len(app[1].runs)
    page.reload()
    page.wait_for_function(LATER, arg=goes_on(page, levels))
    assert update(page) > seen, "it went on meanwhile"
    page.wait_for_selector("#viewer [data-phase=done]")
    page.wait_for_selector("#status [data-phase=done]")
    page.wait_for_function(RESULTS, arg=1)
    page.wait_for_selector("#run:not([disabled])")
    page.wait_for_selector("#stop[disabled]")
    assert page.get_attribute(".inv-after", "src").startswith("data:image/png") and len(app[1].runs) == runs
    page.wait_for_function(f"() => {KEPT} === null")
    page.reload()
    page.wait_for_function(RESULTS, arg=1)
    assert page.get_attribute("#status [data-phase]", "data-phase") == "idle", "what is over is not asked for again"


def test_stop_ends_a_run_that_was_begun_before_the_reload_and_keeps_its_picture(opened, unhurried, app, tmp_path):
    page, levels = opened(), 300
    begun(page, levels, tmp_path)
    page.reload()
    goes_on(page, levels)
    run = app[1].runs[-1]
    page.keyboard.press("Escape")
    page.wait_for_selector("#viewer [data-phase=stopped]")
    page.wait_for_selector("#run:not([disabled])")
    page.wait_for_function(RESULTS, arg=1)
    deadline = time.time() + 60
    while run["closed"] is None and time.time() < deadline:
        time.sleep(0.05)
    assert run["closed"] is not None
    page.wait_for_timeout(1500)
    assert "Stopped" in page.inner_text("#status"), "nothing late overwrites it"


class Cable:
    """A way to the app that can be cut: a port of its own, from which everything is passed on."""

    def __init__(self, port):
        self.port, self.ends, self.cut = port, [], False
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                here = self.listening.accept()[0]
            except OSError:
                return
            if self.cut:
                here.close()
                continue
            there = socket.create_connection(("127.0.0.1", self.port))
            self.ends += [here, there]
            for ends in ((here, there), (there, here)):
                threading.Thread(target=self.pass_on, args=ends, daemon=True).start()

    def pass_on(self, source, target):
        try:
            while content := source.recv(65_536):
                target.sendall(content)
        except OSError:
            pass
        self.hang_up(source, target)

    def hang_up(self, *ends):
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def lose(self):
        self.cut = True
        self.hang_up(*self.ends)


@pytest.fixture
def cable(app):
    cable = Cable(int(app[0].rsplit(":", 1)[1]))
    yield cable
    cable.lose()
    cable.listening.close()


def test_a_lost_connection_brings_the_run_back_as_soon_as_there_is_one_again(opened, unhurried, cable, tmp_path):
    page, levels = opened(cable.address), 300
    begun(page, levels, tmp_path)
    seen = update(page)
    cable.lose()
    page.wait_for_timeout(3000)
    with page.expect_navigation():
        cable.cut = False
    assert goes_on(page, levels) > seen
    page.click("#stop")
    page.wait_for_selector("#viewer [data-phase=stopped]")
