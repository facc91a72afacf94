"""Jobs become what `restore` makes of them, and what fails is a result too."""

import io
from dataclasses import replace

import evaluations
import pytest
from PIL import Image

from inverse.errors import PriorError
from inverse.evaluation.evaluate.work import work
from inverse.imaging import images
from inverse.restoration import stream
from inverse.results.record import METRICS


def test_a_line_says_what_a_restoration_of_the_center_square_comes_to(plan, folder, serial):
    for job in plan.jobs:
        square = images.fit(images.load(folder / job.photo), job.settings.size, square=True)
        problem = job.settings.problem(square)
        *_, last = stream(problem, job.settings.solver, evaluations.field(), seed=job.settings.seed)
        line = serial[job.id].line
        assert {name: line[name] for name in METRICS} == {name: METRICS[name].of(problem, last) for name in METRICS}
        assert line["nfe"] == last.nfe and line["failure"] == ""
        assert line["seconds"] > 0 and "CPU" in line["device"]


def test_pictures_are_the_original_the_measurement_and_the_restorations(plan, folder):
    job = replace(plan.jobs[0], settings=replace(plan.jobs[0].settings, samples=2))
    (outcome,) = work([job], folder.joinpath, evaluations.field)
    original, _, *found = outcome.line["pictures"]
    assert list(outcome.pictures) == outcome.line["pictures"] and len(found) == 2
    square = images.fit(images.load(folder / job.photo), job.settings.size, square=True)
    assert Image.open(io.BytesIO(outcome.pictures[original])).tobytes() == square.tobytes()
    first, second = (outcome.pictures[name] for name in found)
    assert first != second
    (without,) = work([job], folder.joinpath, evaluations.field, pictures=False)
    assert not without.pictures and not without.line["pictures"]


def test_jobs_of_a_photo_share_its_original(plan, serial):
    originals = {(job.photo, serial[job.id].line["pictures"][0]) for job in plan.jobs}
    assert len(originals) == len({job.photo for job in plan.jobs}) == 4


def test_what_diverges_or_cannot_be_read_is_a_line_and_the_others_go_on(plan, folder):
    class Spoilt(type(evaluations.field())):
        def denoise(self, x, sigma):
            return super().denoise(x, sigma) * (float("nan") if 0.03 < sigma.max() < 0.2 else 1.0)

    (folder / "damaged.png").write_bytes(b"no picture")
    jobs = [plan.jobs[0], replace(plan.jobs[1], photo="damaged.png"), plan.jobs[1]]
    spoilt = Spoilt((3, evaluations.SIDE, evaluations.SIDE))
    found = list(work(jobs[:1], folder.joinpath, lambda _: spoilt))
    assert found[0].line["failure"] and not found[0].pictures
    second, third = work(jobs[1:], folder.joinpath, evaluations.field)
    assert second.line["failure"] and second.line["psnr"] is None
    assert third.line["failure"] == "" and third.line["psnr"] > 0


def test_a_prior_that_cannot_be_loaded_ends_it(plan, folder):
    def load(name):
        raise PriorError("It is not here. Download it.")

    with pytest.raises(PriorError):
        list(work(plan.jobs, folder.joinpath, load))
