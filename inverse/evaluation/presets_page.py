"""docs/presets.md: what every solver reached at its presets, beside the best classical method.

python -m inverse.evaluation.presets_page docs/presets.md
"""

from __future__ import annotations

from collections.abc import Iterable

from inverse.evaluation.pages import command
from inverse.operators import TASKS
from inverse.solvers import SOLVERS
from inverse.solvers.advice import BASELINES, VIEWS, Baselines, best_baseline
from inverse.solvers.defaults import SOLVER_OF
from inverse.solvers.presets import PRESETS, Preset, Table, possible

HEAD = """# Presets

What every solver reached on every task at its preset, in dB, and what the best classical method did; the best of a line
in bold, a dash where a solver cannot. Mean PSNR over three photographs (coffee, rocket, motorcycle of scikit-image)
that the prior was not trained on, with sigma_y 0.05 and the embedded prior. The settings are in
[presets.toml](../inverse/solvers/presets.toml), with what the solver's defaults reached;
`python -m inverse.evaluation.tune` finds them and says how. The figures of all classical methods, which are told
sigma_y as well, are in [baselines.toml](../inverse/solvers/baselines.toml). BM3D is that of Dabov, Foi, Katkovnik and
Egiazarian, IEEE Trans. Image Processing 2007, by its authors' package `bm3d`. Where a classical method is better than a
preset, the app and the command line say so. How some compare with azula's of the same name: [peers.md](peers.md).

The search for `vml-map` on hdr began at settings that were found by hand; that for `vml-map-preconditioned` on blurs
began at the defaults, after one from the table's rows ended where it began. What was found for `ddrm` on colorize, 20.0
dB on crops and 20.7 on whole photos, is not taken: on five photos at 128 pixels it was 1 dB worse than what is in the
table. Where a solver has no figure on whole photos its preset was chosen on crops alone.
On inpaint-mask `dmap` and `red-diff` were measured with an earlier mask, which was easier by 1 to 2 dB.

`ac-dc` was searched on crops, at 50 passes of the network. What was found for it on inpaint-half, 16.2 dB from more
noise on, is not taken: on three photos that the search did not see it was 2.5 dB worse than what is in the table. For
phase retrieval it takes 116, in two attempts of which the measurement chooses, since single runs miss the phases at
times: over three seeds its crops are at 27.9, 27.7 and 28.1 dB, and at 25.3, 21.0 and 28.0 in one attempt; whole photos
at 25.2, 22.2 and 22.7. A picture and the same turned by 180 degrees have the same magnitudes, so that the better of the
two counts there, but for `vml-map-published` and the classical method, which were measured before. The Langevin steps
of the paper do not help at equal cost: of six runs of 100 passes on each crop the mean is 27.4 dB without them, and
16.0 with nine at each of ten noise levels.

Tried on the crops, and not added because they were better nowhere: DDiff (Kim, Levy and Wetzstein 2026, arXiv
2505.17353), DiffPIR with a dual variable, reached 21.1 dB on inpaint-random, 25.6 on deblur-gaussian and 23.8 on
super-resolution in 30 passes, at the best of seven settings; FAST-DIPS (Kim, Shin and Lim 2026, arXiv 2603.01591), for
linear tasks by the discrepancy principle in closed form, 26.2, 25.8 and 24.0 at the best of three, and in 50 passes
29.3 on hdr, 25.2 on deblur-nonlinear and 28.7 on bit-depth. In 30 passes `vml-map` is at 29.3, 26.7 and 24.5.

TriPS (ICML 2026), made for flows of latents that follow a text, was tried in the same way, without the text: D is moved
by steps of falling length along the misfit's gradient, and a falling share of the noise that it leaves is drawn anew.
In 30 passes, at the best of eight to twenty settings, it reached 23.2 dB on inpaint-random, 25.0 on deblur-gaussian,
22.9 on super-resolution, 27.9 on hdr, 24.5 on jpeg and 25.0 on deblur-nonlinear; `vml-map` is at 29.0 on hdr and 26.3
on jpeg, and `daps` at 25.0 on deblur-nonlinear. On known posteriors its samples fit the noise: of Gaussian fields of
which 70 % of the pixels are missing, in 100 passes, its 90 % intervals hold at most 67 %, and those of `daps` 91 %. It
is not added, and was not tried with networks of latents, for which the step of LATINO is there, without any gradient:
linear tasks with `vml-map`, `diffpir` and `ac-dc`.

PSNR is not all: a solver that draws samples reaches less than one that seeks a mode of the posterior, and a grey
picture more than one in plausible but wrong colours.
"""
TITLES = {
    "psnr": "Crops: the middle 64x64 pixels of the photos at 256 pixels",
    "whole": "Whole photos, made small: 128x128 pixels",
}


def page(table: Table = PRESETS, baselines: Baselines = BASELINES) -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for view in VIEWS:
        parts += [f"## {TITLES[view]}\n", _figures(table, view, baselines)]
    parts += ["## Which solver is the default\n", _defaults()]
    return "\n".join(parts)


def _figures(table: Table, view: str, baselines: Baselines) -> str:
    """A line a task, a column a solver that has this figure."""
    columns = [name for name in SOLVERS if any(getattr(row, view) is not None for row in table.get(name, {}).values())]
    heads = ["task", *(f"`{solver}`" for solver in columns), "classical", "which"]
    lines = [_line(heads), "|---|" + "---:|" * (len(columns) + 1) + "---|"]
    for task in TASKS:
        title, classical = best_baseline(task, (view,), baselines) or ("", None)
        reached = [getattr(table[solver].get(task, Preset()), view) for solver in columns]
        best = max((value for value in (*reached, classical) if value is not None), default=None)
        able = [possible(task, solver) for solver in columns]
        cells = ["–" if not can else _cell(value, best) for can, value in zip(able, reached, strict=True)]
        lines.append(_line([task, *cells, _cell(classical, best), title]))
    return "\n".join(lines) + "\n"


def _defaults() -> str:
    lines = [_line(["task", "default", "why"]), "|---|---|---|"]
    lines += [_line([task, f"`{default.solver}`", default.reason]) for task, default in SOLVER_OF.items()]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(value: float | None, best: float | None) -> str:
    if value is None:
        return ""
    return f"**{value:.1f}**" if value == best else f"{value:.1f}"


if __name__ == "__main__":
    command(page)()
