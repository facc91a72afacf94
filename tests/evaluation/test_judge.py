"""Every solver against exact posteriors, in bands that say why, and the judge against solvers that are broken."""

from dataclasses import dataclass, field, replace
from functools import cache

import pytest
import torch

from inverse.denoisers.exact import GaussianMixture
from inverse.errors import ParameterError, ProblemError
from inverse.evaluation.judge import JUDGE_SETTINGS, JUDGE_TASKS, case, figures, judge, judge_solver, to_markdown
from inverse.evaluation.judge.page import summaries, updated
from inverse.operators.inpainting import Mask
from inverse.randomness import generator
from inverse.solvers import SOLVERS
from inverse.solvers.run import BACKWARD_COST, Run

ANY = (0.0, float("inf"))
SIGMAS_Y = (0.0, 0.01, 0.05, 0.5)
"""No noise, hardly any, that of the presets, and more than the signal."""


@dataclass(frozen=True)
class Band:
    """What a row of the judge has to show but for sampling error; pairs are (least, most).

    Sampling error is what exact samples, as many, would show: three standard errors (of a bias four), which the judge
    derives from the posterior's covariance. Of the residual it is that of the noise in y: 3 / sqrt(2 entries of all y).

    Attributes:
        bias, map: at most, in standard deviations of the posterior; an exact sample has 0 and 1.
        std: ratio of standard deviations.
        coverage: of 90 % intervals; by sigma_y where it depends on it.
        residual: over sigma_y; not held without noise.
        measurements, samples: how many.
    """

    bias: float
    std: tuple[float, float] = ANY
    coverage: tuple[float, float] | None = None
    covered: dict[float, tuple[float, float]] = field(default_factory=dict)
    map: float = float("inf")
    residual: tuple[float, float] = ANY
    measurements: int = 2
    samples: int = 19

    def holds(self, row):
        """Whether the row stays in the band; a sentence on what does not."""
        known = case(row.task, row.sigma_y, measurements=self.measurements)
        noise = 3 / (2 * known.operator.entries * self.measurements) ** 0.5
        least, most = self.covered.get(row.sigma_y, self.coverage or (0.0, 1.0))
        checks = [
            ("bias", row.bias, 0.0, (self.bias**2 + row.bias_error**2) ** 0.5),
            ("std ratio", row.std_ratio, self.std[0] - 3 * row.std_error, self.std[1] + 3 * row.std_error),
            ("distance to MAP", row.map_distance, 0.0, self.map),
        ]
        if self.coverage:
            error = 3 * row.coverage_error[0.9]
            checks.append(("90 % coverage", row.coverage[0.9], least - error, most + error))
        if row.sigma_y:
            checks.append(("residual", row.residual, self.residual[0] - noise, self.residual[1] + noise))
        off = [f"{name} {value:.3f} not in {low:.3f} to {high:.3f}" for name, value, low, high in checks
               if not low <= value <= high]  # fmt: skip
        return [f"{row.task}, sigma_y {row.sigma_y:g}: {text}" for text in off]


BANDS = {
    # Biased by how few steps it takes, and that vanishes with 800 (tested below); else exact. Tight at 0.05, where the
    # noise of y that belongs into known pixels is a hundredth of the coverage.
    "daps": Band(
        bias=0.35, std=(0.95, 1.05), coverage=(0.88, 0.92), covered={0.05: (0.895, 0.912)}, residual=(0.9, 1.1)
    ),
    # The Gaussian around D is wider than p(x0 | x), so that it follows y less closely where sigma is low.
    "pigdm": Band(
        bias=0.4, std=(0.92, 1.04), coverage=(0.86, 0.91), covered={0.01: (0.84, 0.91)}, residual=(0.65, 1.2)
    ),
    # Its proximal step takes D for the whole truth: the spread is right within a tenth, and the bias of 100 steps is
    # half a deviation where mixtures of pixels are measured, so that a sample lies up to 1.25 deviations away.
    "diffpir": Band(
        bias=0.6, std=(0.9, 1.1), coverage=(0.85, 0.9), covered={0.01: (0.74, 0.9)}, map=1.3, residual=(0.65, 1.05)
    ),
    # Noise of eta 0.85 only, which is under-dispersed by construction. (Half the noise variance, the classic fault of
    # complex noise, is below these bands: see what is broken below.)
    "ddrm": Band(bias=0.85, std=(0.59, 0.96), coverage=(0.64, 0.86), residual=(0.4, 1.2)),
    # The same steps, three times each.
    "ddnm": Band(bias=0.45, std=(0.65, 0.88), coverage=(0.7, 0.88), covered={0.01: (0.79, 0.95)}, residual=(0.4, 1.45)),
    # The result is an estimate of D, which leaves half of the variance out, and known pixels as smooth as the prior has
    # them. The bias of 50 levels vanishes with more (tested below).
    "ac-dc": Band(bias=0.6, std=(0.62, 1.0), coverage=(0.7, 0.97), map=1.15, residual=(0.7, 2.0)),
    # A MAP method arrives at the same image from every noise.
    "vml-map": Band(bias=0.12, std=(0.0, 0.1), map=0.15),
    # The hole converges last: the gradient passes J twice, which is small there.
    "vml-map-published": Band(bias=0.15, std=(0.0, 0.4), map=0.4, measurements=1, samples=2),
    # The pseudo-inverse trusts weak frequencies more than sigma_y allows: near the MAP estimate, not at it.
    "vml-map-preconditioned": Band(bias=0.35, std=(0.0, 0.4), map=0.45, measurements=1, samples=2),
    # They stop at the noise, and are then samplers of Gaussian data: calibrated, but for the bias of their steps.
    "dps": Band(bias=0.45, std=(0.9, 1.05), coverage=(0.86, 0.92), residual=(0.95, 1.1), measurements=1),
    "dmap": Band(bias=0.3, std=(0.9, 1.05), coverage=(0.86, 0.92), residual=(0.95, 1.05), measurements=1),
    # What is turned towards the measurement is missing from the noise: a tenth.
    "dsg": Band(bias=0.35, std=(0.84, 1.0), coverage=(0.82, 0.92), residual=(0.95, 1.05), measurements=1),
    # One image from every noise, but none of the highest density: it ends where the measurement's noise allows, and the
    # MAP estimate is closer to y than that in known pixels.
    "red-diff": Band(bias=0.65, std=(0.0, 0.2), map=0.7, residual=(0.95, 1.35), measurements=1),
}

QUICK = ("vml-map", "daps", "diffpir", "ddrm", "ddnm")
"""Tenths of a second: they are held on every case. The others are at one sigma_y."""
SLOW = {"vml-map-published", "vml-map-preconditioned"}
ROWS = [(solver, sigma_y) for solver in SOLVERS for sigma_y in (SIGMAS_Y if solver in QUICK else (0.05,))]


def tasks_of(solver, sigma_y):
    some = ("inpainting", "blur") if solver in SLOW else JUDGE_TASKS
    return [task for task in some if sigma_y or not JUDGE_TASKS[task].needs_noise]


@cache
def rows(solver, sigma_y):
    band = BANDS.get(solver, Band(bias=1.0))
    tasks = tasks_of(solver, sigma_y)
    return list(judge([solver], band.samples, 0, tasks, [sigma_y], measurements=band.measurements))


@pytest.mark.parametrize(("solver", "sigma_y"), ROWS)
def test_solver_stays_in_its_band(solver, sigma_y):
    band = BANDS.get(solver, Band(bias=1.0))
    found = rows(solver, sigma_y)
    assert [row.task for row in found] == tasks_of(solver, sigma_y)
    assert [text for row in found for text in band.holds(row)] == []


def test_an_exact_blur_has_an_exact_map():
    """Where field and operator share a basis, the accelerated iteration contracts to the MAP estimate."""
    (row,) = [row for row in rows("vml-map", 0.05) if row.task == "blur"]
    assert row.map_distance < 0.001


def test_the_dual_variable_takes_the_bias_away_as_levels_grow_more():
    """DiffPIR, which forgets, is left with more at as many calls."""
    few, many = (
        next(judge([judge_solver("ac-dc", steps=steps)], tasks=["random"], measurements=2)) for steps in (50, 200)
    )
    (forgets,) = judge([judge_solver("diffpir", steps=200)], tasks=["random"], measurements=2)
    assert many.bias < 0.5 * few.bias and many.bias < forgets.bias


@pytest.mark.parametrize("solver", ["daps", "diffpir"])
def test_bias_of_few_steps_vanishes_with_many(solver):
    few, many = (
        next(judge([judge_solver(solver, steps=steps)], tasks=["random"], seed=1, measurements=2))
        for steps in (50, 800)
    )
    assert few.verdict == "biased" and many.verdict == "calibrated"
    assert many.bias < 0.4 * few.bias


@pytest.mark.parametrize("solver", SOLVERS)
def test_row_says_what_it_cost(solver):
    found = rows(solver, 0.05)[0]
    forwards, backwards = judge_solver(solver).cost
    assert (found.nfe, found.vjp) == (forwards, backwards)
    assert found.cost == forwards + BACKWARD_COST * backwards


@pytest.mark.parametrize("solver", JUDGE_SETTINGS)
def test_settings_belong_to_solvers_that_exist_and_differ_from_the_defaults(solver):
    settings, _ = JUDGE_SETTINGS[solver]
    defaults = SOLVERS[solver].defaults()
    assert all(value != defaults[name] for name, value in settings.items())


# --- the judge itself: exact samples


CALIBRATED = Band(bias=0.0, std=(1.0, 1.0), coverage=(0.9, 0.9), residual=(0.95, 1.05))


def exact(known, samples=19, seed=5):
    return torch.stack([known.posterior.sample(y[None], generator(seed, i), samples) for i, y in enumerate(known.y)])


def row_of(known, task, x):
    """A row of the judge for samples that no solver has drawn."""
    (row,) = judge([SOLVERS["ddrm"](steps=2)], 2, tasks=[task], sigmas_y=[known.sigma_y], measurements=1)
    return replace(row, settings={}, samples=x.shape[1], measurements=len(x), **figures(known, x))


@pytest.mark.parametrize("sigma_y", SIGMAS_Y)
@pytest.mark.parametrize("task", JUDGE_TASKS)
def test_exact_samples_are_calibrated(task, sigma_y):
    if JUDGE_TASKS[task].needs_noise and not sigma_y:
        with pytest.raises(ProblemError, match="larger sigma_y"):
            case(task, sigma_y)
        return
    known = case(task, sigma_y, measurements=CALIBRATED.measurements)
    row = row_of(known, task, exact(known))
    assert CALIBRATED.holds(row) == [] and row.verdict == "calibrated"
    assert abs(row.coverage[0.5] - 0.5) <= 3 * row.coverage_error[0.5]


@pytest.mark.parametrize("size", [8, 16])
def test_exact_samples_scatter_as_far_as_the_judge_says(size):
    """The sampling error of every figure, against 200 repetitions: that of coverage is an upper bound."""
    known = case("random", 0.05, seed=3, size=size, measurements=2)
    found = [figures(known, exact(known, seed=repetition)) for repetition in range(200)]
    spread = torch.tensor([f["std_ratio"] for f in found]).double()
    covered = torch.tensor([f["coverage"][0.9] for f in found]).double()
    share = torch.tensor([f["bias"] for f in found]).double()
    # A standard deviation from 200 numbers is known to a twentieth: four of its standard errors.
    assert 0.8 <= spread.std() / found[0]["std_error"] <= 1.2
    assert 0.5 <= covered.std() / found[0]["coverage_error"][0.9] <= 1.2
    assert abs(covered.mean() - 0.9) <= 4 * covered.std() / 200**0.5
    assert (share <= found[0]["bias_error"]).double().mean() >= 0.98 and share.max() >= found[0]["bias_error"] / 2


def test_coverage_is_the_posteriors_own_probability():
    """Samples at mean +- 2 std in every pixel, and nowhere between: a 90 % interval holds what a normal law says."""
    known = case("blur", 0.05)
    ends = torch.tensor([-2.0] * 10 + [2.0] * 9, dtype=torch.float64)[None, :, None, None, None]
    found = figures(known, known.means[:, None] + ends * known.posterior.std)
    normal = torch.special.ndtr(torch.tensor(2.0, dtype=torch.float64)).item()
    assert found["coverage"][0.9] == pytest.approx(2 * normal - 1, abs=1e-9)
    assert figures(known, exact(known, 18))["coverage"][0.9] != figures(known, exact(known, 18))["coverage"][0.9]  # NaN


@pytest.mark.parametrize(
    ("broken", "verdict"),
    [
        (lambda x, mean, std: mean + 0.8 * (x - mean), "narrow"),
        (lambda x, mean, std: mean + 1.2 * (x - mean), "wide"),
        (lambda x, mean, std: x + 0.5 * std, "biased"),
        (lambda x, mean, std: mean + 0.1 * (x - mean), "mode"),
        (lambda x, mean, std: mean + 0.3 * std + 0.1 * (x - mean), "near mode"),
    ],
)
def test_samples_that_are_off_are_told_so(broken, verdict):
    known = case("random", 0.05)
    x = broken(exact(known), known.means[:, None], known.posterior.std)
    assert row_of(known, "random", x).verdict == verdict


def test_a_spread_that_is_right_on_the_whole_is_held_to_every_pixel():
    """Known pixels are most of the image, and hardly any of its variance: their noise may be missing unnoticed."""
    known = case("inpainting", 0.01)
    x, mean = exact(known), known.means[:, None]
    x = torch.where(known.posterior.std < 0.02, mean, x)
    assert row_of(known, "inpainting", x).verdict == "narrow in places"


# --- the judge itself: solvers that are broken


def less_noise(monkeypatch):
    """Half the variance, as complex noise has that is drawn for real coefficients."""
    noise = Run.noise
    monkeypatch.setattr(Run, "noise", lambda run: noise(run) / 2**0.5)


def one_noise(monkeypatch):
    """The same noise in every step."""
    noise = Run.noise

    def same(run):
        run.first = getattr(run, "first", None)
        run.first = noise(run) if run.first is None else run.first
        return run.first

    monkeypatch.setattr(Run, "noise", same)


def wrong_sigma_y(monkeypatch):
    """Twice as much noise as there is, as where one scale of pixels is taken for the other."""
    init = Run.__init__

    def doubled(run, denoiser, operator, y, sigma_y, generators):
        init(run, denoiser, operator, y, 2 * sigma_y, generators)

    monkeypatch.setattr(Run, "__init__", doubled)


def no_null_space(monkeypatch):
    """A measurement whose null space is filled with the pseudo-inverse, not with the prior."""
    init = Run.__init__

    def projected(run, denoiser, operator, y, sigma_y, generators):
        init(run, denoiser, operator, y, sigma_y, generators)
        answer = run.denoise

        def denoise(x, sigma):
            x0_hat = yield from answer(x, sigma)
            return run.operator.pinv(run.operator(x0_hat))

        run.denoise = denoise

    monkeypatch.setattr(Run, "__init__", projected)


def coupled(monkeypatch):
    """Samples that share the gradient's norm, or here an estimate: that of the whole batch."""
    denoise = Run.denoise

    def mean_of_batch(run, x, sigma):
        x0_hat = yield from denoise(run, x, sigma)
        return x0_hat + 0.5 * (x0_hat.mean(0) - x0_hat)

    monkeypatch.setattr(Run, "denoise", mean_of_batch)


@pytest.mark.parametrize("fault", [less_noise, one_noise, wrong_sigma_y, no_null_space, coupled])
@pytest.mark.parametrize("solver", ["daps", "diffpir", "ddrm"])
def test_a_broken_solver_leaves_its_band(solver, fault, monkeypatch):
    fault(monkeypatch)
    band = BANDS[solver]
    found = judge([solver], band.samples, tasks=["random", "blur", "colour"], measurements=band.measurements)
    assert any(band.holds(row) for row in found)


def test_a_solver_that_ignores_the_measurement_leaves_every_band():
    (row,) = judge([SOLVERS["dps"](step_size=0.0, sigma_max=80.0)], tasks=["blur"], measurements=1)
    assert [name for name, band in BANDS.items() if not replace(band, measurements=1).holds(row)] == []


# --- what is asked, and what is printed


def test_other_seeds_and_sizes_are_other_cases():
    first, second = (next(judge(["ddrm"], 2, seed=seed, tasks=["random"], size=8)) for seed in (0, 1))
    assert first.size == 8 and first.posterior_std != second.posterior_std
    again = next(judge(["ddrm"], 2, seed=1, tasks=["random"], size=8))
    assert replace(again, seconds=0, coverage={}) == replace(second, seconds=0, coverage={})


def test_rows_come_one_by_one_and_make_a_table():
    found = judge([SOLVERS["ddrm"](steps=3), "vml-map"], samples=2, sigmas_y=[0.0, 0.05], measurements=1, size=16)
    first = next(found)
    assert (first.solver, first.task, first.sigma_y) == ("ddrm", "inpainting", 0.0) and first.settings == {"steps": 3}
    found = [first, *found]
    blurs = sum(judged.needs_noise for judged in JUDGE_TASKS.values())
    assert len(found) == 2 * (2 * len(JUDGE_TASKS) - blurs)
    page = to_markdown(found)
    assert JUDGE_SETTINGS["vml-map"][1] in page and "steps 3" in page  # why these settings
    lines = page.splitlines()
    assert [line for line in lines if line.startswith("## ")][1:3] == ["## sigma_y 0", "## sigma_y 0.05"]
    tables = [line for line in lines if line.startswith("|")]
    assert len(tables) == 4 + 2 * 2 + len(found)
    assert {line.count("|") for line in tables} == {7, 11}
    assert max(len(line) for line in lines if not line.startswith(("|", "- VML"))) <= 120


def test_a_run_with_more_steps_has_a_row_of_its_own_in_the_summary():
    found = list(judge(["daps", judge_solver("daps", steps=800)], 2, tasks=["random"], size=8, measurements=1))
    assert [row.name for row in found] == ["DAPS", "DAPS, 800 steps"]
    page = to_markdown(found)
    assert page.count("| DAPS, 800 steps |") == 2
    read = summaries(page)
    assert list(read) == ["DAPS", "DAPS, 800 steps"]
    assert read["DAPS"]["bias"] == f"{found[0].bias:.2f}" and read["DAPS"]["verdicts"] == f"1 {found[0].verdict}"


@pytest.fixture(scope="module")
def several():
    """Rows of several solvers: at settings of their own and at their defaults, and one again with more steps."""
    solvers = [
        "vml-map",
        "daps",
        SOLVERS["ddrm"](steps=3),
        "ddnm",
        SOLVERS["red-diff"](),
        judge_solver("daps", steps=800),
    ]
    return list(judge(solvers, 2, tasks=["random", "blur"], sigmas_y=[0.05, 0.5], size=8, measurements=1))


@pytest.mark.parametrize("new", [["daps"], ["red-diff"], ["vml-map", "ddnm"], ["ddrm", "red-diff"]])
def test_solvers_that_are_judged_later_have_their_places_in_the_page(several, new):
    """Whether the page had other lines of them or none, it is that of all rows."""
    page = to_markdown(several)
    rest, added = ([row for row in several if (row.solver in new) == wanted] for wanted in (False, True))
    earlier = [replace(row, bias=9.0, settings={"steps": 4}) if row.solver in new else row for row in several]
    if "daps" not in new:  # whose second row is known by its settings
        assert updated(to_markdown(earlier), to_markdown(added)) == page
    assert updated(to_markdown(rest), to_markdown(added)) == page == updated(page, page)


def test_a_page_is_updated_by_rows_of_the_same_cases_only(several):
    page = to_markdown(several)
    for other in ({"size": 16}, {"task": "colour"}, {"sigma_y": 0.1}):
        with pytest.raises(ParameterError, match="other cases"):
            updated(page, to_markdown([replace(row, **other) for row in several if row.solver == "ddrm"]))
    gone = page.replace("| DDNM+ |", "| DDNM of old |").replace("- DDNM+:", "- DDNM of old:")
    assert "DDNM" not in updated(gone, to_markdown([row for row in several if row.solver == "ddrm"]))


@pytest.mark.parametrize(
    ("asked", "known"), [({"solvers": ["vml-map", "vlm-map"]}, "vml-map"), ({"tasks": ["blurr"]}, "blur")]
)
def test_what_does_not_exist_is_refused_before_anything_runs(asked, known):
    with pytest.raises(ParameterError, match=known):
        next(judge(**asked))


# --- two modes in the plane, of which the first coordinate is measured (Xu et al. 2025, figure 8)


@pytest.fixture(scope="module")
def plane():
    means = torch.tensor([[0.0, 1.0], [0.0, -1.0]]).reshape(2, 1, 1, 2)
    prior = GaussianMixture(means, torch.tensor([0.1, 0.1]), torch.tensor([0.7, 0.3]))
    operator = Mask(torch.tensor([[1.0, 0.0]]), (1, 1, 2)).to("cpu", torch.float64)
    y = torch.tensor([0.1, 0.0], dtype=torch.float64).reshape(1, 1, 1, 2)
    return prior, operator, y, prior.posterior(operator, y, 0.1)


def draw(solver, plane, samples=300):
    prior, operator, y, _ = plane
    *_, last = solver.solve(prior, operator, y, 0.1, [generator(5, 1, i) for i in range(samples)])
    return last.x0_hat.reshape(-1, 2)


@pytest.mark.parametrize(("solver", "most"), [("dps", 0.7), ("dmap", 0.2), ("dsg", 0.5)])
def test_gradient_methods_concentrate_where_the_posterior_does_not(plane, solver, most):
    """As in the paper, that is; what stops at the noise concentrates less."""
    exact = plane[3].covariances[0, 0, 0].sqrt()
    spread, stopped = (draw(SOLVERS[solver](stop_at_noise=stop), plane)[:, 0].std() for stop in (False, True))
    assert spread <= most * exact
    assert spread <= stopped <= 1.15 * exact


@pytest.mark.parametrize("solver", ["daps", "diffpir", "pigdm"])
def test_samplers_spread_as_the_posterior_does(plane, solver):
    """Spread of the measured coordinate to 15 %; share of the higher mode, 0.7, to three standard errors."""
    whole = {"stochasticity": 1.0} if solver == "daps" else {}
    x, exact = draw(SOLVERS[solver](**whole), plane), plane[3].covariances[0, 0, 0].sqrt()
    assert 0.85 <= x[:, 0].std() / exact <= 1.15
    assert abs((x[:, 1] > 0).double().mean() - 0.7) <= 3 * (0.7 * 0.3 / 300) ** 0.5


def test_vml_map_ends_in_a_mode_and_mostly_in_the_highest(plane):
    x, modes = draw(SOLVERS["vml-map"](), plane), plane[3].modes().reshape(-1, 2)
    distances = torch.cdist(x, modes)
    assert distances.min(1).values.max() <= 0.05
    assert (distances.argmin(1) == 0).double().mean() >= 0.9
