"""A study as a whole: what it streams, says, draws and writes, and what the command makes of it."""

import csv
import io
import math
import xml.etree.ElementTree as ET
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from inverse.__main__ import main
from inverse.cli import findings as command
from inverse.errors import OutputError, ParameterError
from inverse.evaluation.findings import Study, stream
from inverse.evaluation.findings.charts import ticks
from inverse.evaluation.findings.claims import CLAIMS, together, verdicts
from inverse.evaluation.findings.contenders import BEST, CONDITIONAL, LAB, REFERENCE, UNCONDITIONAL, contenders
from inverse.evaluation.findings.figures import density, figures
from inverse.evaluation.findings.files import write
from inverse.evaluation.findings.implied import implied, levels
from inverse.evaluation.findings.measuring import Findings, _trajectories
from inverse.evaluation.findings.page import STANDARD, to_markdown
from inverse.evaluation.findings.questions import QUESTIONS, answers
from inverse.evaluation.findings.samples import Diversity
from inverse.evaluation.findings.scores import ScoreError, ScoreMean, score_error
from inverse.evaluation.findings.sentences import averages, sentences
from inverse.evaluation.findings.tables import table
from inverse.evaluation.findings.truths import TRUTHS, truth
from inverse.operators import TASKS
from inverse.randomness import generator
from inverse.solvers import SOLVERS

QUICK = {"steps": 20, "points": 16, "samples": 19, "step_sizes": (1.0, 4.0)}


@pytest.fixture(scope="module")
def found():
    """A small study of everything, with the parts."""
    *_, last = stream(Study(parts=True, **QUICK))
    return last


def test_every_contender_is_on_every_panel_that_it_has(found):
    labels = [each.label for each in found.contenders]
    assert len(labels) == len(set(labels)) and labels[0] == REFERENCE
    assert [row.label for row in found.samples] == labels
    implying = {each.label for each in found.contenders if each.implies and each.solver.steps == 20}
    assert {row.label for row in found.errors} == implying | {UNCONDITIONAL, BEST}
    assert {row.label for row in found.means} == implying | {UNCONDITIONAL, BEST, CONDITIONAL}
    assert found.complete and found.done == found.total and found.live is None


def test_the_best_zeta_is_better_than_any_other(found):
    best = {row.sigma: row.error for row in found.errors if row.label == BEST}
    for row in found.errors:
        if row.label == UNCONDITIONAL or row.label.startswith("DPS, zeta"):
            assert best[row.sigma] <= row.error * (1 + 1e-9)


@pytest.mark.parametrize("label", ["DPS, zeta 1 in VE", "DPS, zeta 4 in VE", "DPS, zeta 4 in VP"])
def test_every_setting_of_dps_is_its_own_step(found, label):
    """All are scaled from the step of one, and must be what the solver itself does with each."""
    known, study = found.truth, found.study
    (solver,) = [each.solver for each in found.contenders if each.label == label]
    pairs = levels(study.steps, known.kind.sigma_max, count=known.kind.levels)
    points = _trajectories(known, [sigma for sigma, _ in pairs], study.points, study.seed)
    errors = {row.sigma: row.error for row in found.errors if row.label == label}
    for (sigma, sigma_next), (x, _) in zip(pairs, points, strict=True):
        x0_hat, reference = known.prior(x, sigma), known.reference(x, sigma, [()] * len(x))
        estimate, _ = implied(solver, known.prior, known.problem, x, sigma, sigma_next, x0_hat, 1, generator(0))
        assert errors[sigma] == pytest.approx(score_error("", sigma, x, estimate, reference).error, rel=1e-6)


def test_a_seed_gives_the_same_findings(found):
    study = Study(solvers=("dps", "dmap"), **QUICK)
    first, second = (list(stream(study))[-1] for _ in range(2))
    assert table(first) == table(second)
    assert table(list(stream(study.replace(seed=1)))[-1]) != table(first)


def test_a_closed_stream_leaves_what_there_is():
    with closing(stream(Study(**QUICK))) as updates:
        for found in updates:
            if len(found.samples) == 2:
                break
    assert not found.complete and len(found.samples) == 2
    assert sentences(found)["samples"] and to_markdown([found], {}) and all(c.svg() for c in figures(found).values())


@pytest.mark.parametrize("kind", ["field", "pictures"])
@pytest.mark.parametrize("solvers", [("dmap",), ("vml-map",)])
def test_a_study_without_dps_says_so(kind, solvers):
    *_, found = stream(Study(truth=kind, solvers=solvers, **QUICK))
    assert all(verdict.startswith("Not measured") for verdict in verdicts(found))
    assert together([found], 0) == "It was not measured."
    assert {"mean", "samples", "score"} == sentences(found).keys() and all(sentences(found).values())
    assert BEST not in averages(found)


def test_every_solver_that_can_is_judged():
    able = [name for name, solver in SOLVERS.items() if solver.able(truth("field", "blur").problem.operator)]
    found = contenders(truth("field", "blur"), able, (1.0,), 100)
    assert {each.solver.name for each in found} == set(able)
    known = truth("field", "blur")
    bent = replace(
        known, problem=replace(known.problem, operator=TASKS["jpeg"]().operator((3, 16, 16), generator(0), None))
    )
    with pytest.raises(ParameterError, match=r"ddrm cannot deal with this task\. Leave it out"):
        contenders(bent, ["dps", "ddrm"], (1.0,), 100)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"truth": "nothing"}, "truth must be one of"), ({"task": "nothing"}, "task must be one of"),
        ({"truth": "field", "task": "denoising"}, "has no task denoising"),
        ({"points": 3}, "points must be 16 or more"),
        ({"samples": 18}, "samples must be 19 or more"), ({"steps": 5}, "steps must be"),
        ({"solvers": ()}, "solvers must"),
        ({"solvers": ["dsp"]}, "'dsp' is not a solver"), ({"step_sizes": [0.0]}, "step_sizes must be"),
        ({"step_sizes": [math.inf]}, "step_sizes must be"), ({"step_sizes": [True]}, "step_sizes must be"),
        ({"nothing": 1}, "is not a parameter of findings"),
    ],
)  # fmt: skip
def test_what_is_no_study_is_refused_in_a_sentence(values, words):
    with pytest.raises(ParameterError, match=words) as refusal:
        Study.create(values)
    assert str(refusal.value).count(". ") >= 1


# --- what it says


def score_row(label, error):
    return ScoreError(label, 0.1, error, error)


def mean_row(label, mean):
    return ScoreMean(label, 0.1, mean, 0.05, 0.08, 1.0, 0.9, 1.1)


def told(error, mean, spread):
    """Findings in which DPS has these figures, and the unconditional score an error of 1."""
    known = truth("field", "inpainting")
    found = Findings(Study(truth="field"), known, [], 1)
    label = "DPS, zeta 1 in VE"
    found.errors += [score_row(UNCONDITIONAL, 1.0), score_row(label, error)]
    found.means += [mean_row(CONDITIONAL, 0.01)] + [mean_row(UNCONDITIONAL, 0.2)] * 2 + [mean_row(label, mean)] * 3
    found.samples.append(Diversity(label, 19, std_ratio=spread, ranks=(0.05,) * 20, residual=1.0))
    return found


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ((2.0, 0.3, 0.5), ["Holds,", "Holds,", "Holds,"]),
        ((0.5, 0.01, 1.0), ["Does not hold,", "Does not hold,", "Does not hold,"]),
    ],
)
def test_a_verdict_follows_the_figures(figures, words):
    found = told(*figures)
    assert [verdict[: len(word)] for verdict, word in zip(verdicts(found), words, strict=True)] == words
    for place in range(3):
        start = f"Of 2 truths it {words[place][0].lower()}{words[place][1:-1]} on 2."
        assert together([found, found], place).startswith(start)
    assert "errs by" in sentences(found)["score"] and "zeta 1 in VE" in sentences(found)["score"]


def test_a_claim_holds_in_part_where_some_settings_do():
    found = told(2.0, 0.3, 0.5)
    label = "DPS, zeta 2 in VE"
    found.errors.append(score_row(label, 0.5))
    found.means += [mean_row(label, 0.01)] * 3
    found.samples.append(Diversity(label, 19, std_ratio=1.0, ranks=(0.05,) * 20, residual=1.0))
    assert all(verdict.startswith("Holds in part, 1 of 2") for verdict in verdicts(found))


def test_a_solver_that_diverged_is_said_and_not_measured():
    found = told(1.0, 0.1, 1.0)
    found.samples.append(Diversity("DMAP", 19, failure="It diverged. Lower step_size."))
    assert sentences(found)["samples"].endswith("DMAP diverged.")
    assert "It diverged. Lower step_size." in to_markdown([found], {}) and figures_of(found)


def figures_of(found):
    return [chart.svg() for chart in figures(found).values()]


def test_the_further_questions_are_answered(found):
    assert answers(found).keys() == set(QUESTIONS)
    assert answers(found)[QUESTIONS[0]].startswith(("No", "In between", "Yes"))


# --- what it draws and writes


def test_figures_are_pictures_of_both_kinds(found):
    for name, chart in figures(found).items():
        root = ET.fromstring(chart.svg())
        assert root.attrib["aria-label"] == chart.title and "NaN" not in chart.svg() and "nan" not in chart.svg(), name
        image = chart.bitmap()
        assert image.mode == "RGB" and image.size == (2 * chart.width, 2 * chart.height)
        assert image.getpixel((1, 1)) == (255, 255, 255) and len(image.getcolors(2**20)) > 10


def test_a_curve_is_where_its_axis_says():
    """The reference level of the mean's chart is at the height that the ticks give it."""
    low, high = 0.01, 1.0
    assert ticks(low, high, log=True) == [0.01, 0.1, 1.0]
    assert ticks(0.0, 2.0, log=False) == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert ticks(0.02, 0.4, log=True) == pytest.approx([0.02, 0.05, 0.1, 0.2])


def test_the_density_is_highest_where_the_modes_are():
    known = truth("modes", "inpainting")
    alpha = torch.from_numpy(np.array(density(known).getchannel("A")))
    row, column = divmod(int(alpha.argmax()), 96)
    x, y = -1.15 + 2.3 * column / 95, 1.15 - 2.3 * row / 95
    top = known.posterior.modes[0].flatten()
    assert abs(x - float(top[0])) < 0.05 and abs(y - float(top[1])) < 0.05


def test_the_table_has_every_number(found):
    rows = list(csv.DictReader(io.StringIO(table(found))))
    assert {row["panel"] for row in rows} == {"score", "mean", "samples"}
    (row,) = [r for r in rows if r["label"] == "DMAP" and r["measure"] == "std_ratio"]
    expected = next(each.std_ratio for each in found.samples if each.label == "DMAP")
    assert float(row["value"]) == pytest.approx(expected, rel=1e-5)
    errors = [r for r in rows if r["label"] == "DSG" and r["measure"] == "error"]
    assert len(errors) == len({row.sigma for row in found.errors})


def test_what_is_written_is_what_the_page_shows(found, tmp_path):
    paths = write(tmp_path, [found])
    page = (tmp_path / "findings.md").read_text()
    assert all(f"> {claim}\n" in page for claim in CLAIMS)
    shown = [line.split("](")[1].rstrip(")") for line in page.splitlines() if line.startswith("![")]
    assert len(shown) == len(figures(found)) and all((tmp_path / name).is_file() for name in shown)
    assert {path.suffix for path in paths} == {".svg", ".png", ".csv", ".md"}
    assert Image.open(tmp_path / "findings" / "modes-inpainting-score.png").size[0] == 920
    with pytest.raises(OutputError, match=r"\. "):
        write(tmp_path / "findings.md", [found])


# --- the command


def run(*words):
    return CliRunner().invoke(main, ["findings", "--steps", "20", "--points", "16", "--samples", "19", *words])


def test_the_command_says_and_writes(tmp_path):
    done = run("--solvers", "dps,vml-map", "--step-sizes", "2", "-o", str(tmp_path / "made"), "--format", "csv")
    assert done.exit_code == 0, done.output
    assert done.output.count("Claim:") == 3 and "DPS, zeta 2 in VE" in done.output
    made = {path.relative_to(tmp_path / "made").as_posix() for path in (tmp_path / "made").rglob("*") if path.is_file()}
    assert made == {"findings.md", "findings/modes-inpainting.csv"}


@pytest.mark.parametrize(
    "words",
    [
        ("--truth", "nothing"),
        ("--solvers", "nothing"),
        ("--step-sizes", "x"),
        ("--truth", "field", "--task", "denoising"),
    ],
)
def test_the_command_refuses_in_a_sentence(words):
    done = run(*words)
    assert done.exit_code == 1 and done.output.startswith("Error: ") and "Traceback" not in done.output


def test_ctrl_c_says_what_is_found(monkeypatch, tmp_path):
    def interrupted(study):
        for found in stream(study):
            yield found
            if len(found.samples) == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr(command, "stream", interrupted)
    done = run("-o", str(tmp_path))
    assert done.exit_code == 0 and "Stopped." in done.output and (tmp_path / "findings.md").is_file()
    assert len(list(tmp_path.glob("findings/*.svg"))) >= 7


def test_the_standard_run_asks_for_all_that_is_claimed():
    assert all(study.parts and study.solvers == LAB for study in STANDARD)
    assert {study.truth for study in STANDARD} == {"modes", "field", "pictures"} < TRUTHS.keys()
