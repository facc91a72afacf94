"""The app as tools for language models, by the real MCP client; skipped where the extra `mcp` is not installed.

It is asked for by the environment; that it is closed otherwise is tested in test_api.py.
"""

import asyncio
import base64
import io
import re

import httpx
import pytest
from PIL import Image

pytest.importorskip("mcp")

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from inverse import web


@pytest.fixture(scope="module")
def url(free_port):
    page = web.build()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GRADIO_MCP_SERVER", "true")
        web.launch(page, server_name="127.0.0.1", server_port=free_port, prevent_thread_lock=True)
    yield f"http://127.0.0.1:{free_port}/gradio_api/mcp/"
    page.close()


def ask(url, question):
    async def session():
        async with streamablehttp_client(url) as (read, write, _), ClientSession(read, write) as client:
            await client.initialize()
            return await question(client)

    return asyncio.run(session())


def test_the_tools_are_the_endpoints_and_every_parameter_is_explained(url):
    listed = ask(url, lambda client: client.list_tools())
    tools = {tool.name: tool for tool in listed.tools}
    assert set(tools) == {"degrade", "diagnose", "estimate_kernel", "restore", "sweep", "treatments", "solvers"}
    for name, tool in tools.items():
        assert len(tool.description) > 40, name
        for parameter, schema in tool.inputSchema["properties"].items():
            assert schema.get("description", "").endswith("."), (name, parameter)
    assert tools["restore"].inputSchema["required"] == ["photo"]
    for parameter in ("photo", "auxiliary"):
        assert tools["restore"].inputSchema["properties"][parameter]["type"] == "string", (
            "files are named by an address"
        )


@pytest.fixture
def arguments(photo):
    buffer = io.BytesIO()
    photo.save(buffer, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return {
        "photo": uri,
        "settings": {"task": "denoise", "size": 64, "solver": {"name": "diffpir", "parameters": {"steps": 3}}},
    }


def test_a_photo_is_restored_and_comes_back_as_a_picture(url, arguments):
    async def heard(progress, total, message):
        said.append(message)

    said = []
    answer = ask(url, lambda client: client.call_tool("restore", arguments, progress_callback=heard))
    assert not answer.isError, answer
    (picture,) = [block for block in answer.content if block.type == "image"]
    assert min(Image.open(io.BytesIO(base64.b64decode(picture.data))).size) == 64
    assert any("'psnr'" in block.text for block in answer.content if block.type == "text") and said


def test_a_client_that_hears_no_progress_is_told_where_the_picture_is(url, arguments):
    """Gradio 6.31 then makes one text of all outputs."""
    answer = ask(url, lambda client: client.call_tool("degrade", arguments))
    address = re.search(r"'url': '([^']+)'", answer.content[0].text).group(1)
    assert Image.open(io.BytesIO(httpx.get(address).content)).format == "PNG"


def test_refusals_are_our_sentences_and_links_are_not_followed(url, photo):
    for photo_address in ("http://127.0.0.1:9/a.png", "https://example.com/a.png"):
        answer = ask(url, lambda client, link=photo_address: client.call_tool("degrade", {"photo": link}))
        assert answer.isError and "uploaded here" in answer.content[0].text
