"""`inverse evaluate` and `inverse report`, from a folder of photos to a page."""

import json

import evaluations
import pytest
from click.testing import CliRunner

from inverse.__main__ import main
from inverse.evaluation.evaluate import plan as plans
from inverse.evaluation.evaluate.results import LINES, PICTURES, read


def run(*words):
    return CliRunner(env={"COLUMNS": "200"}).invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    evaluations.photos(folder, 2)
    return folder


@pytest.fixture(scope="module")
def flags(photos):
    solvers = "ddrm:steps=5,cut=0.1,diffpir:steps=10"
    return ["--images", photos, "--tasks", "inpaint-box", "--solvers", solvers, "--size", 16, "--sigma-y", 0.1]


@pytest.fixture(scope="module")
def done(flags, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "new"
    first = run("evaluate", *flags, "--shard", "1/2", "-o", folder)
    assert first.exit_code == 0, first.output
    halfway = len(read(folder))
    rest = run("evaluate", "-o", folder)  # alone it goes on, with what the other part would have done
    assert rest.exit_code == 0 and "of which 2 are done" in rest.output and "2 jobs done" in rest.output, rest.output
    return folder, halfway


def test_flags_make_the_plan_and_shards_share_it_out(done):
    folder, halfway = done
    plan = plans.read(folder)
    assert halfway == 2 and set(read(folder)) == {job.id for job in plan.jobs} and len(plan.jobs) == 4
    assert {job.solver for job in plan.jobs} == {"ddrm:steps=5,cut=0.1", "diffpir:steps=10"}
    assert {job.settings.sigma_y for job in plan.jobs} == {0.1}
    assert len(list((folder / LINES).iterdir())) == 2


def test_switches_reach_every_job(flags, tmp_path):
    asked = run("evaluate", *flags, "--no-pyramid", "--strength", 0.5, "--shard", "1/4", "-o", tmp_path)
    assert asked.exit_code == 0, asked.output
    assert {(job.settings.pyramid, job.settings.strength) for job in plans.read(tmp_path).jobs} == {(False, 0.5)}


def test_nothing_is_done_again(done, flags):
    folder, _ = done
    before = sorted(path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file())
    again = run("evaluate", *flags, "-o", folder)
    assert again.exit_code == 0 and "4 jobs, of which 4 are done" in again.output
    assert before == sorted(path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file())


def test_another_evaluation_is_refused_in_a_folder_that_has_one(done, flags):
    other = run("evaluate", *flags, "--seed", 1, "-o", done[0])
    assert other.exit_code == 1 and "another evaluation" in other.output and "--out" in other.output


def test_a_report_is_printed_and_written_with_charts_figures_and_sheets(done, tmp_path):
    folder, _ = done
    made = run("report", folder, "-o", tmp_path / "page.md", "--sheets", 1, "--against", "diffpir:steps=10")
    assert made.exit_code == 0, made.output
    assert "PSNR dB" in made.output and "against diffpir:steps=10" in " ".join(made.output.split())
    page = (tmp_path / "page.md").read_text()
    names = {path.name for path in (tmp_path / "page").iterdir()}
    assert names == {"figures.csv", "quality-1.svg", "sheet-1.jpg"}
    assert "page/quality-1.svg" in page and "page/sheet-1.jpg" in page
    assert (tmp_path / "page" / "figures.csv").read_text().count("\n") == 3


def test_what_a_report_lacks_is_said(done):
    folder, _ = done
    for words, said in (
        (["--metrics", "fid"], "--weights inception=FILE"),
        (["--metrics", "beauty"], "no metric 'beauty'"),
        (["--against", "dps"], "not among the solvers"),
        (["--weights", "vgg=x"], "no weights called"),
    ):
        made = run("report", folder, *words)
        assert made.exit_code == 1 and said in made.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tasks", "inpaint-box:size=2"], "size"),
        (["--tasks", "inpaint-box", "--solvers", "dps:steps"], "gives no value. Write --solvers dps:"),
        (["--tasks", "inpaint-boxes"], "inpaint-box"),
        (["--tasks", "inpaint-box", "--protocol", "dmap"], "Leave --tasks out"),
        (["--tasks", "inpaint-mask"], "Name its file with --mask"),
        (["--solvers", "dps"], "No task is named"),
        (["--tasks", "inpaint-box", "--shard", "3/2"], "i/n"),
    ],
)
def test_what_flags_cannot_mean_is_said(photos, tmp_path, words, said):
    made = run("evaluate", "--images", photos, "-o", tmp_path / "run", *words)
    assert made.exit_code == 1 and said in made.output, made.output


def test_photos_or_a_plan_are_needed(tmp_path):
    assert "--images" in run("evaluate", "-o", tmp_path).output
    assert "--images" in run("evaluate", "-o", tmp_path, "--tasks", "denoise").output


def test_a_protocol_is_one_flag_and_what_differs_from_it_is_said(photos, tmp_path):
    words = ["--protocol", "vml-map", "--solvers", "ddrm:steps=5", "--size", 16, "--shard", "1/2"]
    made = run("evaluate", "--images", photos, "-o", tmp_path / "run", *words)
    assert made.exit_code == 0, made.output
    head = json.loads((tmp_path / "run" / plans.FILE).read_text().splitlines()[0])
    assert head["protocol"] == "vml-map"
    plan = plans.read(tmp_path / "run")
    assert {job.settings.sigma_y for job in plan.jobs} == {1e-9} and len({job.task for job in plan.jobs}) == 5
    made = run("report", tmp_path / "run", "-o", tmp_path / "page.md")
    assert "lpips, fid need weights" in made.output
    assert "Not so here" in (tmp_path / "page.md").read_text()


def test_without_pictures_there_are_none(flags, tmp_path):
    assert run("evaluate", *flags, "--no-pictures", "-o", tmp_path).exit_code == 0
    assert not list((tmp_path / PICTURES).iterdir())
