"""The Findings tab: what it promises, what it streams, what is left when it is stopped, and what it refuses."""

import xml.etree.ElementTree as ET

import gradio as gr
import pages
import pytest
from pages import sent

from inverse.errors import ParameterError
from inverse.evaluation.findings import TRUTHS, Study
from inverse.evaluation.findings.contenders import LAB
from inverse.solvers import SOLVERS
from inverse.web.base import limits
from inverse.web.base.limits import Limits
from inverse.web.elements.findings import PANELS, WIDE
from inverse.web.jobs.investigation import Investigation
from inverse.web.page import form
from inverse.web.page.finding import FindingsTab
from inverse.web.page.starts import Starts

SMALL = {"truth": "modes", "task": "inpainting", "step_sizes": (2.0,), "solvers": ("dps",)}


@pytest.fixture(scope="module")
def tab(page):
    (found,) = [each for each in page.tabs if isinstance(each, FindingsTab)]
    return found


def asked(page, tab, **changes):
    """Values of the page with some of the tab's own changed; names are those of the tab's attributes."""
    return {**sent(page), tab.step_sizes: "2", tab.solvers: ["dps"],
            **{getattr(tab, name): value for name, value in changes.items()}}  # fmt: skip


@pytest.fixture(scope="module")
def views(page, tab):
    return [update[tab.table] for update in tab.run(page, asked(page, tab))]


def test_a_study_is_promised_before_it_begins(page, tab):
    job = form.job(page, sent(page))
    words = tab.plan(page, asked(page, tab), job)[tab.promise]
    assert words.startswith("10 noise levels, 5 samplers, about ")
    more = tab.plan(page, asked(page, tab, solvers=list(LAB), parts=True), job)[tab.promise]
    assert int(more.split(" ")[3]) > 15


def test_a_truth_brings_its_own_tasks(page, tab):
    job = form.job(page, sent(page))
    changes = tab.plan(page, asked(page, tab, truth="field", task="denoising"), job)
    assert [name for _, name in changes[tab.task]["choices"]] == list(TRUTHS["field"].tasks)
    assert changes[tab.task]["value"] == "inpainting" and "about" in changes[tab.promise]
    kept = tab.plan(page, asked(page, tab, truth="field", task="blur"), job)
    assert "value" not in kept[tab.task]


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("truth", "nothing"), ("truth", 5), ("truth", []), ("task", "nothing"), ("task", {}), ("step_sizes", 5),
        ("step_sizes", ""), ("step_sizes", "a"), ("step_sizes", "-1"), ("step_sizes", "nan"),
        ("step_sizes", "1,1,1,1,2"),
        ("solvers", []), ("solvers", None), ("solvers", ["<b>"]), ("solvers", "dps"), ("parts", "yes"), ("parts", None),
    ],
)  # fmt: skip
def test_what_is_no_study_is_refused_in_a_sentence(page, tab, field, bad):
    values = asked(page, tab, **{field: bad})
    words = tab.plan(page, values, form.job(page, sent(page)))[tab.promise]
    if field == "task":  # the page itself sends one that the truth has
        assert "about" in words
    else:
        assert "inv-refused" in words and "<b>" not in words and words.count(".") >= 1
    with pytest.raises(gr.Error, match=r"\. "):
        list(tab.run(page, values))


def test_the_panels_fill_and_everything_can_be_saved(views):
    assert views[0]["phase"] == "running" and views[-1]["phase"] == "done" and views[-1]["progress"] == 100
    shares = [view["progress"] for view in views if "progress" in view]
    assert shares == sorted(shares) and len(set(shares)) > 3
    last = views[-1]
    assert set(last["figures"]) == {name for panel in PANELS.values() for name in panel["figures"]} - {"moving"}
    assert set(WIDE) <= set(last["figures"])
    for svg in last["figures"].values():
        assert ET.fromstring(svg).attrib["role"] == "img"
    assert last["sentences"].keys() == PANELS.keys() == last["verdicts"].keys()
    assert all(last["sentences"].values()) and all(last["verdicts"].values())
    assert last["csv"].startswith("panel,label,sigma,measure,value\n") and last["page"].startswith("# Findings\n")
    assert last["name"] == "findings-modes-inpainting"


def test_points_move_while_a_sampler_works(views):
    moving = {view["figures"]["moving"] for view in views if "moving" in view.get("figures", ())}
    assert len(moving) > 1 and all("noise level" in svg for svg in moving)


def test_stop_keeps_what_there_is(page, tab):
    investigation, seen, pressed = Investigation(), [], None
    # A thousand steps, so that a view comes while they are made on any machine.
    for update in tab.run(page, {**asked(page, tab), tab.batch: investigation}):
        seen.append(update[tab.table])
        if pressed is None and "moving" in seen[-1].get("figures", ()):
            pressed = pages.behind(page, tab.stop, "click")(investigation, Starts())[tab.table]
    assert pressed is not None and pressed["phase"] == seen[-1]["phase"] == "stopped"
    assert not investigation.found.complete and seen[-1]["progress"] < 100
    assert seen[-1]["sentences"]["score"] and seen[-1]["csv"].count("\n") > 50 and not seen[-1]["verdicts"]
    assert seen[-1]["page"].count("## Claim") == 3


def test_stop_before_it_begins_is_remembered(page, tab, views):
    earlier = Investigation(begun=True)
    waiting = tab.new({}, earlier)
    assert waiting.earlier is earlier and tab.new({}, waiting).earlier is earlier
    shown = pages.behind(page, tab.stop, "click")(waiting, Starts())[tab.table]
    assert waiting.stopping and shown["phase"] == "stopped" and "figures" not in shown
    begun = [update[tab.table] for update in tab.run(page, {**asked(page, tab), tab.batch: waiting})]
    assert begun[-1]["phase"] == "stopped" and "figures" not in begun[-1]


def test_a_study_ends_when_its_time_is_up(page, tab, monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(seconds=1))
    investigation = Investigation()
    seen, values = [], {**asked(page, tab, solvers=list(LAB)), tab.batch: investigation}
    with pytest.raises(gr.Error, match="what is found stays"):
        seen.extend(update[tab.table] for update in tab.run(page, values))
    assert seen[-1]["phase"] == "failed" and "1 seconds" in seen[-1]["message"] and seen[-1]["figures"]


def test_it_knows_no_runs_of_a_photo(page, tab):
    with pytest.raises(ParameterError, match=r"\. "):
        tab.runs(page, sent(page), form.job(page, sent(page)).used)
    with pytest.raises(ParameterError, match=r"\. "):
        tab.adopt(page, sent(page))


def test_every_solver_of_the_lab_has_a_title_on_the_page(tab):
    assert [name for _, name in tab.solvers.choices] == list(LAB) and set(LAB) <= SOLVERS.keys()
    assert Study.create(SMALL).solvers == ("dps",)
