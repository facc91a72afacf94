"""Several photos on the page: offered for damaged ones, each with a mask of its own or the same, by what is chosen."""

import pages
import pytest
from pages import sent

from inverse.settings import DEGRADED
from inverse.web.base.gradio_internals import upload_folder
from inverse.web.jobs.many import Many
from inverse.web.page.many import SAME


@pytest.fixture(scope="module")
def page():
    return pages.built()


@pytest.fixture
def photos(photo):
    """What the page sends of two photos that were uploaded."""
    folder = upload_folder() / "many-card-test"
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(2):
        photo.save(folder / f"{index}.png")
    return [{"path": str(folder / f"{index}.png"), "name": f"{index}.png"} for index in range(2)]


def asked(page, state=None, **what):
    return pages.behind(page, page.many.seen, "upload")({page.many.seen: {**what, "at": 1}, page.many.state: state})


def test_photos_are_taken_begun_anew_and_removed(page, photos):
    changes = asked(page, add=photos)
    state = changes[page.many.state]
    assert [row["name"] for row in changes[page.many.seen]["rows"]] == ["0.png", "1.png"]
    state.album.rows[0].status = "restored"
    assert asked(page, state, over=True)[page.many.state].album.waiting == state.album.rows
    assert not asked(page, state, clear=True)[page.many.state].album.rows
    with pytest.raises(Exception, match="nothing that can be done"):
        asked(page, state)


def test_offered_for_damaged_photos_whatever_is_drawn_for_this_one(page, photos):
    state = asked(page, add=photos)[page.many.state]

    def planned(**changes):
        found = pages.preview(page, {**sent(page, **{"mode": DEGRADED, **changes}), page.many.state: kept})
        return found[page.many.start]["interactive"], found[page.many.promise]

    kept = None
    assert planned() == (False, "")
    kept = state
    assert planned()[0] and planned()[1].startswith("2 photos, one after another")
    able, words = planned(mode="clean")
    assert not able and "Choose Damaged" in words
    assert planned(task="inpaint-mask")[0], "each has a mask of its own"
    values = {**sent(page, mode=DEGRADED, task="inpaint-mask"), page.many.state: state, page.many.mask: SAME}
    found = pages.preview(page, values)
    assert not found[page.many.start]["interactive"] and "needs a mask" in found[page.many.promise]


def test_each_photo_s_own_noise_is_estimated_unless_somebody_said_otherwise(page, photos):
    state = asked(page, add=photos)[page.many.state]
    values = {**sent(page, mode=DEGRADED, task="denoise", sigma_y=0.2), page.many.state: state}
    assert page.many._choice(page, values).settings.sigma_y == 0.2
    found = pages.behind(page, page.mode, "input")({**values, page.diagnosis: None})[page.settings["sigma_y"]]
    choice = page.many._choice(page, {**values, page.settings["sigma_y"]: found})
    assert choice.settings.sigma_y is None and choice.full and not choice.find
    assert isinstance(page.many.new({}, state), Many) and page.many.new({}, state).album is state.album
