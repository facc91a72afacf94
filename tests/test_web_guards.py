"""What a hostile client may try: paths, links, oversized bodies. None of it opens a file or costs memory."""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from inverse.errors import ImageError
from inverse.web import guards


@pytest.fixture
def folder(tmp_path, monkeypatch):
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploads))
    return uploads


def png(size=(8, 6)):
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, "PNG")
    return buffer.getvalue()


def test_an_upload_is_read(folder):
    (folder / "a.png").write_bytes(png())
    assert guards.uploaded_photo(str(folder / "a.png")).size == (8, 6)


def test_files_outside_the_upload_folder_are_never_opened(folder, monkeypatch):
    outside = folder.parent / "secret.png"
    outside.write_bytes(png())
    (folder / "link.png").symlink_to(outside)
    monkeypatch.setattr(guards.images, "load", lambda *_, **__: pytest.fail("a file was opened"))
    for path in (outside, folder / ".." / "secret.png", folder / "link.png", folder, folder / "missing.png"):
        with pytest.raises(ImageError, match="uploaded here"):
            guards.uploaded_photo(str(path))


@pytest.mark.parametrize(
    "path",
    [None, "", 5, [], {}, "\0", "http://127.0.0.1/a.png", "data:image/png;base64,AA", "file:///etc/passwd", "a" * 9999],
)
def test_what_is_no_path_is_refused(folder, path):
    with pytest.raises(ImageError, match="uploaded here"):
        guards.uploaded_photo(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (png()[:40], "damaged|not a picture"), (b"<svg/>", "Use PNG"), (b"%PDF-1.4", "Use PNG")],
)
def test_unusable_files_end_in_a_sentence(folder, content, words):
    (folder / "a.png").write_bytes(content)
    with pytest.raises(ImageError, match=words) as caught:
        guards.uploaded_photo(str(folder / "a.png"))
    assert str(folder) not in str(caught.value)


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setattr(guards, "MAX_JSON", 1000)
    monkeypatch.setattr(guards, "MAX_UPLOAD", 5000)

    async def count(request: Request):
        return PlainTextResponse(str(len(await request.body())))

    app = Starlette(routes=[Route("/", count, methods=["GET", "POST"])], middleware=[guards.BodyLimit.middleware()])
    return lambda **request: _post(app, **request)


def _post(app, **request):
    async def post():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
            return await client.post("/", **request)

    with ThreadPoolExecutor(1) as thread:  # this thread may have a loop already
        return thread.submit(asyncio.run, post()).result()


async def _chunks(total):
    for _ in range(total // 100):
        yield b"x" * 100


def test_bodies_up_to_the_limit_pass(client):
    assert client(content=b"x" * 1000).text == "1000"
    assert client(files={"file": b"x" * 4000}).status_code == 200


def test_larger_bodies_are_refused_whether_they_say_their_length_or_not(client):
    assert client(content=b"x" * 1001).status_code == 413
    assert client(files={"file": b"x" * 6000}).status_code == 413
    assert client(content=_chunks(900)).text == "900"
    assert client(content=_chunks(5000)).status_code == 413
