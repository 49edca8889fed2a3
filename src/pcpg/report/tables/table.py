"""The table model: which rows and columns a table has, and what fills them."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from pcpg.report.results.intervals import Intervals
from pcpg.report.results.metrics import Summary, by_seed, load, paired, summarise
from pcpg.report.results.stats import Estimate
from pcpg.workspace.errors import InputError


@dataclass(frozen=True)
class Measure:
    """One quantity that a table reports: its name in the csv, its heading, and how its value is found."""

    name: str  # cer, wer or accuracy
    label: str
    quantity: str  # column of the metrics frame


@dataclass(frozen=True)
class Row:
    """One line of a table: labels as printed, the run behind it, and the paper's values by measure name."""

    labels: tuple[str, ...]
    corpus: str
    paper: dict[str, float]  # empty: a control, which the paper lacks
    run: str = ""  # "": a published result with no run of ours
    quantity: str = ""  # read this instead of the measure's quantity

    @property
    def control(self) -> bool:
        return not self.paper


@dataclass(frozen=True)
class Layout:
    """A table before our results are known."""

    name: str
    title: str
    labels: tuple[str, ...]  # headings of the label columns
    measures: tuple[Measure, ...]
    rows: tuple[Row, ...]  # the paper's in its order, then the controls
    notes: tuple[str, ...]
    baseline: str = ""  # run that the others are compared with, seed by seed; "": no comparison
    against: str = ""  # that baseline's name in the heading
    published: bool = True  # false: a table of ours alone, without columns for the paper

    @property
    def beam(self) -> bool:
        """Whether any number comes from beam search."""
        quantities = [row.quantity or measure.quantity for row in self.rows for measure in self.measures]
        return any(quantity.startswith("beam_") for quantity in quantities)

    def apart(self, row: Row) -> bool:
        """Whether the row is a control, below the paper's rows."""
        return self.published and row.control

    def baseline_row(self, corpus: str) -> Row:
        return next(row for row in self.rows if row.corpus == corpus and row.run == self.baseline)


@dataclass(frozen=True)
class Cell:
    """What one row holds for one measure; the paper's numbers are nan in a control."""

    paper: float
    ours: Summary
    paper_delta: float | None = None
    delta: Summary | None = None  # None: the table compares nothing, or this is the baseline's row
    interval: Estimate | None = None  # of ours; None: no transcriptions to tell it from
    delta_interval: Estimate | None = None
    best: bool = False  # of the paper's rows of this corpus, by more than chance


@dataclass(frozen=True)
class Line:
    row: Row
    cells: tuple[Cell, ...]
    clips: int | None  # test clips; None where no seed has run


@dataclass(frozen=True)
class Table:
    """A layout with our results in it."""

    layout: Layout
    lines: tuple[Line, ...]
    preset: str
    seeds: tuple[int, ...]
    data: dict[str, str] = field(default_factory=dict)  # corpus -> split, protocol and number of test clips


def fill(layout: Layout, results: Path, seeds: list[int], preset: str) -> Table:
    """Put the results of `seeds` into the layout; runs without results leave empty summaries (n = 0)."""
    frame, data = read(layout, results, seeds)
    intervals, lines = Intervals(results, seeds), []
    for row in layout.rows:
        clips = frame[(frame["corpus"] == row.corpus) & (frame["run"] == row.run)]["clips"]
        cells = tuple(_cell(layout, row, measure, frame, intervals) for measure in layout.measures)
        lines.append(Line(row, cells, None if clips.empty else int(clips.iloc[0])))
    return Table(layout, tuple(lines), preset, tuple(seeds), data)


def read(layout: Layout, results: Path, seeds: list[int]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Metrics of the layout's runs, and on what each corpus' were measured: Table.data."""
    frame = load(results, ((row.corpus, row.run) for row in layout.rows if row.run), seeds)
    facts = ["split", "protocol", "clips", *(["beam_size"] if layout.beam else [])]
    corpora = dict.fromkeys(row.corpus for row in layout.rows)
    return frame, {
        corpus: _data(frame[frame["corpus"] == corpus][facts], results / "runs" / corpus) for corpus in corpora
    }


def _cell(layout: Layout, row: Row, measure: Measure, frame: pd.DataFrame, intervals: Intervals) -> Cell:
    quantity = row.quantity or measure.quantity
    values, paper = by_seed(frame, row.corpus, row.run, quantity), row.paper.get(measure.name, math.nan)
    ours = summarise(values)
    interval = intervals.rate(row.corpus, row.run, quantity)
    if interval and interval.seeds == ours.n and not math.isclose(interval.value, ours.mean, abs_tol=1e-6):
        problem = f"metrics.json gives {quantity} {ours.mean:.4f}, predictions.csv {interval.value:.4f}"
        raise InputError(f"{row.corpus} {row.run}", problem)
    rivals = [
        other.run for other in layout.rows if other.corpus == row.corpus and other.run and not layout.apart(other)
    ]
    best = not layout.apart(row) and intervals.best(row.corpus, row.run, rivals, quantity)
    cell = Cell(paper, ours, interval=interval, best=best)
    if not layout.baseline or row.run == layout.baseline:
        return cell
    return replace(
        cell,
        paper_delta=paper - layout.baseline_row(row.corpus).paper.get(measure.name, math.nan),
        delta=paired(values, by_seed(frame, row.corpus, layout.baseline, quantity)),
        delta_interval=intervals.difference(row.corpus, row.run, layout.baseline, quantity),
    )


def _data(facts: pd.DataFrame, where: Path) -> str:
    """What the corpus' numbers were measured on; runs measured on different data must not share a table."""
    kinds = [_kind(**kind) for kind in facts.drop_duplicates().to_dict("records")]
    if len(kinds) > 1:
        raise InputError(where, f"runs of one table were tested on different data: {'; '.join(kinds)}")
    return "".join(kinds)


def _kind(split: str, protocol: str, clips: int, beam_size: int = 0) -> str:
    protocol = f"protocol {protocol}, " if protocol else ""
    beam = f", beam of {beam_size}" if beam_size else ""
    return f"{split} split, {protocol}{clips} clips{beam}"
