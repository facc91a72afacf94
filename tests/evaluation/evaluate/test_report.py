"""Reports: means with their errors over the right jobs, and nothing under a wrong name."""

import csv
import io
import math
from dataclasses import replace

import evaluations
import numpy as np
import pytest

from inverse.errors import ParameterError
from inverse.evaluation.evaluate.measures import MEASURES, Sources
from inverse.evaluation.evaluate.protocols import PROTOCOLS, published
from inverse.evaluation.evaluate.report import Report
from inverse.evaluation.evaluate.summary import Estimate, cells, paired

NAMES = ["psnr", "ssim", "residual", "calls", "seconds"]


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return evaluations.planned(tmp_path_factory.mktemp("photos"), 4)


@pytest.fixture
def lines(plan):
    """Made-up results: PSNR is 20 dB and what the photo, the task and the solver add."""
    found = {}
    for place, job in enumerate(plan.jobs):
        photo, solver = int(job.photo[0]), job.settings.solver.name == "diffpir"
        psnr = 20 + 3 * photo + 2 * solver + 0.1 * math.sin(place)
        found[job.id] = {
            "id": job.id, "psnr": psnr, "ssim": 0.5, "residual": 1.0, "cost": 10.0 + solver, "seconds": 0.5,
            "failure": "", "pictures": [], "device": "a machine",
        }  # fmt: skip
    return found


def report(plan, lines, tmp_path, names=NAMES, **more):
    return Report.of(plan, lines, names, Sources(tmp_path), **more)


def test_the_standard_error_is_that_of_the_mean():
    values = [1.0, 2.0, 4.0, 9.0]
    found = Estimate.of(values)
    assert found == Estimate(4.0, pytest.approx(np.std(values, ddof=1) / 2), 4)
    assert math.isnan(Estimate.of([3.0]).error) and Estimate.of([]) is None


def test_a_paired_difference_is_over_the_photos_that_both_have():
    found = paired({"a": 21.0, "b": 31.5, "c": 9.0}, {"b": 30.0, "a": 20.0, "d": 1.0})
    assert found == Estimate(1.25, pytest.approx(0.25), 2)


def test_cells_are_tasks_by_solvers_with_a_job_for_each_photo(plan, lines):
    found = cells(plan, lines)
    assert len(found) == 4 and all(len(cell.jobs) == 4 and cell.complete for cell in found)


def test_pairing_takes_out_what_photos_have_in_common(plan, lines, tmp_path):
    made = report(plan, lines, tmp_path, against="ddrm:steps=5")
    row = next(row for row in made.rows if row.differences)
    assert row.figures["psnr"].error > 1 and row.differences["psnr"].error < 0.1
    assert row.differences["psnr"].value == pytest.approx(2, abs=0.2)


def test_rows_that_lack_jobs_are_left_out_and_said(plan, lines, tmp_path):
    lost = plan.jobs[0]
    del lines[lost.id]
    made = report(plan, lines, tmp_path)
    assert len(made.rows) == 3 and "15 of 16 jobs are done" in made.notes[0]
    assert (lost.task, lost.solver) not in [(row.cell.task, row.cell.solver) for row in made.rows]


def test_failures_are_in_no_mean_and_are_said(plan, lines, tmp_path):
    lines[plan.jobs[0].id] |= {"failure": "It diverged. Lower the step size.", "psnr": -1000.0}
    made = report(plan, lines, tmp_path)
    row = next(row for row in made.rows if row.cell.failures)
    assert row.figures["psnr"].n == 3 and row.figures["psnr"].value > 20
    assert "1 of 4 runs failed" in made.notes[0] and "Lower the step size" in made.notes[0]


def test_the_csv_and_the_page_say_the_same(plan, lines, tmp_path):
    made = report(plan, lines, tmp_path)
    rows = list(csv.DictReader(io.StringIO(made.csv())))
    page = made.markdown({})
    assert len(rows) == 4
    for row in rows:
        assert f"{float(row['psnr']):.2f} ± {float(row['psnr_error']):.2f}" in page
        assert row["n"] == "4" and row["failed"] == "0" and row["psnr_published"] == ""
    assert "4 photos" in page and "a machine" in page


def test_charts_have_a_point_for_each_solver(plan, lines, tmp_path):
    charts = report(plan, lines, tmp_path).charts()
    assert len(charts) == 2
    for chart in charts.values():
        assert [name for name, *_ in chart.points] == ["ddrm:steps=5", "diffpir:steps=10"]
        assert "network calls" in chart.svg() and chart.bitmap().size[0] == 2 * chart.width


def test_metrics_of_pictures_that_were_not_kept_are_refused_in_a_sentence(plan, lines, tmp_path):
    sources = Sources(tmp_path)
    sources.weights = type("Known", (), {"remark": lambda self, names: ""})()
    made = Report.of(plan, lines, ["psnr", "fid", "kid"], sources)
    text = " ".join(made.notes)
    assert "FID needs 500 pictures, and there are 4" in text and "KID needs 20" in text
    assert "fid" not in made.rows[0].figures and made.table(made.rows)[1][3] == ""


def test_published_figures_stand_beside_measured_ones_of_the_same_protocol_only(plan, lines, tmp_path):
    job = plan.jobs[0]
    file = tmp_path / "paper.toml"
    file.write_text(
        f'[[figure]]\nprotocol = "dmap"\ntask = "{job.task}"\nsolver = "{job.solver}"\nmetric = "psnr"\nvalue = 23.5\n'
        'source = "Table 9"\n'
    )
    known = published([file])
    page = report(replace(plan, protocol="dmap"), lines, tmp_path, known=known).markdown({})
    assert "| published (Table 9) |  | 23.5 |" in page and "Not so here" in page and "512" in page
    for protocol in ("vml-map", ""):
        assert "Table 9" not in report(replace(plan, protocol=protocol), lines, tmp_path, known=known).markdown({})
    page = report(replace(plan, protocol="vml-map"), lines, tmp_path, known=known).markdown({})
    assert "Published figures are not known here" in page
    file.write_text('[[figure]]\nprotocol = "dmap"\n')
    with pytest.raises(ParameterError, match=r"paper\.toml"):
        published([file])


def test_figures_that_are_known_name_a_protocol_a_measure_and_their_place():
    for figure in published():
        assert figure.protocol in PROTOCOLS and figure.metric in MEASURES and figure.source
    for protocol in PROTOCOLS.values():
        assert set(protocol.metrics) <= set(MEASURES)
