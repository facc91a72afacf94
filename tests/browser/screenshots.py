"""The pictures of the app in docs/: `make screenshots` takes them anew. The app must be open at the address given."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).resolve().parents[2] / "docs"


def opened(page: Page, address: str, view: str) -> Page:
    page.goto(f"{address}/?view={view}")
    page.wait_for_selector("[data-part=measured] img", state="attached")
    page.wait_for_selector("#run:not([disabled])")
    if view == "lab":
        page.get_by_label("128", exact=True).check()
    return page


def restored(page: Page) -> None:
    page.click("#run")
    page.wait_for_selector("#viewer [data-phase=done]")
    page.wait_for_selector("#run:not([disabled])")
    page.locator(".inv-divider").fill("35")


def swept(page: Page) -> None:
    page.get_by_role("tab", name="Sweep").click()
    page.click("#y-name input")
    page.get_by_role("option", name="Guidance scale", exact=True).click()
    page.get_by_label("Values").nth(1).fill("0.25,1,4")
    page.get_by_label("Values").nth(1).press("Tab")
    page.wait_for_selector("#promise:has-text('9 runs')")
    page.click("#sweep")
    page.wait_for_selector("#grid [data-phase=done]")


def compared(page: Page) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.click("#compare")
    page.wait_for_selector("#rows [data-phase=done]")


def main(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=["--no-sandbox"]
        )
        for name, view, acted, width, height, scheme in (
            ("app", "simple", restored, 1440, 900, "light"),
            ("lab", "lab", restored, 1440, 900, "light"),
            ("app-dark", "simple", restored, 1440, 900, "dark"),
            ("app-phone", "simple", restored, 390, 844, "light"),
            ("sweep", "lab", swept, 1440, 900, "light"),
            ("compare", "lab", compared, 1440, 900, "light"),
        ):
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = opened(context.new_page(), address, view)
            page.set_default_timeout(300_000)
            acted(page)
            page.wait_for_timeout(1500)  # the last transitions
            page.screenshot(path=DOCS / f"{name}.png")
            context.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:7860")
