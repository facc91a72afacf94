"""Scripts and styles on their way to the browser."""

import re

import gradio as gr
import pytest
from starlette.testclient import TestClient

from inverse.web.base import files
from inverse.web.base.head import Head


async def below(scope, receive, send):
    """What an app below would say."""
    body = b"<html><head></head><body></body></html>"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def client():
    return TestClient(Head(files.Scripts(below)))


def test_every_script_is_served_once_and_for_ever(client):
    assert {"elements/kit.js", "elements/viewer.js", "base/page.js"} <= files.scripts().keys()
    for name, content in files.scripts().items():
        answer = client.get(f"/{files.folder()}{name}")
        assert answer.content == content and answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("path", ["elements/none.js", "base/head.js", "base/files.py", "../base/page.js"])
def test_nothing_else_is(client, path):
    assert b"<html>" in client.get(f"/{files.folder()}{path}").content


def test_the_page_fetches_all_of_them_early_and_from_here_only(client):
    page = client.get("/").text
    asked = re.findall(r'<link rel="modulepreload" href="([^"]*)">', page)
    assert asked == [files.folder() + name for name in files.scripts()]
    assert "://" not in re.sub(r"http://www.w3.org/\S*", "", page) and page.index("data-modules") < page.index(
        "</head>"
    )


def test_scripts_import_what_there_is():
    for name, content in files.scripts().items():
        for path in re.findall(r'^import .* from "(.*)";$', content.decode(), re.MULTILINE):
            found = (files.WEB / name).parent.joinpath(path).resolve().relative_to(files.WEB).as_posix()
            assert found in files.scripts(), f"{name}: {path}"


def test_every_element_has_its_script_and_constants_that_are_json():
    from inverse.web.page import layout

    elements = [part for part in layout.build().blocks.blocks.values() if isinstance(part, gr.HTML)]
    mounted = {re.match(r'inverse.mount\("(\w+)"', part.js_on_load or "") for part in elements} - {None}
    named = {found[1] for found in mounted}
    assert {"number", "viewer", "grid", "rows", "file"} <= named
    assert {f"elements/{name}.js" for name in named} <= files.scripts().keys()


def test_styles_begin_with_what_others_build_on():
    styles = files.styles()
    assert styles.startswith(files.source("base/page.css") + files.source("elements/kit.css"))
    assert all(style.read_text() in styles for style in (files.WEB / "elements").glob("*.css"))
