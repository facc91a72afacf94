"""Files are whole or not there, whatever stops the writing."""

import errno
import os

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from inverse.cli.places import save_picture
from inverse.errors import OutputError
from inverse.imaging.files import replace_atomically, write_text


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    return path


def only_old(path):
    return path.read_text() == "old" and [entry.name for entry in path.parent.iterdir()] == [path.name]


def half(failure):
    def write(path):
        path.write_bytes(b"half of")
        raise failure

    return write


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "share of the disk"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "may not write"),
        (errno.EIO, "Choose another place"),
    ],
)
def test_what_fails_halfway_leaves_the_old_file_and_nothing_else(old, number, said):
    with pytest.raises(OutputError, match=rf"out\.txt cannot be written: .*{said}.*\.$"):
        replace_atomically(old, half(OSError(number, os.strerror(number))))
    assert only_old(old)


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), SystemExit(1), MemoryError(), ValueError("bug")])
def test_an_interruption_passes_and_leaves_the_old_file(old, failure):
    with pytest.raises(type(failure)):
        replace_atomically(old, half(failure))
    assert only_old(old)


def test_success_replaces(old):
    write_text(old, "new ü")
    assert old.read_bytes() == "new ü".encode() and len(list(old.parent.iterdir())) == 1


def test_a_disk_that_really_takes_no_more(tmp_path):
    """A limit on the size of files stops the libraries that write in the middle of it."""
    resource = pytest.importorskip("resource")
    writers = {
        "text": lambda path: path.write_text("x" * 100_000),
        "picture": lambda path: Image.effect_noise((200, 200), 50).save(path, "PNG"),
        "weights": lambda path: save_file({"a": torch.zeros(100_000)}, path),
    }
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for name, write in writers.items():
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
            with pytest.raises(OutputError, match=rf"{name}\.png cannot be written: .*\.$"):
                replace_atomically(tmp_path / f"{name}.png", write)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert not list(tmp_path.iterdir()), name


def test_missing_and_read_only_folders_and_folders_in_place_of_files(tmp_path):
    picture = Image.new("RGB", (8, 8))
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_text("")
    for path in ("none/a.png", "folder.png", "file/a.png", "x" * 300 + ".png"):
        with pytest.raises(OutputError, match=r"cannot be written: .*\.$"):
            save_picture(picture, tmp_path / path)
    assert {entry.name for entry in tmp_path.iterdir()} == {"folder.png", "file"}
    for format in ("webp", "gif", "pdf", "xbm"):  # formats that cannot hold it say so, others hold it
        try:
            save_picture(picture, tmp_path / f"a.{format}")
        except OutputError as error:
            assert str(error).endswith(".")
