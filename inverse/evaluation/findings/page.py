"""A page of findings: what each truth says of the paper's claims, the further questions, and every figure."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from inverse.evaluation.findings.claims import CLAIMS, together, verdicts
from inverse.evaluation.findings.contenders import REFERENCE, UNCONDITIONAL
from inverse.evaluation.findings.measuring import Findings
from inverse.evaluation.findings.questions import QUESTIONS, answers
from inverse.evaluation.findings.questions import together as over_all
from inverse.evaluation.findings.samples import Diversity
from inverse.evaluation.findings.sentences import averages, sentences
from inverse.evaluation.findings.study import Study

STANDARD = (
    Study(truth="modes", parts=True),
    Study(truth="field", parts=True),
    Study(truth="field", task="blur", parts=True),
    Study(truth="pictures", parts=True),
)
"""What docs/findings.md is made of."""

PREFACE = (
    "Xu et al. (ICLR 2025, [arXiv 2501.18913](https://arxiv.org/abs/2501.18913)) make three claims of DPS (Chung et "
    "al. 2022), measured on photographs against a conditional estimator that they trained. Here they are measured "
    "where the truth is known: on priors whose posterior is a mixture of Gaussians, with its exact score, spread and "
    "modes. No network is in it. Made by `make findings`; `inverse findings --help` asks for other truths, "
    "tasks, solvers and step sizes, and the tab Findings of the app shows it live."
)
HOW = (
    "Score. From a point of the true posterior's trajectories, one step of a solver ends delta beyond the prior's own "
    "ancestral step, on average; with the prior's score s, it implies s + delta / (sigma^2 - sigma_next^2). The "
    "solver's own code makes the step. Its error is (1 - abar) mean (eps - eps_ref)^2, as the paper plots it, with "
    "1 - abar = sigma^2 / (1 + sigma^2); and beside the length of the reference score.",
    "Mean. eps averaged over N draws of p(x_t | y), mean of its absolute value over the entries. Unit normal numbers "
    "would give sqrt(2 / (pi N)); beyond chance is what exceeds 97.5 % of a bootstrap of the same draws made to have "
    "mean 0. A score that is too long has mean 0 all the same: so we ask, too, whether <eps, n> / <eps, eps> is 1, n "
    "the noise that is really in x_t, as it is for eps = E[n | x_t, y].",
    "Samples. Spread: pooled standard deviation over the posterior's. 90 %: how much of the posterior an interval "
    "between the samples' 5 % and 95 % quantiles holds, mean over pixels; the ranks are the same in 20 bins. To mode: "
    "RMS distance to the nearest mode, in that of exact draws: 1 for a sampler, 0 for a mode. Astray: share of samples "
    "where the posterior is less dense than at all but a thousandth of its draws.",
    "DPS, DMAP and DSG are as published: no step of theirs knows the measurement's noise. The app's own default stops "
    "at the noise, and is a row of its own. zeta is quoted as in the app, for 1000 steps and 3x256x256 entries; VE and "
    "VP say in which coordinates it is constant over a run. The reference is the sampler with the exact conditional "
    "score, in 1000 steps and in as many as the others have.",
)
DIFFERENCES = (
    "Coordinates of zeta. The paper's samplers keep zeta constant in VE coordinates; its plot of the error is, as far "
    "as we can tell, drawn with a zeta constant in VP, where a step is about (1 + sigma^2) times as long. Here both "
    "are drawn. The paper's own text and code could not be read in full: this is a reading, and no quotation.",
    "Number of steps. Half as many steps must each go twice as far: zeta belongs to a number of steps, and is scaled "
    "with it here. With a zeta that is not scaled the implied score changes by that factor.",
    "The truth. The paper's reference is a network, whose own error is part of every difference; ours is exact. Its "
    "images are photographs in a latent space; ours are small, and Gaussian or a few Gaussians. What fails here fails "
    "for reasons of its own, not of a network; what holds here need not hold there.",
    "The mean. That a conditional score has mean 0 over p(x_t | y) tells it from every other function, and so from the "
    "unconditional score too. A mean beyond chance is no sign of a bad sampler by itself.",
)


def to_markdown(studies: Sequence[Findings], pictures: Mapping[str, Sequence[str]]) -> str:
    """The page. `pictures` are the files of each study's figures by its `key`, as the page links to them."""
    lines = ["# Findings", "", *_paragraphs([PREFACE])]
    for place, claim in enumerate(CLAIMS):
        lines += [f"## Claim {place + 1}", "", *_paragraphs([f"> {claim}", f"**{together(studies, place)}**"])]
        lines += [line for found in studies for line in _bullet(f"{_where(found)}: {verdicts(found)[place]}")] + [""]
    asked = {question: [(found, answer) for found in studies if (answer := answers(found).get(question))]
             for question in QUESTIONS}  # fmt: skip
    if any(asked.values()):
        lines += ["## Further questions", ""]
        for question, given in asked.items():
            if not given:
                continue
            lines += [f"### {question}", "", *_paragraphs([f"**{over_all([found for found, _ in given], question)}**"])]
            lines += [line for found, answer in given for line in _bullet(f"{_where(found)}: {answer}")] + [""]
    lines += ["## Where this differs from the paper, and why", ""]
    lines += [line for text in DIFFERENCES for line in _bullet(text)] + [""]
    lines += ["## How it is measured", "", *_paragraphs(HOW)]
    for found in studies:
        lines += _study(found, pictures.get(key(found), ()))
    return "\n".join(lines).rstrip() + "\n"


def key(found: Findings) -> str:
    """What files of a study are called by."""
    return f"{found.study.truth}-{found.study.task}"


def _where(found: Findings) -> str:
    kind = found.truth.kind
    return f"{kind.title}, {kind.tasks[found.truth.task].about}"


def _study(found: Findings, pictures: Sequence[str]) -> list[str]:
    study = found.study
    lines = [f"## {_where(found)}", ""]
    lines += _paragraphs([
        f"sigma_y {found.truth.problem.sigma_y:g}, {study.steps} steps from sigma {found.truth.kind.sigma_max:g}, "
        f"{study.points or found.truth.kind.points} points, {study.samples or found.truth.kind.samples} samples each."
    ])  # fmt: skip
    lines += _paragraphs(filter(None, sentences(found).values()))
    lines += [f"![{_where(found)}]({name})" for name in pictures] + [""]
    return [*lines, *_table(found), ""]


def _table(found: Findings) -> Iterator[str]:
    average, rows = averages(found), {row.label: row for row in found.samples}
    yield "| | score error | spread | 50 % | 90 % | to mode | astray | residual | passes |"
    yield "|---|" + "---|" * 8
    for label in dict.fromkeys([UNCONDITIONAL, REFERENCE, *average, *rows]):
        row, error = rows.get(label), average.get(label, math.nan)
        if row is not None and row.failure:
            yield f"| {label} | {_figure(error, '.2g')} | {row.failure} | | | | | | |"
        elif row is not None or label in average:
            yield f"| {label} | {_figure(error, '.2g')} | {' | '.join(_cells(row))} |"


def _cells(row: Diversity | None) -> list[str]:
    if row is None:
        return [""] * 7
    figures = (row.std_ratio, row.coverage(0.5), row.coverage(0.9), row.to_mode, row.strays, row.residual)
    passes = f"{row.nfe}" + (f" + {row.vjp} back" if row.vjp else "")
    return [*(_figure(figure, ".2f") for figure in figures), passes]


def _figure(value: float, form: str) -> str:
    return "" if math.isnan(value) else f"{value:{form}}"


def _bullet(text: str) -> list[str]:
    return textwrap.wrap(f"- {text}", 120, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)


def _paragraphs(texts: Iterable[str]) -> list[str]:
    lines: list[str] = []
    for text in texts:
        indent = "> " if text.startswith("> ") else ""
        wrapped = textwrap.wrap(text, 120, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)
        lines += [*wrapped, ""]
    return lines
