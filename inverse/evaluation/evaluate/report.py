"""What is reported of a run: a row for each solver on each task, as Markdown and CSV, and charts beside them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from inverse.denoisers.cards import short
from inverse.errors import ProblemError
from inverse.evaluation.evaluate.charts import Points
from inverse.evaluation.evaluate.measures import MEASURES, Measure, Sources
from inverse.evaluation.evaluate.plan import Plan
from inverse.evaluation.evaluate.protocols import PROTOCOLS, Published
from inverse.evaluation.evaluate.summary import Cell, Estimate, cells, paired

COST = ("calls", "seconds")
"""Measures of what a run takes; the others are of how good it is."""


@dataclass(frozen=True)
class Row:
    """A cell in figures.

    Attributes:
        cell: its jobs and results.
        figures: by the measure's name; None where there is none.
        values: those of single jobs, by the measure's name and the photo's digest.
        differences: means over photos of what is larger than by the solver that all are held against.
        published: what a paper has, by the measure's name.
    """

    cell: Cell
    figures: Mapping[str, Estimate | None]
    values: Mapping[str, Mapping[str, float]]
    differences: Mapping[str, Estimate | None] = field(default_factory=dict)
    published: Mapping[str, Published] = field(default_factory=dict)

    @classmethod
    def of(cls, cell: Cell, measures: Mapping[str, Measure], sources: Sources, notes: list[str]) -> Row:
        """Takes measures of a cell, and adds to the notes what has to be said."""
        if cell.failures:
            notes.append(
                f"{cell.solver} on {cell.task}: {len(cell.failures)} of {len(cell.jobs)} runs failed, and are in no "
                f"mean. The first: {cell.failures[0]}"
            )
        figures: dict[str, Estimate | None] = {}
        values: dict[str, dict[str, float]] = {}
        for name, measure in measures.items():
            try:
                if measure.each is not None:
                    values[name] = measure.each(cell, sources)
                    figures[name] = Estimate.of(values[name].values())
                elif measure.whole is not None and cell.good:
                    figures[name] = measure.whole(cell, sources)
            except ProblemError as error:
                notes.append(f"No {measure.title}: {error}")
        return cls(cell, figures, values)

    def against(self, other: Row | None) -> Row:
        """The same with differences from another solver's row, photo by photo."""
        if other is None or other is self:
            return self
        both = [name for name in self.values if name in other.values and name not in COST]
        return replace(self, differences={name: paired(self.values[name], other.values[name]) for name in both})


@dataclass(frozen=True)
class Report:
    """All rows that are complete, and what has to be said beside them, in sentences."""

    plan: Plan
    measures: Mapping[str, Measure]
    rows: Sequence[Row]
    against: str
    notes: Sequence[str]

    @classmethod
    def of(
        cls, plan: Plan, lines: Mapping[str, Mapping], names: Iterable[str], sources: Sources,
        against: str = "", known: Sequence[Published] = (),
    ) -> Report:  # fmt: skip
        """Takes measures of a run.

        Args:
            lines: the results, by the jobs' ids.
            names: of measures.
            against: the solver to hold others against, as the table writes it; the plan's first one if empty.
            known: figures of papers.
        """
        every, wanted, notes = cells(plan, lines), set(names), []
        against = against or every[0].solver
        measures = {name: measure for name, measure in MEASURES.items() if name in wanted}
        done = sum(job.id in lines for job in plan.jobs)
        if done < len(plan.jobs):
            notes.append(f"{done} of {len(plan.jobs)} jobs are done. Rows that lack some are left out.")
        remarks = {measure.title: sources.weights.remark(measure.weights) for measure in measures.values()}
        notes += [
            f"{name} is taken {words}. Do not compare it with others'." for name, words in remarks.items() if words
        ]
        rows = [Row.of(cell, measures, sources, notes) for cell in every if cell.complete]
        held = {(row.cell.prior, row.cell.task): row for row in rows if row.cell.solver == against}
        rows = [row.against(held.get((row.cell.prior, row.cell.task))) for row in rows]
        return cls(plan, measures, [_with(row, plan, known) for row in rows], against, list(dict.fromkeys(notes)))

    @property
    def groups(self) -> list[tuple[str, list[Row]]]:
        """Rows that can be compared, under what they have in common."""
        parts = groupby(
            sorted(self.rows, key=lambda row: self._order.index((row.cell.prior, row.cell.task))),
            key=lambda row: (row.cell.prior, row.cell.task),
        )
        several = len({row.cell.prior for row in self.rows}) > 1
        return [(f"{task}, prior {short(prior)}" if several else task, list(rows)) for (prior, task), rows in parts]

    @property
    def _order(self) -> list[tuple[str, str]]:
        return list(dict.fromkeys((row.cell.prior, row.cell.task) for row in self.rows))

    @property
    def quality(self) -> str:
        """The name of the first measure of quality, by which charts and tables compare; empty where there is none."""
        return next((name for name, measure in self.measures.items() if name not in COST and measure.each), "")

    def table(self, rows: Sequence[Row]) -> list[list[str]]:
        """Rows as texts, the headings first."""
        heads = [f"{measure.title}{measure.unit}" for measure in self.measures.values()]
        compared = any(row.differences.get(self.quality) for row in rows)
        if compared:
            heads.append(f"{self.measures[self.quality].title} against {self.against}")
        made = [["solver", "n", *heads]]
        for row in rows:
            texts = [_said(row.figures.get(name), measure) for name, measure in self.measures.items()]
            if compared:
                texts.append(_said(row.differences.get(self.quality), self.measures[self.quality], sign=True))
            made.append([row.cell.solver, str(len(row.cell.good)), *texts])
            if row.published:
                paper = [f"{row.published[name].value:g}" if name in row.published else "" for name in self.measures]
                places = ", ".join(dict.fromkeys(each.source for each in row.published.values()))
                made.append([f"published ({places})", "", *paper, *([""] * compared)])
        return made

    def markdown(self, charts: Mapping[str, str], title: str = "Evaluation", before: str = "") -> str:
        """A page; `charts` are addresses of pictures, by the group that they are of."""
        photos = len({job.digest for job in self.plan.jobs})
        first = self.plan.jobs[0].settings
        lines = [f"# {title}", "", *([before, ""] if before else [])]
        lines += [
            f"{photos} photos, the center square of each at {first.size or 'its own'} pixels, "
            f"{first.samples} sample{'s' * (first.samples > 1)} each, seed {first.seed}. Figures are means over photos "
            "± standard errors, and differences are paired, photo by photo.",
            "",
        ]
        if self.plan.protocol:
            lines += [self._protocol, ""]
        lines += [f"- {note}" for note in self.notes] + ([""] if self.notes else [])
        devices = dict.fromkeys(line["device"] for row in self.rows for _, line in row.cell.good)
        lines += [f"Computed on: {'; '.join(devices)}.", ""] if devices else []
        for name, rows in self.groups:
            heads, *others = self.table(rows)
            lines += [f"## {name}", "", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
            lines += [f"| {' | '.join(row)} |" for row in others]
            lines += ["", *([f"![Quality against cost]({charts[name]})", ""] if name in charts else [])]
        return "\n".join(lines).rstrip() + "\n"

    @property
    def _protocol(self) -> str:
        protocol = PROTOCOLS[self.plan.protocol]
        words = f"Protocol {self.plan.protocol}. {protocol.about}"
        settings = self.plan.jobs[0].settings
        if (settings.size, settings.sigma_y) != (protocol.size, protocol.sigma_y):
            words += f" **Not so here**: size {settings.size}, sigma_y {settings.sigma_y:g}."
        if not any(row.published for row in self.rows):
            words += " Published figures are not known here, so that none stands beside the measured ones."
        return words

    def csv(self) -> str:
        """A line a row, with all digits."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        columns = [f"{name}{part}" for name in self.measures for part in ("", "_error")]
        columns += [f"{name}_difference{part}" for name in self.measures for part in ("", "_error")]
        writer.writerow(
            ["prior", "task", "solver", "n", "failed", *columns, *(f"{m}_published" for m in self.measures)]
        )
        for row in self.rows:
            parts = [row.figures.get(name) for name in self.measures]
            parts += [row.differences.get(name) for name in self.measures]
            figures = [text for each in parts for text in (_exact(each and each.value), _exact(each and each.error))]
            paper = [_exact(row.published[name].value) if name in row.published else "" for name in self.measures]
            cell = row.cell
            writer.writerow([cell.prior, cell.task, cell.solver, len(cell.good), len(cell.failures), *figures, *paper])
        return text.getvalue()

    def charts(self) -> dict[str, Points]:
        """Quality against cost, by the group that each is of: the first measure of quality, over network calls."""
        found = {}
        for name, rows in self.groups:
            points = [
                (row.cell.solver, calls.value, figure)
                for row in rows
                if (calls := row.figures.get("calls")) and (figure := row.figures.get(self.quality)) and calls.value > 0
            ]
            if len(points) > 1:
                measure = self.measures[self.quality]
                found[name] = Points(name, "network calls", f"{measure.title}{measure.unit}", points)
        return found


def _with(row: Row, plan: Plan, known: Sequence[Published]) -> Row:
    """The row with what a paper has of it."""
    cell = row.cell
    own = [each for each in known if (each.protocol, each.task, each.solver) == (plan.protocol, cell.task, cell.solver)]
    return replace(row, published={each.metric: each for each in own})


def _said(figure: Estimate | None, measure: Measure, sign: bool = False) -> str:
    if figure is None:
        return ""
    return f"{'+' if sign and figure.value >= 0 else ''}{figure.said(measure.digits)}"


def _exact(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.8g}"
