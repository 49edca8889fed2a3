"""The table model: which rows and columns a table has, and what fills them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from pcpg.report.costs import updates
from pcpg.report.results.quantities import OF_HISTORIES
from pcpg.report.results.results import Results, Summary, summarise
from pcpg.report.results.stats import Estimate


@dataclass(frozen=True)
class Measure:
    """One quantity that a table reports: its name, its heading, and how its value is found."""

    name: str  # in the csv's columns
    label: str
    quantity: str  # one of pcpg.report.results.quantities


@dataclass(frozen=True)
class Row:
    """One line of a table: labels as printed, the run of ours, and the paper's values (percent) by measure name."""

    labels: tuple[str, ...]
    corpus: str
    paper: dict[str, float]
    run: str = ""  # "": a published result with no run of ours
    quantity: str = ""  # to be read in place of the measure's quantity
    group: str = ""  # heading of the rows below the table's own: CONTROLS, OTHERS; "": one of its own


@dataclass(frozen=True)
class Layout:
    """A table before our results are known."""

    name: str
    title: str
    labels: tuple[str, ...]  # headings of the label columns
    measures: tuple[Measure, ...]
    rows: tuple[Row, ...]  # group by group
    notes: tuple[str, ...]
    baseline: str = ""  # run that the others are compared with, seed by seed; "": no comparison
    against: str = ""  # that baseline's name in the heading
    published: bool = True  # false: a table of ours alone, without columns for the paper
    corrected: str = ""  # a measure: a column has p of its differences, after Holm's correction over a corpus's rows
    timed: bool = False  # last columns: what the committed trainings took

    def printed(self, corpus: str, measure: str) -> float:
        """The paper's value of the baseline, percent; nan where it has none."""
        values = [row.paper for row in self.rows if (row.corpus, row.run) == (corpus, self.baseline)]
        return values[0].get(measure, math.nan) if values else math.nan


@dataclass(frozen=True)
class Cell:
    """What one row holds for one measure, in percent or percentage points; nan where the paper has no such number."""

    paper: float
    ours: Summary
    paper_delta: float = math.nan
    delta: Summary | None = None  # None: the table compares nothing, or this is the baseline's row
    interval: Estimate | None = None  # of ours; None: there are no predictions
    delta_interval: Estimate | None = None
    best: bool = False  # better by more than chance than each other row of this corpus that is in no group


@dataclass(frozen=True)
class Line:
    """A row with our results in it."""

    row: Row
    cells: tuple[Cell, ...]
    clips: int | None  # test clips; None where no seed has run, or none was tested
    wanted: int  # seeds
    p: float = math.nan  # where the layout corrects
    epochs: int | None = None  # this and the next two: where the layout is timed and the costs are recorded
    updates: int | None = None
    seconds: float = math.nan  # of an update


@dataclass(frozen=True)
class Table:
    """A layout with our results in it."""

    layout: Layout
    lines: tuple[Line, ...]
    preset: str
    seeds: tuple[int, ...]
    kinds: dict[str, str]  # corpus -> split, protocol and, of the test split, number of clips

    def groups(self) -> Iterator[tuple[str, list[Line]]]:
        """The lines, heading by heading; the table's own have none."""
        for heading, lines in groupby(self.lines, key=lambda line: line.row.group):
            yield heading, list(lines)


def fill(layout: Layout, results: Results) -> Table:
    """Put our results into the layout; runs without results leave empty summaries (n = 0)."""
    lines, taken = [], updates(results.paths) if layout.timed else {}
    chances = _corrected(layout, results) if layout.corrected else {}
    for row in layout.rows:
        metrics = results.metrics(row.corpus, row.run)
        cells = tuple(_cell(layout, row, measure, results) for measure in layout.measures)
        clips = metrics.clips if metrics and cells[0].ours.n and not _of_validation(layout) else None
        wanted = len(results.settings.seeds_of(row.corpus, row.run))
        key = row.corpus, row.run
        run = results.settings.runs.get(row.corpus, {}).get(row.run)
        epochs = run.optimisation.epochs if run and key in taken else None
        took = taken.get(key, (None, math.nan))
        lines.append(Line(row, cells, clips, wanted, chances.get(key, math.nan), epochs, *took))
    return Table(layout, tuple(lines), results.settings.preset, results.seeds, kinds(layout, results))


def _corrected(layout: Layout, results: Results) -> dict[tuple[str, str], float]:
    """p of the difference to the baseline, by corpus and run."""
    quantity = next(measure.quantity for measure in layout.measures if measure.name == layout.corrected)
    chances = {}
    for corpus in dict.fromkeys(row.corpus for row in layout.rows):
        runs = [row.run for row in layout.rows if row.corpus == corpus]
        found = results.apart(corpus, runs, layout.baseline, quantity)
        chances |= {(corpus, run): p for run, p in found.items()}
    return chances


def kinds(layout: Layout, results: Results) -> dict[str, str]:
    """On what each corpus' runs were measured: Table.kinds."""
    runs: dict[str, list[str]] = {}
    beam, validation = any(name.startswith("beam_") for name in _quantities(layout)), _of_validation(layout)
    for row in layout.rows:
        runs.setdefault(row.corpus, []).append(row.run)
    return {corpus: results.described(corpus, names, beam, validation) for corpus, names in runs.items()}


def _quantities(layout: Layout) -> set[str]:
    return {row.quantity or measure.quantity for row in layout.rows for measure in layout.measures}


def _of_validation(layout: Layout) -> bool:
    """Whether all that it shows is read from histories, which are of the validation split."""
    return _quantities(layout) <= OF_HISTORIES.keys()


def _cell(layout: Layout, row: Row, measure: Measure, results: Results) -> Cell:
    quantity, paper = row.quantity or measure.quantity, row.paper.get(measure.name, math.nan)
    ours = results.quantity(row.corpus, row.run, quantity)
    rivals = [other.run for other in layout.rows if other.corpus == row.corpus and other.run and not other.group]
    cell = Cell(
        paper,
        summarise(ours.values()),
        interval=results.rate(row.corpus, row.run, quantity),
        best=not row.group and results.best(row.corpus, row.run, rivals, quantity),
    )
    if not layout.baseline or row.run == layout.baseline:
        return cell
    baseline = results.quantity(row.corpus, layout.baseline, quantity)
    return replace(
        cell,
        paper_delta=paper - layout.printed(row.corpus, measure.name),
        delta=summarise(ours[seed] - baseline[seed] for seed in ours if seed in baseline),
        delta_interval=results.gap(row.corpus, row.run, layout.baseline, quantity),
    )
