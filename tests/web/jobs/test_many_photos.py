"""Several photos one after another: names kept, one that fails does not end the rest, Stop keeps what is finished."""

import shutil
import uuid
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from inverse.errors import ImageError, ParameterError
from inverse.settings import DEGRADED, Settings
from inverse.web.base import limits
from inverse.web.base.gradio_internals import upload_folder
from inverse.web.jobs import album, many
from inverse.web.jobs.album import Album
from inverse.web.jobs.each import NOTHING_FOUND, Choice
from inverse.web.jobs.many import Many

SETTINGS = Settings.create(mode=DEGRADED, task="denoise", solver="ddnm", solver_parameters={"steps": 2}, sigma_y=None)


@pytest.fixture
def upload():
    """Puts a file where uploads are, in a folder of its own; returns what the page sends of it."""
    folders = []

    def put(name, content):
        folders.append(upload_folder() / uuid.uuid4().hex)
        folders[-1].mkdir(parents=True)
        path = folders[-1] / name
        content.save(path) if isinstance(content, Image.Image) else path.write_bytes(content)
        return {"path": str(path), "name": name}

    yield put
    for folder in folders:
        shutil.rmtree(folder)


@pytest.fixture
def photos(upload, photo):
    """Three, of which the second is broken, and two are called the same."""
    small = photo.resize((40, 32))
    return Many(album=filled(upload("a.jpg", small), upload("b.jpg", b"broken"), upload("a.jpg", small.rotate(180))))


def filled(*given):
    made = Album()
    assert made.add([*given]) == ""
    return made


def ended(turn, choice=None):
    return [*turn.follow(lambda: (choice or Choice(SETTINGS),))][-1]


def statuses(turn):
    return [row.status for row in turn.album.rows]


@pytest.mark.parametrize("full", [True, False])
def test_each_becomes_a_file_or_a_sentence_and_all_of_them_a_zip(photos, full):
    view = ended(photos, Choice(SETTINGS, full=full))
    kind = "jpg" if full else "png"
    assert view["phase"] == "done" and view["message"] == "3 photos: 2 restored; 1 failed: b.jpg."
    assert [row["made"] for row in view["rows"]] == [f"a-restored.{kind}", "", f"a-restored-2.{kind}"]
    assert "not a picture" in view["rows"][1]["words"] and "done in" in view["rows"][0]["words"]
    with zipfile.ZipFile(photos.album.packed()) as packed:
        assert packed.namelist() == [f"a-restored.{kind}", f"a-restored-2.{kind}"] and packed.testzip() is None
        packed.extract(packed.namelist()[0], Path(photos.album.archive).parent)
    assert Image.open(Path(photos.album.archive).parent / f"a-restored.{kind}").size == (40, 32)


def test_stop_keeps_what_is_finished_and_the_next_turn_goes_on(photos):
    run = photos.follow(lambda: (Choice(SETTINGS),))
    while statuses(photos)[2] != "running":
        next(run)
    first = photos.album.rows[0].file
    assert "1 restored" in photos.stop()["message"] and "goes on with the last one" in photos.view["message"]
    run.close()
    assert statuses(photos) == ["restored", "failed", "waiting"]
    turn = photos.next({})
    assert ended(turn)["phase"] == "done"
    assert turn.album.rows[0].file == first, "what is done is not done again"
    again = turn.next({})
    assert statuses(again) == ["restored", "waiting", "restored"], "what failed is tried once more"
    again.album.restart()
    assert statuses(again) == ["waiting"] * 3


def test_others_come_in_between(photos, monkeypatch):
    monkeypatch.setattr(many, "others_wait", lambda: True)
    view = ended(photos)
    assert view["phase"] == "again" and statuses(photos) == ["restored", "waiting", "waiting"]
    while view["phase"] == "again":
        photos = photos.next({})
        view = ended(photos)
    assert view["phase"] == "done" and statuses(photos) == ["restored", "failed", "restored"]


def test_a_turn_is_no_longer_than_a_job(photos, monkeypatch):
    monkeypatch.setattr(many, "limits", SimpleNamespace(current=lambda: SimpleNamespace(seconds=0)))
    assert ended(photos)["phase"] == "again"


def test_what_is_wrong_for_all_is_said_once(photos):
    def prepare():
        raise ParameterError("Nothing goes.")

    run, views = photos.follow(prepare), []
    with pytest.raises(Exception, match=r"Nothing goes\."):
        views.extend(run)
    assert statuses(photos) == ["waiting"] * 3


def test_a_photo_without_anything_to_repair_says_so(upload, photo):
    masked = Settings.create(mode=DEGRADED, task="inpaint-mask", solver="ddnm", sigma_y=0.05)
    turn = Many(album=filled(upload("plain.png", Image.new("RGB", (64, 48), "grey"))))
    ended(turn, Choice(masked, find=True))
    assert turn.album.rows[0].words == NOTHING_FOUND


def test_bounds_hold_and_are_said(upload, photo, monkeypatch):
    given = [upload(f"{index}.png", photo) for index in range(4)]
    monkeypatch.setattr(limits, "current", lambda: limits.Limits(photos=3))
    held = Album()
    assert held.add(given) == f"1 were left out. {album.bound()}. Restore them afterwards."
    assert len(held.rows) == 3 and "At most 3 at once" in album.bound()
    monkeypatch.setattr(album, "most", lambda: 0)
    assert Album().add(given[:2]).startswith("2 were left out")


def test_a_page_that_was_reloaded_brings_back_what_is_still_there(photos, upload, photo):
    ended(photos)
    kept = [{name: row[name] for name in ("path", "name", "words", "file")} for row in photos.view["rows"]]
    gone = upload("gone.png", photo)
    Path(gone["path"]).unlink()
    back, foreign = Album(), {"path": "/etc/passwd", "name": "p", "file": "/etc/passwd"}
    back.add([*kept, *kept, gone, foreign, {"name": "large", "words": "No."}])
    assert [row.status for row in back.rows] == ["restored", "failed", "restored", "failed", "failed", "failed"]
    assert not any(row.file for row in back.rows[3:]) and back.rows[5].words == "No."
    with zipfile.ZipFile(back.packed()) as packed:
        assert len(packed.namelist()) == 2
    Path(back.rows[0].file).unlink()
    with pytest.raises(ImageError, match="no more"):
        back.packed()
    for nonsense in (None, "a", [1]):
        with pytest.raises(ParameterError):
            back.add(nonsense)
