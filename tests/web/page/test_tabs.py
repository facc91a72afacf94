"""The tabs of several runs: their promises, their runs, and what is adopted from them."""

import gradio as gr
import pages
import pytest
from pages import compare_of, part, sent, sweep_of
from runs import decoded

from inverse.batch import figure
from inverse.errors import ParameterError
from inverse.solvers import SOLVERS
from inverse.solvers.cost import passes
from inverse.web.base import limits
from inverse.web.base.limits import Limits
from inverse.web.jobs.batches import Batch
from inverse.web.page import comparing, form
from inverse.web.page.starts import Starts


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
        sum(each.passes for each in made_of) * height * width / 1e6
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
    saved = {}
    for kind in ("csv", "png", "figure-png", "figure-svg", "nonsense", None):
        values[sweep_of(page).table] = {"download": kind, "metric": ["psnr"] if kind is None else "psnr"}
        saved[kind] = sweep_of(page).download(page, values)[sweep_of(page).file]
    names = [saved[kind]["name"].partition("sweep-")[2] for kind in saved]
    assert names == ["steps.csv", "steps.png", "steps-figure.png", "steps-figure.svg", "steps.png", "steps.png"]
    assert saved["figure-svg"]["data"].startswith("data:image/svg+xml;base64,") and decoded(saved["figure-png"]["data"])


def test_a_comparison_is_saved_as_a_figure(page):
    compare = compare_of(page)
    values = sent(page, contenders=["ddrm", "cse"])
    values[compare.batch] = Batch()
    with pytest.raises(ParameterError, match="nothing to save"):
        compare.download(page, {**values, compare.table: {"download": "figure-svg"}})
    *_, _ = compare.run(page, values)
    for kind in ("figure-svg", "figure-png", None):
        saved = compare.download(page, {**values, compare.table: {"download": kind}})[compare.file]
        assert saved["name"].endswith("-comparison-figure.svg" if kind == "figure-svg" else "-comparison-figure.png")
    assert decoded(saved["data"]).width == figure.WIDTH * figure.SCALE


def test_stop_before_a_batch_has_begun_is_remembered(page):
    stopped, batch = pages.behind(page, sweep_of(page).stop, "click"), Batch()
    shown = stopped(batch, Starts())[sweep_of(page).table]
    assert batch.stopping and shown["phase"] == "stopped" and "cells" not in shown, "those of an earlier batch stay"
    assert sweep_of(page).start in stopped(None, Starts())
