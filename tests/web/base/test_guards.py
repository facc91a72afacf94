"""What a hostile client may name instead of an upload. None of it opens a file or costs memory."""

import base64
import io
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from inverse.errors import ImageError
from inverse.web.base import guards, pictures


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


def test_one_picture_is_decoded_at_a_time(folder, monkeypatch):
    """A file of a few kilobytes may take hundreds of megabytes meanwhile; drawn masks are such files, too."""
    now, most = [], []

    def load(photo, max_side):
        now.append(photo)
        most.append(len(now))
        time.sleep(0.02)
        now.pop()

    monkeypatch.setattr(guards.images, "load", load)
    (folder / "a.png").write_bytes(png())
    drawn = "data:image/png;base64," + base64.b64encode(png()).decode()
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda each: each(),
                [lambda: guards.uploaded_photo(str(folder / "a.png"))] * 4 + [lambda: pictures.from_uri(drawn)] * 4,
            )
        )
    assert most == [1] * 8
