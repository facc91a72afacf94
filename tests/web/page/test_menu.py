"""The menu of priors: what it offers and refuses, what a choice changes, and what comes back from a file or a link."""

import base64
import json
from dataclasses import replace

import gradio as gr
import pages
import pytest
from hubs import hub_of
from offered import offered, two
from pages import compare_of, part, sent, sweep_of

from inverse.denoisers import memory
from inverse.denoisers.cards import DDPM, EMBEDDED, PRIORS
from inverse.errors import ParameterError, ProblemError
from inverse.settings import DEGRADED, Settings, carriers
from inverse.settings.carriers import read
from inverse.solvers import SOLVERS, presets
from inverse.solvers.presets import UNTUNED, Preset, preset
from inverse.web.jobs import priors
from inverse.web.jobs.running import Latest
from inverse.web.page import choices, form, offering, share


@pytest.fixture
def own(tmp_path):
    with offered(*two(tmp_path / "secret")) as found:
        yield found


def put(page, values, changes):
    """The values after updates, as a browser has them."""
    merged = dict(values)
    for component, change in changes.items():
        if isinstance(change, dict) and "__type__" in change:
            merged[component] = change.get("value", merged.get(component))
        else:
            merged[component] = change
    return merged


def chosen(page, name, **changes):
    """The page after that prior was chosen."""
    values = {**sent(page, **changes), page.prior: name}
    return put(page, values, choices.change_prior(page, values))


def names(update):
    return [value for _, value in update["choices"]]


def test_the_menu_says_what_each_has_seen_and_why_one_cannot_be_chosen(page, own, monkeypatch):
    entries = {each["name"]: each for each in offering.menu_of_priors()["choices"]}
    assert [*entries] == [EMBEDDED, "faces", "mine.safetensors"]
    assert "Photographs of all kinds" in entries[EMBEDDED]["about"] and "Apache-2.0" in entries[EMBEDDED]["about"]
    assert "16 × 16 pixels" in entries["faces"]["about"] and not any(each["refused"] for each in entries.values())
    monkeypatch.setattr(memory, "free_bytes", lambda device: 0)
    entries = {each["name"]: each for each in offering.menu_of_priors()["choices"]}
    assert "GB of memory" in entries["faces"]["refused"] and not entries[EMBEDDED]["refused"]


def test_the_menu_is_made_anew_at_every_visit(page, own):
    config = page.blocks.get_config_file()
    (number,) = [each["id"] for each in config["components"] if each["props"].get("elem_id") == "prior"]
    loads = [each for each in config["dependencies"] if "load" in [kind for _, kind in each["targets"]]]
    assert any(each["outputs"] == [number] for each in loads)


def test_a_choice_brings_presets_size_and_words(page, own, monkeypatch):
    row = preset("denoise", "diffpir")
    table = {"diffpir": {"denoise": Preset({"steps": row.steps + 3})}}
    monkeypatch.setattr(presets, "table_of", lambda kind: table if kind == DDPM else presets.PRESETS)
    hand = {"task": "denoise", "solver": "diffpir", "solver_by_hand": True}
    values = chosen(page, "faces", **hand)
    made = form.settings(page, values)
    assert made.solver == preset("denoise", "diffpir", kind=DDPM) and made.solver.steps == row.steps + 3
    assert made.size == 16 and made.prior == own["faces"].identity and "secret" not in made.to_json()
    back = form.settings(page, put(page, values, choices.change_prior(page, {**values, page.prior: EMBEDDED})))
    assert back.solver == row and back.size == 256 and back.prior == EMBEDDED
    reset = choices.reset(page, values)[page.solvers.groups["diffpir"].controls["steps"]]["value"]
    assert reset == row.steps + 3, "Reset goes back to the preset of this prior's kind"


def test_the_page_says_where_a_prior_is_not_tuned_and_where_it_is_not_at_its_size(page, own):
    assert pages.preview(page, sent(page))[page.prior_note] == ""
    values = chosen(page, "faces")
    assert pages.preview(page, values)[page.prior_note].endswith(UNTUNED)
    assert "attention" not in pages.preview(page, values)[page.prior_note]
    other = pages.preview(page, {**values, page.settings["size"]: 24})[page.prior_note]
    assert "has attention: at 24 it may do worse" in other
    assert UNTUNED not in pages.preview(page, chosen(page, "mine.safetensors"))[page.prior_note], "it is of that kind"
    assert "0 s" not in pages.preview(page, values)[page.cost] and "about" in pages.preview(page, values)[page.cost]


def test_what_needs_the_estimator_is_not_offered_with_another_prior(page, own):
    estimating = [name for name, kind in SOLVERS.items() if kind.needs_estimator]
    for name in ("faces", "mine.safetensors"):
        values = {**sent(page, estimator_scale=1.0), page.prior: name}
        changes = choices.change_prior(page, values)
        assert changes[page.settings["estimator_scale"]]["visible"] is False
        assert not {each["name"] for each in changes[page.solver]["choices"]} & {*estimating}
        assert form.settings(page, put(page, values, changes)).estimator_scale == 0
        values = {**sent(page, solver=estimating[0], solver_by_hand=True), page.prior: name}
        assert form.settings(page, put(page, values, choices.change_prior(page, values))).solver.name not in estimating
        job = form.job(page, {**sent(page, solver=estimating[0]), page.prior: name})
        with pytest.raises(ProblemError, match="belongs to the embedded prior"):
            job.check()
    assert choices.change_prior(page, sent(page))[page.settings["estimator_scale"]]["visible"] is True


def test_a_damaged_photo_keeps_its_size(page, own):
    values = chosen(page, "faces", mode=DEGRADED, task="denoise")
    assert page.settings["size"] not in choices.change_prior(page, {**values, page.prior: "faces"})


def test_what_is_not_offered_is_refused_by_every_handler(page, own):
    for bad in ("ddpm-cat-256", "/etc/passwd", "", None, 5, ["faces"], "secret/faces"):
        values = {**sent(page), page.prior: bad}
        for handler in (choices.change_prior, choices.change_task, choices.change_solver, choices.reset, form.settings):
            with pytest.raises(ParameterError, match=r"must be one of|is not offered"):
                handler(page, values)


def test_a_picture_brings_its_prior_back(page, own, monkeypatch):
    said = []
    monkeypatch.setattr(share.gr, "Warning", lambda sentence, **_: said.append(sentence))
    values = chosen(page, "faces", task="denoise", solver="diffpir", solver_by_hand=True)
    values[page.solvers.groups["diffpir"].controls["steps"]] = 2
    values[page.latest] = Latest()
    seen = list(pages.after(page, page.run, "click")(values))
    view = next(each[page.viewer] for each in reversed(seen) if page.viewer in each)
    content = base64.b64decode(view["frame"]["x0"][0].partition(",")[2])
    data = read(content)
    assert data["prior"] == own["faces"].identity and data["prior"].startswith("faces@ddpm:")
    assert b"secret" not in content and view["record"]["solver"].endswith(", faces")
    for carried in (carriers.pack(json.dumps(data)), Settings.from_dict(data)[0].link):
        fresh = sent(page, share={"link": carried})
        adopted = put(page, fresh, share.arrived(page, fresh))
        assert form.settings(page, adopted) == form.settings(page, values) and not said


def test_a_link_that_names_another_prior_is_taken_without_it_and_that_is_said(page, own, monkeypatch):
    said = []
    monkeypatch.setattr(share.gr, "Warning", lambda sentence, **_: said.append(sentence))
    settings = Settings.create(task="denoise", size=128)
    for prior in ("big", PRIORS["ddpm-cat-256"].identity, f"faces@ddpm:{'0' * 64}", "<b>"):
        fresh = sent(page, share={"link": replace(settings, prior=prior).link})
        adopted = put(page, fresh, share.arrived(page, fresh))
        assert form.settings(page, adopted).prior == EMBEDDED
        assert said.pop().startswith(f"prior {prior.replace('<', '&lt;').replace('>', '&gt;')} was left out: ")
    assert said == []


def test_a_prior_is_an_axis_of_the_sweep_by_its_name(page, own):
    tab, values = sweep_of(page), sent(page, x_name="prior", task="denoise", solver="diffpir")
    made = form.job(page, values)
    suggested = tab.suggest(page, {**values, tab.axes_before: {}})[tab.x_values]
    assert suggested == "embedded,faces,mine.safetensors"
    values[tab.x_values] = suggested
    plan = tab.runs(page, values, made.used)
    assert [run.prior for run in plan.runs] == [offer.identity for offer in own.values()]
    assert plan.head["x"] == {"name": "Prior", "values": ["embedded", "faces", "mine.safetensors"]}
    assert plan.runs[1].solver == preset("denoise", "diffpir", kind=DDPM)
    assert tab.plan(page, values, made)[tab.promise].startswith("3 runs, about")
    for bad in ("ddpm-cat-256", "embedded,/etc/passwd", "1:3:2"):
        values[tab.x_values] = bad
        assert "inv-refused" in tab.plan(page, values, made)[tab.promise]


def test_without_another_prior_there_is_no_such_axis_and_no_such_group(page):
    with offered(EMBEDDED):
        values = sent(page)
        made = form.job(page, values)
        assert "prior" not in names(sweep_of(page).plan(page, values, made)[sweep_of(page).x_name])
        group = compare_of(page).plan(page, values, made)[compare_of(page).priors]
        assert group["choices"] == [] and group["visible"] is False


def test_priors_are_compared_each_with_the_presets_of_its_kind(page, own):
    tab, values = compare_of(page), sent(page, contenders=["ddnm", "diffpir"], task="denoise", solver="diffpir")
    made = form.job(page, values)
    assert names(tab.plan(page, values, made)[tab.priors]) == ["faces", "mine.safetensors"]
    values[tab.priors] = ["faces"]
    runs, head, _ = tab.runs(page, values, made.used)
    assert [(run.solver.name, run.prior) for run in runs] == [
        (solver, own[prior].identity) for solver in ("ddnm", "diffpir") for prior in (EMBEDDED, "faces")
    ]
    assert runs[1].solver == preset("denoise", "ddnm", kind=DDPM) and runs[0].solver == preset("denoise", "ddnm")
    assert head["titles"][:2] == [f"{SOLVERS['ddnm'].title}, embedded", f"{SOLVERS['ddnm'].title}, faces"]
    assert tab.plan(page, values, made)[tab.promise].startswith("4 runs, about")
    # With another one under the menu, that one is no more among the others.
    values = {**values, **chosen(page, "faces", task="denoise"), tab.priors: ["faces", EMBEDDED]}
    update = tab.plan(page, values, form.job(page, values))[tab.priors]
    assert update["value"] == [EMBEDDED] and names(update) == [EMBEDDED, "mine.safetensors"]


def test_a_comparison_of_priors_runs_and_a_row_is_adopted(page, own):
    tab = compare_of(page)
    values = sent(page, contenders=["ddnm"], task="denoise", solver="ddnm", size=16)
    values[page.settings["size"]] = 16
    values |= {tab.priors: ["faces"], page.solvers.groups["ddnm"].controls["steps"]: 2}
    values[tab.batch] = batch = None
    batch = tab_batch(tab, page, values)
    seen = list(pages.after(page, tab.start, "click")({**values, tab.batch: batch}))
    last = seen[-1][tab.table]
    assert last["phase"] == "done" and [each["failure"] for each in last["cells"]] == ["", ""]
    assert any("Loading the prior faces" in each[tab.table]["message"] for each in seen)
    row = {tab.table: {"adopt": 1}, tab.batch: batch, page.photo: values[page.photo], page.auxiliary: {}}
    assert tab.adopt(page, row)[page.prior]["value"] == "faces"


def tab_batch(tab, page, values):
    """What pressing the button makes."""
    return pages.behind(page, tab.start, "click")(values)[tab.batch]


def test_downloads_are_shown_stopped_and_resumed(page, tmp_path, monkeypatch):
    folder, _ = two(tmp_path / "secret")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    with hub_of(monkeypatch, tmp_path / "cache", files) as server, offered("ddpm-cat-256"):
        monkeypatch.setattr(memory, "free_bytes", lambda device: 10**11)
        monkeypatch.setattr(priors, "UPDATE_EVERY", 0.0)
        server.pieces, server.pause = 4096, 0.01
        hand = {"task": "denoise", "solver": "ddnm", "solver_by_hand": True}
        values = chosen(page, "ddpm-cat-256", **hand)
        values |= {page.settings["size"]: 16, page.solvers.groups["ddnm"].controls["steps"]: 2}
        assert "downloaded when a run starts" in pages.preview(page, values)[page.prior_note]
        seen, latest = [], Latest()
        for updates in pages.after(page, page.run, "click")({**values, page.latest: latest}):
            seen.append(updates[page.status])
            if seen[-1].get("progress", 0) > 50:
                latest.stop()
        assert seen[-1]["phase"] == "stopped" and "Downloading the prior ddpm-cat-256: " in seen[-2]["message"]
        figures = [each["progress"] for each in seen if "Downloading" in each["message"]]
        assert figures == sorted(figures) and figures[0] == 0 and len(figures) > 3
        server.pause = 0
        seen = list(pages.after(page, page.run, "click")({**values, page.latest: Latest()}))
        said = [each[page.status]["message"] for each in seen]
        assert any("Loading the prior ddpm-cat-256" in words for words in said) and said[-1].startswith("Done")
        assert [span for name, span in server.asked if name.endswith(".safetensors")][1].startswith("bytes=")
        assert "to download" not in pages.preview(page, values)[page.prior_note]
        view = next(each[page.viewer] for each in reversed(seen) if page.viewer in each)
        data = read(base64.b64decode(view["frame"]["x0"][0].partition(",")[2]))
        assert data["prior"] == PRIORS["ddpm-cat-256"].identity


def test_a_download_that_fails_ends_in_a_sentence(page, tmp_path, monkeypatch):
    with hub_of(monkeypatch, tmp_path / "cache", {}), offered("ddpm-cat-256"):
        monkeypatch.setattr(memory, "free_bytes", lambda device: 10**11)
        values = {**chosen(page, "ddpm-cat-256"), page.settings["size"]: 16, page.latest: Latest()}
        with pytest.raises(gr.Error, match="no weights that can be read"):
            list(pages.after(page, page.run, "click")(values))


def test_the_menu_and_its_words_have_names(page):
    assert part(page, "prior").elem_id == "prior" and part(page, "prior_note").elem_id == "prior-note"
