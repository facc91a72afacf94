"""The app without a browser: controls from specifications, settings, preview, and the run's generator."""

import base64
import html
import io
import itertools
import json
import re
import time
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import torch
from gradio.utils import get_upload_folder
from PIL import Image, ImageDraw

import inverse.web
from inverse.errors import DivergenceError, InverseError, ParameterError, ProblemError
from inverse.imaging import images, metrics
from inverse.operators import TASKS
from inverse.parameters import Flag, Integer, Parameters, Real, choice, flag, integer, real
from inverse.restoration import degrade
from inverse.settings import CLEAN, DEGRADED, Settings, carriers
from inverse.settings.carriers import read
from inverse.solvers import SOLVERS, Step
from inverse.solvers.advice import advice
from inverse.solvers.calls import PAUSE
from inverse.solvers.cost import passes
from inverse.solvers.defaults import default_solver
from inverse.solvers.presets import DEFAULT_TASK, default_task, preset, solvers_for
from inverse.web.base import limits
from inverse.web.base.guards import spoken_errors
from inverse.web.base.limits import Limits
from inverse.web.base.pictures import from_uri, mask_uri
from inverse.web.elements import controls, figures, photos
from inverse.web.elements.share import BROUGHT
from inverse.web.jobs import device, frames, offers, preview, running
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.job import Job, estimated_noise, working_size
from inverse.web.jobs.offers import tasks_for
from inverse.web.jobs.running import Latest
from inverse.web.page import cards, choices, comparing, events, form, jobs, share
from inverse.web.page.starts import Starts

WEB = Path(inverse.web.__file__).parent


def decoded(uri):
    head, body = uri.split(",", 1)
    assert head in ("data:image/jpeg;base64", "data:image/png;base64")
    return Image.open(io.BytesIO(base64.b64decode(body)))


@pytest.fixture(scope="module")
def page():
    from inverse.web.page import events, layout

    page = layout.build()
    events.wire(page)
    return page


@pytest.fixture
def settings():
    return Settings.create(
        mode=CLEAN, size=128, task="denoise", task_parameters={}, sigma_y=0.1,
        solver="vml-map", solver_parameters={}, seed=3,
    )  # fmt: skip


def values_of(page):
    """What Gradio would send for an untouched page."""
    return {component: component.value for component in {*page.choices, page.mask, page.solver_by_hand}}


# Controls


def test_every_parameter_of_every_task_and_solver_has_a_control_that_reads_back(page):
    values = values_of(page)
    for groups, registry in ((page.tasks, TASKS), (page.solvers, SOLVERS)):
        assert list(groups.groups) == list(registry)
        for name, kind in registry.items():
            group = groups.groups[name]
            assert list(group.controls) == list(kind.specs())
            assert kind.create(groups.read(name, values))


def test_a_control_carries_the_specification():
    class Made(Parameters):
        pass

    specs = {
        "share": real(0.5, 0.0, 1.0, help="A share.", effect="Too low is low.", unit="of all").metadata["spec"],
        "steps": integer(10, 2, 1000, help="Steps.").metadata["spec"],
        "kind": choice("one", "one", "two", help="Kind.").metadata["spec"],
        "on": flag(True, help="Switch.").metadata["spec"],
    }
    with gr.Blocks():
        made = {name: controls.control(spec, None, name=name, elem_id=name) for name, spec in specs.items()}
    share, count = made["share"].html_template, made["steps"].js_on_load
    given = made["share"].js_on_load
    assert all(part in given for part in ('"low": 0.0', '"high": 1.0', '"whole": false', "of all"))
    assert "A share. Too low is low." in share and specs["share"].limits in share
    assert '"whole": true' in count and '"log": true' in count, "a wide range of counts is explored by factors"
    assert '<option value="two">Two</option>' in made["kind"].html_template and "Kind." in made["kind"].html_template
    assert isinstance(made["on"], gr.Checkbox) and isinstance(specs["on"], Flag)
    assert isinstance(specs["share"], Real) and isinstance(specs["steps"], Integer)


def test_one_group_of_each_registry_is_shown(page):
    for groups in (page.tasks, page.solvers):
        for name in groups.groups:
            shown = [column for column, update in groups.show(name).items() if update["visible"]]
            assert shown == [groups.groups[name].column]


def test_choosing_sets_the_preset(page):
    for task in TASKS:
        for solver in solvers_for(task):
            changes = choices.change_solver(page, {page.task: task, page.solver: solver})
            group = page.solvers.groups[solver]
            found = {name: changes[component]["value"] for name, component in group.controls.items()}
            assert found == preset(task, solver).to_dict()


def at_task(page, task, solver, by_hand):
    """What choosing a task changes on a page with a solver."""
    values = {page.mode: CLEAN, page.task: task, page.solver: solver, page.photo: None, page.solver_by_hand: by_hand}
    return choices.change_task(page, values)


def test_a_solver_chosen_by_hand_stays_with_every_task_that_it_can_do(page):
    for task, solver in itertools.product(TASKS, SOLVERS):
        changes = at_task(page, task, solver, by_hand=True)
        kept = solver in solvers_for(task)
        assert changes[page.solver]["value"] == (solver if kept else default_solver(task))
        assert changes[page.solver_by_hand] is kept


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
    values = {page.task: "colorize", page.solver: "ddrm", page.solver_by_hand: False}
    assert choices.change_solver(page, values)[page.solver_by_hand] is True
    assert page.solver_by_hand not in choices.reset(page, values)


def test_the_page_says_where_a_classical_method_is_better(page):
    for task in TASKS:
        for solver in solvers_for(task):
            changes = choices.change_solver(page, {page.task: task, page.solver: solver})
            assert changes[page.solver_advice] == advice(task, solver)


def test_the_noise_of_a_damaged_photo_is_estimated_again_for_another_task(page, photo):
    mosaic = degrade(photo, "demosaic", sigma_y=0.1).measurement
    values = {page.mode: DEGRADED, page.solver: "vml-map", page.solver_by_hand: False, page.photo: mosaic}
    found = [
        choices.change_task(page, {**values, page.task: task})[page.settings["sigma_y"]]
        for task in ("denoise", "demosaic")
    ]
    assert found[0] > 0.2 > found[1], "to denoising a mosaic is noise"


def test_the_web_code_names_no_task_and_no_solver():
    quoted = re.compile(r"""["']([a-z0-9-]+)["']""")
    for file in [*WEB.rglob("*.py"), *WEB.rglob("*.js")]:
        named = set(quoted.findall(file.read_text(encoding="utf-8"))) & {*TASKS, *SOLVERS}
        assert not named, file.name


def test_no_handler_is_a_public_endpoint(page):
    assert page.blocks.get_api_info()["named_endpoints"] == {}, "those of api.py are added by `inverse.web.build`"


# Settings


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1, 1e308, True, "7", None, [5], {}])
@pytest.mark.parametrize("field", ["sigma_y", "seed", "steps", "missing"])
def test_hostile_values_end_in_a_sentence_that_names_the_field(field, bad):
    given = {
        "mode": CLEAN, "size": 128, "task": "inpaint-random", "task_parameters": {"missing": 0.5}, "sigma_y": 0.1,
        "solver": "dps", "solver_parameters": {"steps": 10}, "seed": 1,
    }  # fmt: skip
    nested = {"steps": "solver_parameters", "missing": "task_parameters"}
    if field in nested:
        given[nested[field]] = {field: bad}
    else:
        given[field] = bad
    with pytest.raises(ParameterError, match=rf"^{field} must be .*from"):
        offers.create(**given)


@pytest.mark.parametrize("name", ["task", "solver"])
@pytest.mark.parametrize("bad", ["", "<b>no</b>", None, 3, ["dps"], "../../etc"])
def test_unknown_names_are_refused(page, name, bad):
    values = values_of(page)
    values[getattr(page, name)] = bad
    with pytest.raises(ParameterError, match="Available"):
        form.settings(page, values)


@pytest.mark.parametrize("mode", [None, [], {}, "other", 1])
def test_an_unknown_mode_is_refused_in_words_and_not_remembered(page, mode):
    with pytest.raises(ParameterError, match="mode must be"):
        choices.change_mode(page, {**values_of(page), page.mode: mode, page.photo: None})


def test_a_degraded_photo_is_offered_only_what_can_have_happened_to_it(photo):
    offered = tasks_for(DEGRADED)
    assert default_task(degraded=True) in offered and default_task(degraded=False) in tasks_for(CLEAN)
    assert "inpaint-random" not in offered, "its mask is drawn here, so it is not the photo's"
    for name in offered:
        kind = TASKS.find(name)
        made = Settings.create(
            mode=DEGRADED, size=128, task=name, task_parameters={}, sigma_y=0.1, solver=solvers_for(name)[0],
            solver_parameters={}, seed=0,
        )  # fmt: skip
        if not kind.auxiliary:
            assert Job(made, photo).problem().truth is None


def test_the_restored_image_stays_within_the_limit(monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(side=400))
    tasks = [TASKS.find(name)() for name in ("denoise", "super-resolution")]
    for task, size in itertools.product(tasks, [(100, 80), (1000, 90), (500, 2000)]):
        picture = Image.new("RGB", size)
        for wanted in (None, 128, 512):
            shorter = working_size(picture, task, wanted)
            used = picture.size if shorter is None else images.fit(picture, shorter).size
            assert max(task.image_shape(used) if wanted is None else used) <= 400 + task.multiple


def test_the_noise_of_a_degraded_photo_is_estimated():
    flat = torch.full((1, 3, 96, 96), 0.0) + 0.2 * torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    assert estimated_noise(images.to_image(flat), TASKS.find("denoise")()) == pytest.approx(0.2, rel=0.1)


# The photo


def upload(page, values, file):
    """What follows from a file that a visitor uploads."""
    folder = Path(get_upload_folder()) / "hash"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file.name
    path.write_bytes(file.read_bytes())
    return choices.receive_photo(page, {**values, page.picker: {"path": str(path)}})


def after(values, changes):
    """The values with what was changed; updates that are no values change none."""
    plain = {each: value for each, value in changes.items() if not isinstance(value, dict) or "__type__" not in value}
    return {**values, **plain, **{each: update["value"] for each, update in changes.items() if each not in plain
                                  and "value" in update}}  # fmt: skip


@pytest.fixture
def photograph(tmp_path):
    """As a phone saves it: large, and turned by what its header says."""
    stored = Image.effect_noise((4032, 3024), 30).convert("RGB")
    exif = stored.getexif()
    exif[0x0112] = 6
    stored.save(tmp_path / "IMG 47 (1).JPG", "JPEG", quality=20, exif=exif)
    return tmp_path / "IMG 47 (1).JPG"


def test_a_visitors_photo_counts_as_damaged_and_an_example_as_clean(page, photograph):
    values = sent(page)
    changes = upload(page, values, photograph)
    assert changes[page.mode] == DEGRADED and "<b>Clean, to try</b>" in changes[page.mode_note]
    assert (
        changes[page.task]["value"] == default_task(degraded=True)
        and changes[page.settings["size"]]["visible"] is False
    )
    values = after(values, changes)
    assert form.settings(page, values).degraded
    back = choices.change_mode(page, {**values, page.mode: CLEAN})
    values = after({**values, page.mode: CLEAN}, back)
    assert page.mode not in upload(page, values, photograph), "who says that it is clean is believed"
    values[page.mode] = DEGRADED
    chosen = choices.receive_photo(page, {**values, page.picker: {"example": "coffee"}})
    assert chosen[page.mode] == CLEAN and chosen[page.settings["size"]]["visible"] is True


def test_a_task_that_can_have_happened_stays_when_a_photo_is_uploaded(page, photograph):
    changes = upload(page, sent(page, task="super-resolution"), photograph)
    assert changes[page.mode] == DEGRADED and changes[page.task]["value"] == "super-resolution"


def test_a_photos_true_size_is_said_and_what_it_is_worked_on_at(page, photograph):
    changes = upload(page, sent(page), photograph)
    assert changes[page.picker]["caption"] == "Your photo, 3024 × 4032" and max(changes[page.photo].size) == 2048
    for mode, words in (
        (CLEAN, "128 × 171 pixels, of a photo of 3024 × 4032"),
        (DEGRADED, "photo of 3024 × 4032 is shrunk"),
    ):
        values = {
            **sent(page, mode=mode, task="denoise"),
            **{each: changes[each] for each in (page.photo, page.photo_file)},
        }
        assert words in events._preview(page, values)[page.problem]["caption"]


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("IMG_4711.jpg", "IMG_4711"), ("Ferien in Köln.png", "Ferien_in_Köln"), ("a/../../b\\c.png", "b_c"),
        (".png", "png"), ("...", "photo"), ("x" * 300 + ".png", "x" * 60), ("tar.gz.png", "tar.gz"),
        ('<b>"$(rm)".jpg', "b_rm"),
    ],
)  # fmt: skip
def test_files_are_called_after_the_visitors_own(name, called):
    assert photos.plain_name(name) == called
    assert photos.PhotoFile(called, None, own=True).made("restored") == f"{called}-restored.png"


def test_a_run_and_a_sweep_are_saved_under_the_photos_name(page, photograph):
    values = after(sent(page), upload(page, sent(page), photograph))
    values |= {page.photo: Image.new("RGB", (64, 48), "grey"), sweep_of(page).x_values: "2,3"}
    *_, last = jobs.run(page, {**values, page.latest: Latest()})
    assert last[page.viewer]["filename"] == "IMG_47_1-restored.png"
    batch, tab = Batch(), sweep_of(page)
    list(tab.run(page, {**values, tab.batch: batch}))
    saved = tab.download(page, {tab.batch: batch, tab.table: {"download": "csv"}})[tab.file]
    assert saved["name"] == "IMG_47_1-sweep-steps.csv"


# What can be started


def test_a_button_can_be_pressed_while_nothing_is_wrong_and_nothing_under_way(page):
    values = sent(page)
    starts = values[page.starts]
    for button, promise in ((page.run, page.why), *((tab.start, tab.promise) for tab in page.tabs)):
        wrong = events._preview(page, {**values, page.settings["sigma_y"]: 7})
        assert wrong[button]["interactive"] is False and "Noise σ_y must be a number from 0 to 1" in wrong[promise]
        assert starts.end(button)["interactive"] is False, "the end of a run does not make it right"
        mended = events._preview(page, values)
        assert mended[button]["interactive"] is True and "must be" not in mended[promise]
        assert starts.begin(button)["interactive"] is False
        assert events._preview(page, values)[button]["interactive"] is False, "what is under way is not begun again"
        assert starts.end(button)["interactive"] is True


@pytest.mark.parametrize(
    ("changes", "blocked"),
    [
        ({"task": "inpaint-mask"}, {"run", "sweep", "compare"}), ({"x_values": "no"}, {"sweep"}),
        ({"contenders": []}, {"compare"}),
    ],
)  # fmt: skip
def test_only_what_cannot_be_run_is_blocked(page, changes, blocked):
    found = events._preview(page, sent(page, **changes))
    starts = [page.run, *(tab.start for tab in page.tabs)]
    assert {button.elem_id for button in starts if not found[button]["interactive"]} == blocked


def test_refusals_call_a_parameter_what_the_page_calls_it(page):
    solver = page.solvers.groups["vml-map"].controls["gradient_steps"]
    values = sent(page)
    with pytest.raises(ParameterError, match=r"^Gradient steps must be a whole number .* Choose a value"):
        form.settings(page, {**values, solver: -1})
    tab = sweep_of(page)
    promise = tab.plan(page, {**values, tab.x_values: "-1"}, form.job(page, values))[tab.promise]
    assert ">Noise levels must be" in promise


def test_advice_on_size_fits_what_there_is_to_choose(photo, monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(work=1, side=64, seconds=1))
    for mode, advised, other in ((CLEAN, "a smaller size", "photo"), (DEGRADED, "a smaller photo", "size")):
        made = chosen(
            mode=mode, size=None if mode == DEGRADED else 128, solver="dps", solver_parameters={"steps": 1000}
        )
        monkeypatch.setattr(device, "seconds", lambda *_: 2)
        job = Job(made, photo)
        with pytest.raises(ProblemError) as caught:
            job.problem()
        for words in (str(caught.value), job.cost):
            advice = words.split("Choose")[1]
            assert advised in advice and other not in advice


def test_every_solver_links_its_paper_beside_the_citation():
    for kind in SOLVERS.values():
        words = cards.cited(kind)
        assert f'<a href="{kind.paper}" target="_blank" rel="noopener">' in words and kind.paper.startswith("https://")
        assert html.unescape(re.sub("<.*?>", "", words)) == kind.remark()
        number = re.search(r"arXiv (\d{4}\.\d{5})", kind.source)
        assert not number or kind.paper == f"https://arxiv.org/abs/{number[1]}"


def test_a_setting_that_is_left_open_is_none_or_refused_and_one_for_clean_photos_is_not_asked_of_others(page):
    photons, sigma_y = (page.settings[name] for name in ("photons", "sigma_y"))
    for empty in ("", None):
        assert form.settings(page, {**values_of(page), photons: empty}).photons is None
        with pytest.raises(ParameterError, match=r"^Noise σ_y must be"):
            form.settings(page, {**values_of(page), sigma_y: empty})
    own = {**values_of(page), page.mode: DEGRADED, page.task: "denoise", photons: 100.0}
    assert form.settings(page, own).photons is None
    assert form.settings(page, {**own, page.mode: CLEAN}).photons == 100


# Tune


def sweep_of(page):
    return page.tabs[0]


def compare_of(page):
    return page.tabs[1]


def part(page, name):
    """A component of the page or of one of its tabs."""
    return next(parts[name] for parts in (page.settings, *map(vars, (page, *page.tabs))) if name in parts)


def sent(page, **changes):
    photo, file = photos.example("chelsea")
    values = {**values_of(page), page.photo: photo, page.photo_file: file, page.auxiliary: {}, page.mask: None}
    values[page.starts] = Starts()
    tabs = [part for tab in page.tabs for part in tab.inputs]
    values |= {component: component.value for component in tabs}
    values[page.settings["size"]] = 128
    return {**values, **{part(page, name): value for name, value in changes.items()}}


def chosen(**changes):
    usual = {
        "mode": CLEAN, "size": None, "task": "denoise", "task_parameters": {}, "sigma_y": 0.05, "solver": "ddnm",
        "solver_parameters": {}, "seed": 0, "photons": None, "samples": 1,
    }  # fmt: skip
    return Settings.create(**{**usual, **changes})


def test_settings_of_every_task_and_solver_come_back_from_the_page(page, photo):
    loaded = next(fn for fn in page.blocks.fns.values() if fn.js == BROUGHT)
    for task in TASKS:
        for solver in solvers_for(task):
            made = Settings.create(
                mode=CLEAN, size=200, task=task, task_parameters={}, sigma_y=0.123, solver=solver,
                solver_parameters={"sigma_max": 3.5}, seed=99, photons=80.0, samples=3,
            )  # fmt: skip
            changes = choices.adopt(page, made, photo, {})
            assert set(changes) <= set(loaded.outputs)
            values = sent(page)
            for component, change in changes.items():
                values[component] = change.get("value", values.get(component)) if isinstance(change, dict) else change
            assert form.settings(page, values) == made


def test_a_saved_picture_carries_what_made_it(settings, photo, monkeypatch):
    monkeypatch.setattr(running, "stream", steps(settings, photo, 3))
    view, _ = list(run(settings, photo))[-1]
    content = base64.b64decode(view["frame"]["x0"][0].split(",")[1])
    assert Settings.from_dict(read(content)) == (settings, [])


def test_every_sample_says_which_it_is(settings, photo, monkeypatch):
    several = replace(settings, samples=3)
    monkeypatch.setattr(running, "stream", steps(several, photo, 5))
    frame = list(run(several, photo))[-1][0]["frame"]
    found = [Settings.from_dict(read(base64.b64decode(uri.split(",")[1]))) for uri in frame["x0"]]
    assert [told for told, _ in found] == 3 * [several]
    assert [f"sample {number} of several" in notes[0] for number, (_, notes) in enumerate(found, 1)] == 3 * [True]
    for name in ("mean", "spread"):
        told, notes = Settings.from_dict(read(base64.b64decode(frame[name].split(",")[1])))
        assert told == several and name in notes[0]
    assert len(frame["xt"]) == len(frame["misfit"]) == 3 and "grey levels" in frame["words"]["spread"]
    assert len(set(frame["x0"])) == 3, "each shows its own sample"


def test_more_samples_than_the_machine_restores_at_once_are_refused(photo, monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(side=300))
    big = photo.resize((256, 256))
    made = Settings.create(size=256, task="denoise", sigma_y=0.1, samples=1)
    assert Job(made, big).problem().truth.shape[-2:] == (256, 256)
    with pytest.raises(ProblemError, match="fewer samples or a smaller size"):
        Job(replace(made, samples=2), big).problem()
    with pytest.raises(ParameterError, match="samples must be a whole number from 1 to 8"):
        offers.create(size=256, task="denoise", sigma_y=0.1, samples=9)


def test_the_cost_counts_every_sample(settings, photo):
    one, eight = (
        Job(replace(settings, size=512, samples=samples, solver=settings.solver.replace(steps=200)), photo)
        for samples in (1, 8)
    )
    assert "8 samples" in eight.cost and "samples" not in one.cost

    def minutes(words):
        number, unit = re.search(r"about (\d+) (s|min)", words).groups()
        return int(number) * (60 if unit == "min" else 1)

    assert minutes(eight.cost) == pytest.approx(8 * minutes(one.cost), rel=0.3)


def test_photons_of_a_photo_that_is_damaged_already_are_not_asked_for(page):
    assert form.settings(page, sent(page, photons=40)).photons == 40
    assert form.settings(page, sent(page, photons=None)).photons is None
    assert form.settings(page, sent(page, photons=40, mode=DEGRADED, task="denoise")).photons is None
    for bad in (0, -1, float("nan"), "40", True):
        with pytest.raises(ParameterError, match="Photons must be"):
            form.settings(page, sent(page, photons=bad))


def test_kept_settings_that_are_not_understood_are_passed_over_and_links_are_not(page):
    from inverse.settings import settings
    from inverse.web.page import share

    bad = {"kept": "nonsense"}
    assert list(share.arrived(page, sent(page, share=bad))) == [page.share]
    with pytest.raises(ParameterError):
        share.arrived(page, sent(page, share={"link": "nonsense"}))
    task = next(name for name in TASKS if len(solvers_for(name)) < len(SOLVERS))
    solver = next(name for name in SOLVERS if name not in solvers_for(task))
    made = settings.Settings.create(task=DEFAULT_TASK, solver=solver)
    unfit = replace(made, task=TASKS.find(task)()).link
    with pytest.raises(ProblemError):
        share.arrived(page, sent(page, share={"link": unfit}))
    assert list(share.arrived(page, sent(page, share={"kept": unfit}))) == [page.share]


@pytest.mark.parametrize("hostile", [None, 7, ["dps"], {"a": 1}, "no-such", "inpaint-random"])
def test_menus_leave_refusals_to_the_library(page, hostile):
    """A value that the menu no longer offers arrives; one that the library does not know ends in its sentence."""
    for menu in (page.task, page.solver, sweep_of(page).x_name, sweep_of(page).y_name):
        assert menu.preprocess(hostile) == hostile
    if hostile != "inpaint-random":
        for name in ("task", "solver"):
            with pytest.raises(ParameterError, match="Available"):
                form.settings(page, sent(page, **{name: hostile}))


def test_what_the_page_has_no_control_for_is_named_when_it_is_left_out(page, photo, settings, monkeypatch):
    from inverse.web.page import share

    said = []
    monkeypatch.setattr(share.gr, "Warning", lambda sentence, **_: said.append(sentence))
    for changes, expected in (
        ({}, []),
        ({"photons": 50.0, "samples": 3}, []),
        ({"prior": "big"}, ["prior"]),
    ):
        said.clear()
        link = replace(settings, **changes).link
        share.arrived(page, sent(page, share={"link": link}))
        assert [sentence.split()[0] for sentence in said] == expected


def test_the_promise_counts_the_runs_or_says_what_is_wrong(page):
    made = form.job(page, sent(page))
    values, tab = sent(page, x_values="10,20,30", y_name="seed", y_values="1,2"), sweep_of(page)
    assert tab.plan(page, values, made)[tab.promise].startswith("6 runs, about")
    for bad in ("<b>", "1:100000:64", "", "10:20:9"):
        words = tab.plan(page, sent(page, x_values=bad, y_name="seed", y_values="0:99:64"), made)[tab.promise]
        assert "inv-refused" in words and "<b>" not in words.replace("<b>10", "")
    for nothing in ([], None):
        words = compare_of(page).plan(page, sent(page, contenders=nothing), made)[compare_of(page).promise]
        assert "Choose at least one" in words


def test_cells_and_rows_are_one_sample_each_however_many_the_page_asks_for(page, monkeypatch):
    values = sent(page, samples=4, x_values="10,20")
    made = form.job(page, values)
    height, width = made.image_shape
    work = max(
        sum(passes(each.solver) for each in made_of) * height * width / 1e6
        for made_of in (
            sweep_of(page).runs(page, values, made.used).runs,
            compare_of(page).runs(page, values, made.used).runs,
        )
    )
    monkeypatch.setattr(limits, "current", lambda: Limits(work=int(work) + 1))
    assert sweep_of(page).plan(page, values, made)[sweep_of(page).promise].startswith("2 runs, about")
    assert "runs, about" in compare_of(page).plan(page, values, made)[compare_of(page).promise]


def test_equal_time_is_kept_or_the_row_says_that_it_is_not(page):
    names = ["vml-map", "dmap", "pigdm", "red-diff", "ddrm"]
    values = sent(page, contenders=names, budget=comparing.EQUAL)
    made = form.job(page, values)
    budget = passes(made.settings.solver)
    runs, head, _ = compare_of(page).runs(page, values, made.used)
    notes = dict(zip(names, head["notes"], strict=True))
    assert not notes["vml-map"] and not notes["ddrm"]
    for run in runs:
        cost = passes(run.solver)
        if note := notes[run.solver.name]:
            assert cost > budget and f"{cost:.0f} network passes, not {budget:.0f}" in note
        else:
            more = run.solver.replace(steps=run.solver.steps + 1)
            assert abs(cost - budget) <= passes(more) - cost
    assert all(notes[name] for name in ("dmap", "pigdm", "red-diff"))
    words = compare_of(page).plan(page, values, made)[compare_of(page).promise]
    assert all(run.solver.title in words for run in runs if notes[run.solver.name]) and "Not equal" in words
    values = sent(page, contenders=names, budget=comparing.PRESET)
    assert not any(compare_of(page).runs(page, values, made.used).head["notes"])


@pytest.mark.parametrize("bad", [5, [1], {"a": 1}, True])
@pytest.mark.parametrize("field", ["x_name", "x_values", "y_name", "y_values", "contenders", "budget"])
def test_hostile_values_of_the_tabs_end_in_a_sentence_that_names_the_field(page, field, bad):
    values = sent(page, **{field: bad})
    made = form.job(page, values)
    component = part(page, field)
    if field in ("contenders", "budget"):
        words = compare_of(page).plan(page, values, made)[compare_of(page).promise]
        handlers = [compare_of(page).run]
    else:
        words = sweep_of(page).plan(page, values, made)[sweep_of(page).promise]
        handlers = [sweep_of(page).suggest, sweep_of(page).run]
    assert "inv-refused" in words and f"{component.elem_id} must be" in words
    values[sweep_of(page).batch] = values[compare_of(page).batch] = None
    for handler in handlers:
        with pytest.raises((ParameterError, gr.Error), match=f"{component.elem_id} must be"):
            list(handler(page, values))


def test_a_broken_number_does_not_call_a_damaged_photo_the_original(page):
    values = sent(page, sigma_y=-1)
    for mode in (CLEAN, DEGRADED):
        shown = events._preview(page, {**values, page.mode: mode})[page.problem]
        assert shown["fault"] and "Noise σ_y must be" in shown["caption"] and "sigma_y" not in shown["caption"]
        assert (shown["truth"] is None) == (mode == DEGRADED) and (shown["measured"] is None) == (mode == CLEAN)


@pytest.mark.parametrize("name", ["picker", "share"])
def test_the_page_knows_how_large_a_request_may_be(monkeypatch, name):
    from inverse.web.elements.picker import picker
    from inverse.web.elements.share import share

    monkeypatch.setattr(limits, "current", lambda: Limits(body=77))
    with gr.Blocks():
        made = picker({}) if name == "picker" else share()
    assert '"megabytes": 77' in made.js_on_load


def test_sentences_that_are_shown_as_text_are_not_escaped(settings, photo, monkeypatch):
    def refused(*_):
        TASKS.find('<i> & "b"')

    generator, sent = Latest().follow(refused), []
    with pytest.raises(gr.Error, match="&lt;i&gt;"):
        sent.extend(iter(lambda: next(generator), None))
    assert "<i> & " in sent[-1][1]["message"] and "&lt;" not in sent[-1][1]["message"]

    monkeypatch.setattr(Job, "check", refused)
    generator, sent = Batch().begin(Job(settings, photo), {}), []
    with pytest.raises(gr.Error, match="&lt;i&gt;"):
        sent.extend(iter(lambda: next(generator), None))
    assert "<i> & " in sent[-1]["message"] and "&lt;" not in sent[-1]["message"]


def test_an_axis_of_another_solver_gives_way(page):
    values = sent(page, x_name="gradient_steps", x_values="1,2", solver="diffpir")
    changes = sweep_of(page).plan(page, values, form.job(page, values))
    assert changes[sweep_of(page).axes_before]["x-name"] == changes[sweep_of(page).x_name]["value"]
    assert changes[sweep_of(page).x_name]["value"] in SOLVERS["diffpir"].specs()
    assert "runs, about" in changes[sweep_of(page).promise]


def test_a_sweep_streams_cells_and_adopts_one(page):
    values = sent(page, solver="diffpir", x_values="10,12")
    values[sweep_of(page).batch] = Batch()
    views = [update[sweep_of(page).table] for update in sweep_of(page).run(page, values)]
    assert views[0]["phase"] == "running" and views[-1]["phase"] == "done" and len(views[-1]["cells"]) == 2
    assert views[-1]["best"]["psnr"] in (0, 1) and decoded(views[-1]["cells"][0]["src"])
    values[sweep_of(page).table] = {"adopt": 1}
    changes = sweep_of(page).adopt(page, values)
    assert changes[page.solvers.groups["diffpir"].controls["steps"]]["value"] == 12
    for bad in (None, -1, 2, True, "1", [0]):
        with pytest.raises(ParameterError, match="Run it again"):
            sweep_of(page).adopt(page, {**values, sweep_of(page).table: {"adopt": bad}})
    values[sweep_of(page).table] = {"download": "csv"}
    assert sweep_of(page).download(page, values)[sweep_of(page).file]["name"].endswith(".csv")


# Preview


@pytest.mark.parametrize("task", TASKS)
def test_every_task_shows_a_measurement_or_says_what_it_needs(task, photo):
    made = Settings.create(
        mode=CLEAN, size=128, task=task, task_parameters={}, sigma_y=0.05, solver=solvers_for(task)[0],
        solver_parameters={}, seed=0,
    )  # fmt: skip
    shown, cost = preview.show(Job(made, photo))
    assert decoded(shown["truth"]).size[0] > 0
    if TASKS.find(task).auxiliary:
        assert shown["fault"] and shown["measured"] is None and shown["caption"].endswith(".") and not cost
    else:
        assert not shown["fault"] and decoded(shown["measured"]).size[0] > 0 and "about" in cost


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
    on_pad = choices.on_pad(scan, form.settings(page, values), photo)
    back = np.asarray(from_uri(mask_uri(on_pad)[0]).convert("L"))
    assert back.any(1).all() and (back > 0).mean() < 0.05
    dots = Image.fromarray(255 * (np.random.default_rng(0).random((1120, 1440)) < 0.02).astype(np.uint8))
    uri, coarser = mask_uri(dots)
    small = np.asarray(from_uri(uri).convert("L")) > 0
    rows, columns = np.nonzero(np.asarray(dots))
    assert coarser and small[rows * small.shape[0] // 1120, columns * small.shape[1] // 1440].all()


@pytest.mark.parametrize("bad", ["x", "data:image/svg+xml;base64,AAAA", "data:image/png;base64,!", 5, ["a"]])
def test_a_mask_that_is_no_picture_is_refused(page, bad):
    values = {**values_of(page), page.task: "inpaint-mask", page.mask: {"mask": bad}}
    with pytest.raises(InverseError):
        form.auxiliary_picture(page, values)


# The run


def steps(settings, photo, total, seconds=0.0, closed=None, fail=None):
    """A stand-in for the library's stream: as many steps as wanted, as fast as wanted."""
    truth = settings.problem(photo, None).truth

    def stream(*_, **__):
        try:
            for index in range(1, total + 1):
                time.sleep(seconds)
                shares = (1 - torch.arange(settings.samples) / 10).view(-1, 1, 1, 1)  # no two samples are alike
                x0_hat = shares * truth * (index / total)
                step = Step(index, total, 0.5, x0_hat, x0_hat, index, 0, lambda x: torch.full((len(x),), 0.1))
                if fail is not None and index == fail[0]:
                    raise fail[1](step)
                yield step
        finally:
            if closed is not None:
                closed.append(time.perf_counter())

    return stream


def run(settings, photo, latest=None):
    job = Job(settings, photo)
    return (latest or Latest()).follow(lambda: (job, job.problem()))


def test_first_and_last_frame_are_always_sent_and_the_last_is_exact(settings, photo, monkeypatch):
    monkeypatch.setattr(running, "stream", steps(settings, photo, 500))
    sent = list(run(settings, photo))
    shown = [view["frame"] for view, _ in sent if view and view["frame"]]
    assert shown[0]["index"] == 1 and shown[-1]["index"] == 500
    truth = images.to_image(settings.problem(photo, None).truth)
    assert decoded(shown[-1]["x0"][0]).tobytes() == truth.tobytes()
    view, status = sent[-1]
    assert view["phase"] == status["phase"] == "done" and status["progress"] == 100
    assert view["filename"].endswith(".png") and view["width"], view["height"] == truth.size


def test_updates_follow_the_clock_not_the_steps(settings, photo, monkeypatch):
    monkeypatch.setattr(running, "stream", steps(settings, photo, 200, seconds=0.005))
    begun = time.perf_counter()
    sent = list(run(settings, photo))
    seconds = time.perf_counter() - begun
    assert 5 <= len(sent) <= seconds / running.UPDATE_EVERY + 6
    shown = [view for view, _ in sent if view and view["frame"]]
    assert len(shown) <= seconds / running.UPDATE_EVERY + 3


def test_stop_is_heard_at_the_next_step(settings, photo, monkeypatch):
    monkeypatch.setattr(running, "stream", steps(settings, photo, 200))
    latest = Latest()
    updates = run(settings, photo, latest)
    while latest.step is None:
        next(updates)
    seen, latest.stopping = latest.step.index, True
    ((view, status),) = updates
    assert latest.step.index == seen + 1
    assert status["phase"] == view["phase"] == "stopped" and view["frame"]["index"] == seen + 1


def pausing(*_, **options):
    """A run that is within one long step for ever."""
    assert options["pauses"]
    while True:
        yield PAUSE


def test_stop_is_heard_within_a_step(settings, photo, monkeypatch):
    monkeypatch.setattr(running, "stream", pausing)
    latest = Latest()
    updates = run(settings, photo, latest)
    for _ in range(3):
        next(updates)
    latest.stopping = True
    assert [status["phase"] for _, status in updates] == ["stopped"]


def test_the_clock_is_looked_at_within_a_step(settings, photo, monkeypatch):
    monkeypatch.setattr(running, "stream", pausing)
    monkeypatch.setattr(running.limits, "current", lambda: Limits(seconds=1))
    statuses = [status for _, status in run(settings, photo, Latest())]
    assert statuses[-1]["phase"] == "stopped" and "Stopped after 1 seconds" in statuses[-1]["message"]


@pytest.mark.parametrize("yielded", [1, 2])
def test_a_stop_that_the_queue_never_hears_of_ends_the_run(settings, photo, monkeypatch, yielded):
    closed = []
    monkeypatch.setattr(running, "stream", steps(settings, photo, 10**6, seconds=0.01, closed=closed))
    latest = Latest()
    updates = run(settings, photo, latest)
    for _ in range(yielded):
        next(updates)
    latest.stopping = True
    phases = [status["phase"] for _, status in updates]
    assert phases == ["stopped"] and len(closed) == yielded - 1


def test_a_stop_at_the_last_step_is_no_end(settings, photo, monkeypatch):
    latest = Latest()

    def last(*arguments, **options):
        yield from steps(settings, photo, 1)(*arguments, **options)

    monkeypatch.setattr(running, "stream", last)
    monkeypatch.setattr(running.figures, "verdict", lambda *_: setattr(latest, "stopping", True) or "Done.")
    assert [status["phase"] for _, status in run(settings, photo, latest)][-1] == "stopped"


@pytest.mark.parametrize("yielded", [1, 3])
def test_a_stop_that_the_queue_never_hears_of_ends_a_batch(settings, photo, yielded):
    runs = [replace(settings, seed=seed) for seed in range(20)]
    batch = Batch()
    views = batch.begin(Job(settings, photo).several(runs), {})
    for _ in range(yielded):
        next(views)
    batch.stopping = True
    phases = [view["phase"] for view in views]
    assert phases == ["stopped"] and len(batch.done) < len(runs)


def test_stop_before_a_batch_has_begun_is_remembered(page):
    # Gradio keeps what is to be cancelled beside it, under the same button.
    clicked = [each.fn for each in page.blocks.fns.values() if (sweep_of(page).stop._id, "click") in each.targets]
    (stopped,) = [handler for handler in clicked if handler]
    batch = Batch()
    shown = stopped(batch, Starts())[sweep_of(page).table]
    assert batch.stopping and shown["phase"] == "stopped" and "cells" not in shown, "those of an earlier batch stay"
    assert sweep_of(page).start in stopped(None, Starts())


def test_one_that_took_long_does_not_put_the_next_off_for_ever():
    clock = frames.Clock(every=0.0, share=0.005, most=1.0)
    clock.spent(10.0)
    assert clock.due <= time.perf_counter() + 1.0


@pytest.mark.parametrize(("cost", "allowed"), [(0.001, 0.25), (1.0, 24.0)])
def test_what_costs_much_comes_seldom(monkeypatch, cost, allowed):
    now = 100.0
    monkeypatch.setattr(frames.time, "perf_counter", lambda: now)
    clock = frames.Clock(every=0.25, share=0.04)
    assert clock.due <= now, "the first comes at once"
    clock.spent(cost)
    assert clock.due - now == pytest.approx(allowed)
    assert cost / (cost + clock.due - now) <= 0.04 + 1e-9


def test_closing_the_run_closes_the_solver_at_once(settings, photo, monkeypatch):
    closed = []
    monkeypatch.setattr(running, "stream", steps(settings, photo, 10**6, seconds=0.001, closed=closed))
    latest = Latest()
    generator = run(settings, photo, latest)
    for view, _ in generator:
        if view and view["frame"]:
            break
    generator.close()
    assert len(closed) == 1, "and not after the rest of its steps, which take a quarter of an hour"
    view, status = latest.stop()
    assert status["phase"] == "stopped" and decoded(view["frame"]["x0"][0]).format == "PNG"


def test_divergence_says_so_and_keeps_the_last_good_frame(settings, photo, monkeypatch):
    def diverged(step):
        return DivergenceError("DPS diverged at step 3. Lower step_size.", step)

    monkeypatch.setattr(running, "stream", steps(settings, photo, 9, fail=(3, diverged)))
    sent, generator = [], run(settings, photo)
    with pytest.raises(gr.Error, match="Lower step_size"):
        sent.extend(iter(lambda: next(generator), None))
    view, status = sent[-1]
    assert status["phase"] == view["phase"] == "failed" and "Lower step_size" in status["message"]
    assert view["frame"]["index"] == 3


def test_a_run_without_a_photo_says_what_to_do(page):
    updates = jobs.run(page, {**sent(page), page.photo: None, page.latest: None})
    shown = [next(updates), next(updates)]
    assert shown[-1][page.status]["phase"] == "failed"
    with pytest.raises(gr.Error, match="Choose a photo again"):
        next(updates)


def test_a_run_ends_at_its_time_limit(settings, photo, monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(seconds=1))
    monkeypatch.setattr(running, "stream", steps(settings, photo, 10**6, seconds=0.01))
    *_, (view, status) = run(settings, photo)
    assert status["phase"] == view["phase"] == "stopped" and "most that a run may take" in status["message"]
    assert view["record"] and view["frame"]["x0"][0].startswith("data:image/png"), "as with Stop, the picture stays"


def test_a_run_beyond_its_time_limit_is_announced(settings, photo, monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(seconds=60))
    for seconds, announced in ((59, False), (61, True)):
        monkeypatch.setattr(device, "seconds", lambda *_, seconds=seconds: seconds)
        assert ("a run ends after 1 min" in Job(settings, photo).cost) == announced


def test_a_photo_that_is_larger_than_what_comes_out_is_said_to_be_shrunk(photo):
    made = chosen(mode=DEGRADED, task="super-resolution")
    small, _ = preview.show(Job(made, photo))
    large, _ = preview.show(Job(made, photo.resize((1200, 900))))
    assert "shrunk" not in small["caption"]
    assert "256 × 192, restored at 1024 × 768" in large["caption"] and "1200 × 900" in large["caption"]


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (64, 48), (301, 201), (1200, 75)])
@pytest.mark.parametrize("degraded", [True, False])
def test_the_shape_is_that_of_the_photo_as_it_is_used(size, degraded):
    for task in ("denoise", "super-resolution", "jpeg"):
        made = chosen(mode=DEGRADED if degraded else CLEAN, task=task, size=None if degraded else 128)
        job = Job(made, Image.new("RGB", size))
        used, found = job.part, job.image_shape
        assert found == (made.task.image_shape((used.height, used.width)) if degraded else (used.height, used.width))


def test_a_run_takes_the_photo_of_the_moment_when_it_was_asked_for(page, photo):
    """While it waits for the device the visitor may choose another."""
    other, values = Image.new("RGB", (72, 56)), sent(page)
    latest = Latest(asked={page.photo: photo})
    run = jobs.run(page, {**values, page.photo: other, page.latest: latest, page.settings["size"]: 64})
    *_, (last, problem) = [(update, latest.problem) for update in run]
    truth = images.to_image(problem.truth)
    assert truth.size == (64 * 72 // 56 // problem.task.multiple * problem.task.multiple, 64)
    assert np.asarray(truth).std() > 5 and last[page.status]["phase"] == "done"


def test_a_server_that_knows_no_photo_of_the_page_takes_no_other(page):
    shown = events._preview(page, {**sent(page), page.photo: None})
    assert "reload the page" in shown[page.problem]["caption"] and shown[page.problem]["truth"] is None
    assert shown[page.share] == share.NOTHING
    with pytest.raises(gr.Error, match="reload the page"):
        list(jobs.run(page, {**sent(page), page.photo: None, page.latest: None}))


def test_what_the_browser_kept_of_a_damaged_photo_is_not_said_of_the_example(page, settings):
    kept = replace(settings, mode=DEGRADED, size=None, sigma_y=0.123)
    values = {page.share: {"kept": kept.link}, page.photo: photos.example("chelsea")[0], page.auxiliary: {}}
    changes = share.arrived(page, values)
    assert changes[page.mode] == CLEAN and changes[page.settings["sigma_y"]] != 0.123


def test_a_sweep_that_is_refused_leaves_the_one_before_on_the_page(photo):
    old, job = Batch(), Job(chosen(), photo)
    old.begin(job, {})
    asked = Batch(earlier=Batch.shown(old))
    assert Batch.shown(asked) is old and Batch.shown(Batch(earlier=Batch.shown(asked))) is old
    asked.begin(job, {})
    assert Batch.shown(asked) is asked and asked.earlier is None


@pytest.mark.parametrize("error", [RuntimeError("/home/secret/path"), torch.OutOfMemoryError("CUDA 0")])
def test_unexpected_errors_tell_nothing_private(error):
    with pytest.raises(gr.Error) as caught, spoken_errors():
        raise error
    assert "secret" not in caught.value.message and caught.value.message.endswith(".")


def test_what_a_person_typed_is_shown_as_text_in_an_error():
    with pytest.raises(gr.Error) as caught, spoken_errors():
        TASKS.find("<img src=x onerror=alert(1)>")
    assert "<img" not in caught.value.message and "&lt;img" in caught.value.message


def test_the_figures_are_in_the_units_that_they_say(settings, photo):
    problem = settings.problem(photo, None)
    step = Step(5, 10, 0.5, problem.truth, problem.truth, 7, 0, lambda _: torch.tensor([0.2]))
    said = {label: text for label, text, _ in figures.running(problem, step, 2.5)["figures"]}
    assert said["Update"] == "5 / 10" and said["Speed"] == "2.0 / s" and said["Network calls"] == "7"
    assert said["Data residual"] == "2.00 × noise", "a residual of 0.2 at sigma_y = 0.1"
    assert "inf" in said["PSNR"]
    wrong = replace(step, z0_hat=torch.cat([0.9 * problem.truth - 0.05, 1.5 * problem.truth]))
    said = {label: text for label, text, _ in figures.running(problem, wrong, 2.5)["figures"]}
    expected = sum(metrics.psnr(x0_hat, problem.truth[0]) for x0_hat in wrong.x0_hat) / 2
    assert said["PSNR"] == f"{expected:.1f} dB"


def test_help_texts_stand_for_themselves_in_a_template():
    hostile = Real(help='`${alert(1)}` {{value}} \\ <b>"x"</b>', low=0, high=1)
    with gr.Blocks():
        made = controls.control(hostile, 0.5, name="x", elem_id="x")
    text = made.html_template.split('class="inv-help" hidden>')[1].split("</p>")[0]
    assert not set('`${}\\<"') & set(text)


def test_what_a_person_typed_is_shown_as_text_in_a_note_and_in_a_refusal(page, settings, monkeypatch):
    from inverse.web.page import share

    said, typed = [], "<img src=x onerror=alert(1)>"
    monkeypatch.setattr(share.gr, "Warning", lambda sentence, **_: said.append(sentence))
    share.arrived(
        page, sent(page, share={"link": carriers.pack(json.dumps({**json.loads(settings.to_json()), typed: 1}))})
    )
    values = sent(page, x_values=typed)
    said.append(sweep_of(page).plan(page, values, form.job(page, values))[sweep_of(page).promise])
    assert len(said) == 2 and all("&lt;img" in words and "<img" not in words for words in said)
