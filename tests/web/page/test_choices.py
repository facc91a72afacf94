"""What follows from a choice: a task, a solver, a mode, a photo, a mask."""

import base64
import io
import itertools

import latents
import numpy as np
import pytest
from offered import offered, two
from pages import preview, sent, sweep_of, values_of
from PIL import Image, ImageDraw

from inverse.denoisers.cards import LATENT
from inverse.errors import InverseError, ParameterError
from inverse.operators import TASKS
from inverse.restoration import degrade
from inverse.settings import CLEAN, DEGRADED
from inverse.solvers import SOLVERS
from inverse.solvers.advice import advice
from inverse.solvers.defaults import default_solver
from inverse.solvers.presets import possible, preset, solvers_for
from inverse.solvers.qualities import QUALITIES, STANDARD, at_quality
from inverse.solvers.qualities import offered as offered_qualities
from inverse.web.base.pictures import LONGEST_STROKES, from_uri, mask_uri, strokes_uri
from inverse.web.page import choices, drawn, form


def test_choosing_sets_the_preset(page):
    for task in TASKS:
        for solver in solvers_for(task):
            changes = choices.change_solver(page, {page.prior: "embedded", page.task: task, page.solver: solver})
            group = page.solvers.groups[solver]
            found = {name: changes[component]["value"] for name, component in group.controls.items()}
            assert found == preset(task, solver).to_dict()


def at_task(page, task, solver, by_hand):
    """What choosing a task changes on a page with a solver."""
    values = {
        page.prior: "embedded", page.mode: CLEAN, page.task: task, page.solver: solver, page.photo: None,
        page.solver_by_hand: by_hand,
    }  # fmt: skip
    return choices.change_task(page, values)


def test_a_solver_chosen_by_hand_stays_with_every_task_that_it_can_do(page):
    for task, solver in itertools.product(TASKS, SOLVERS):
        changes = at_task(page, task, solver, by_hand=True)
        kept = solver in solvers_for(task)
        assert changes[page.solver]["value"] == (solver if kept else default_solver(task))
        assert changes[page.solver_by_hand] is kept


def test_with_latents_only_solvers_that_reach_them_are_chosen(page, tmp_path):
    with offered(latents.pipeline(tmp_path / "latents")) as priors:
        prior = next(name for name in priors if name != "embedded")
        for task, solver in itertools.product(TASKS, SOLVERS):
            values = {page.prior: prior, page.mode: CLEAN, page.task: task, page.solver: solver}
            changes = choices.change_prior(page, {**values, page.photo: None, page.solver_by_hand: True})
            assert possible(task, changes[page.solver]["value"], LATENT)
            assert changes[page.solver_by_hand] is (possible(task, solver, LATENT) and solver != "cse")


def test_a_solver_that_nobody_chose_follows_the_task(page):
    assert page.solver.value == default_solver(page.task.value) and page.solver_by_hand.value is False
    for task, solver in itertools.product(TASKS, SOLVERS):
        changes = at_task(page, task, solver, by_hand=False)
        chosen = default_solver(task)
        assert changes[page.solver]["value"] == chosen and changes[page.solver_by_hand] is False
        group = page.solvers.groups[chosen]
        found = {name: changes[component]["value"] for name, component in group.controls.items()}
        assert found == preset(task, chosen).to_dict()


def test_only_a_choice_counts_as_one(page):
    values = {page.prior: "embedded", page.task: "colorize", page.solver: "ddrm", page.solver_by_hand: False}
    assert choices.change_solver(page, values)[page.solver_by_hand] is True
    assert page.solver_by_hand not in choices.reset(page, values)


def test_the_page_says_where_a_classical_method_is_better(page):
    for task in TASKS:
        for solver in solvers_for(task):
            changes = choices.change_solver(page, {page.prior: "embedded", page.task: task, page.solver: solver})
            assert changes[page.solver_advice] == advice(task, solver)


def test_the_noise_of_a_damaged_photo_is_estimated_again_for_another_task(page, photo):
    mosaic = degrade(photo, "demosaic", sigma_y=0.1).measurement
    values = {
        page.prior: "embedded", page.mode: DEGRADED, page.solver: "vml-map", page.solver_by_hand: False,
        page.photo: mosaic,
    }  # fmt: skip
    found = [
        choices.change_task(page, {**values, page.task: task})[page.settings["sigma_y"]]
        for task in ("denoise", "demosaic")
    ]
    assert found[0] > 0.2 > found[1], "to denoising a mosaic is noise"


@pytest.mark.parametrize("name", ["prior", "task", "solver"])
@pytest.mark.parametrize("bad", ["", "<b>no</b>", None, 3, ["dps"], "../../etc"])
def test_unknown_names_are_refused(page, name, bad):
    values = values_of(page)
    values[getattr(page, name)] = bad
    with pytest.raises(ParameterError, match=r"Available|must be one of"):
        form.settings(page, values)


@pytest.mark.parametrize("mode", [None, [], {}, "other", 1])
def test_an_unknown_mode_is_refused_in_words_and_not_remembered(page, mode):
    with pytest.raises(ParameterError, match="mode must be"):
        choices.change_mode(page, {**values_of(page), page.mode: mode, page.photo: None})


def test_a_setting_that_is_left_open_is_none_or_refused_and_one_for_clean_photos_is_not_asked_of_others(page):
    photons, sigma_y = (page.settings[name] for name in ("photons", "sigma_y"))
    for empty in ("", None):
        assert form.settings(page, {**values_of(page), photons: empty}).photons is None
        with pytest.raises(ParameterError, match=r"^Noise must be"):
            form.settings(page, {**values_of(page), sigma_y: empty})
    own = {**values_of(page), page.mode: DEGRADED, page.task: "denoise", photons: 100.0}
    assert form.settings(page, own).photons is None
    assert form.settings(page, {**own, page.mode: CLEAN}).photons == 100


def test_photons_of_a_photo_that_is_damaged_already_are_not_asked_for(page):
    assert form.settings(page, sent(page, photons=40)).photons == 40
    assert form.settings(page, sent(page, photons=None)).photons is None
    assert form.settings(page, sent(page, photons=40, mode=DEGRADED, task="denoise")).photons is None
    for bad in (0, -1, float("nan"), "40", True):
        with pytest.raises(ParameterError, match="Photons must be"):
            form.settings(page, sent(page, photons=bad))


@pytest.mark.parametrize("hostile", [None, 7, ["dps"], {"a": 1}, "no-such", "inpaint-random"])
def test_menus_leave_refusals_to_the_library(page, hostile):
    """A value that the menu no longer offers arrives; one that the library does not know ends in its sentence."""
    for menu in (page.task, page.solver, sweep_of(page).x_name, sweep_of(page).y_name):
        assert menu.preprocess(hostile) == hostile
    if hostile != "inpaint-random":
        for name in ("task", "solver"):
            with pytest.raises(ParameterError, match=r"Available|must be one of"):
                form.settings(page, sent(page, **{name: hostile}))


def test_a_brushed_mask_reaches_the_problem(page, photo):
    buffer = io.BytesIO()
    mask = Image.new("L", (72, 56))
    mask.paste(255, (10, 10, 30, 20))
    mask.save(buffer, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    values = {**values_of(page), page.task: "inpaint-mask", page.mask: {"mask": uri}, page.settings["size"]: 128}
    problem = form.job(page, {**values, page.photo: photo, page.photo_file: None}).problem()
    assert problem.operator.entries < 3 * problem.truth[0, 0].numel()


def test_an_uploaded_mask_is_small_enough_to_be_sent_back():
    box = Image.new("L", (900, 700))
    box.paste(255, (100, 100, 500, 300))
    uri, coarser = mask_uri(box)
    assert not coarser and len(uri) < 2000 and from_uri(uri).convert("L").tobytes() == box.tobytes()
    uri, coarser = mask_uri(Image.effect_noise((1200, 900), 200))
    assert coarser and len(uri) <= 40_000 and min(from_uri(uri).size) > 200


def test_thin_scratches_outlive_the_way_to_the_page(page, photo):
    """An uploaded mask of a large scan, on the pad at the size at which the photo is used."""
    scan = Image.new("L", (1440, 1120))
    ImageDraw.Draw(scan).line((700, 0, 760, 1119), 255, 3)
    values = {**values_of(page), page.task: "inpaint-mask", page.settings["size"]: 128, page.photo: photo}
    on_pad = drawn.on_pad(scan, form.settings(page, values), photo)
    back = np.asarray(from_uri(mask_uri(on_pad)[0]).convert("L"))
    assert back.any(1).all() and (back > 0).mean() < 0.05
    dots = Image.fromarray(255 * (np.random.default_rng(0).random((1120, 1440)) < 0.02).astype(np.uint8))
    uri, coarser = mask_uri(dots)
    small = np.asarray(from_uri(uri).convert("L")) > 0
    rows, columns = np.nonzero(np.asarray(dots))
    assert coarser and small[rows * small.shape[0] // 1120, columns * small.shape[1] // 1440].all()


def test_strokes_on_their_pad_reach_the_problem_and_come_back_from_a_file(page, photo, tmp_path, monkeypatch):
    strokes = Image.new("RGBA", photo.size)
    strokes.paste("seagreen", (10, 10, 30, 20))
    uri, coarser = strokes_uri(strokes)
    assert not coarser and from_uri(uri, TASKS["colorize-strokes"]().load).tobytes() == strokes.tobytes()
    values = {**values_of(page), page.task: "colorize-strokes", page.strokes: {"mask": uri}, page.mode: DEGRADED}
    values |= {page.photo: photo.convert("L").convert("RGB"), page.photo_file: None}
    problem = form.job(page, values).problem()
    assert problem.operator.marks.sum() == 200
    strokes.save(tmp_path / "strokes.png")
    monkeypatch.setattr("inverse.web.base.guards.uploaded", lambda path: tmp_path / path)
    back = drawn.receive_strokes(page, {**values, page.strokes: {"path": "strokes.png"}})[page.strokes]
    assert back == {"mask": uri, "load": True}
    colourful = Image.effect_noise((300, 200), 90).convert("RGB").point(lambda level: level * 7 % 256)
    small, coarser = strokes_uri(Image.merge("RGBA", (*colourful.split(), Image.new("L", colourful.size, 255))))
    assert coarser and len(small) <= LONGEST_STROKES


def test_strokes_belong_to_one_task_and_no_chain(page):
    assert page.strokes_panel.visible is False
    changes = choices.change_task(
        page, {**values_of(page), page.task: "colorize-strokes", page.photo: None, page.diagnosis: None}
    )
    assert changes[page.strokes_panel]["visible"] and not changes[page.picture_panel]["visible"]
    assert "colorize-strokes" not in page.settings["then"].props["choices"]


@pytest.mark.parametrize("bad", ["x", "data:image/svg+xml;base64,AAAA", "data:image/png;base64,!", 5, ["a"]])
def test_a_mask_that_is_no_picture_is_refused(page, bad):
    values = {**values_of(page), page.task: "inpaint-mask", page.mask: {"mask": bad}}
    with pytest.raises(InverseError):
        form.auxiliary_picture(page, values)


@pytest.mark.parametrize("task", ["super-resolution", "inpaint-half", "demosaic", "jpeg"])
def test_a_quality_is_a_solver_and_its_settings_and_the_page_tells_it_from_them(page, task):
    values = {**sent(page), page.task: task}
    for quality in QUALITIES:
        changes = choices.change_quality(page, {**values, page.quality: quality})
        meant = at_quality(quality, TASKS[task]())
        assert changes[page.solver] == meant.name and changes[page.solver_by_hand] is False
        controls = page.solvers.groups[meant.name].controls
        assert {name: changes[each]["value"] for name, each in controls.items()} == meant.to_dict()
        assert changes[page.settings["samples"]] == QUALITIES[quality].samples
        chosen = {**values, page.solver: meant.name} | {each: changes[each]["value"] for each in controls.values()}
        told = preview(page, chosen)[page.quality]
        names = offered_qualities(TASKS[task]())
        assert [name for _, name in told["choices"]] == names
        assert told["value"] == (quality if quality in names else STANDARD)
        assert preview(page, {**chosen, controls["sigma_min"]: 0.123})[page.quality]["value"] is None


def test_the_quality_stays_when_the_task_changes(page):
    for quality, task in itertools.product(QUALITIES, ("super-resolution", "inpaint-half", "demosaic", "jpeg")):
        values = {**values_of(page), page.task: task, page.quality: quality, page.photo: None}
        changes, meant = choices.change_task(page, values), at_quality(quality, TASKS[task]())
        assert changes[page.solver]["value"] == meant.name
        controls = page.solvers.groups[meant.name].controls
        assert {name: changes[each]["value"] for name, each in controls.items()} == meant.to_dict()


def test_the_pyramid_is_offered_for_a_prior_whose_thresholds_are_known(page, tmp_path):
    with offered("embedded", *two(tmp_path / "own")):
        for prior, seen in (("embedded", True), ("mine.safetensors", False)):
            changes = choices.change_prior(page, {**sent(page), page.prior: prior})
            assert changes[page.settings["pyramid"]]["visible"] is seen
    off = {**sent(page), page.settings["pyramid"]: False}
    assert form.settings(page, off).pyramid is False and form.settings(page, sent(page)).pyramid is True
