"""The table model: what a table has before our results are known, a layout, and after, lines of entries."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

DATASET = "Dataset"  # heads a first column that the corpus of a row fills


@dataclass(frozen=True)
class Measure:
    """One quantity that a table reports: its name, its heading, and how its value is found."""

    name: str  # in the csv's columns
    label: str
    quantity: str  # one of pcpg.report.results.quantities


@dataclass(frozen=True)
class Row:
    """One line of a table: labels as printed, the run of ours, and the paper's values (percent) by measure name."""

    labels: tuple[str, ...]  # those that follow the dataset, which the corpus tells
    corpus: str
    run: str = ""  # "": a published result with no run of ours
    paper: dict[str, float] = field(default_factory=dict)
    quantity: str = ""  # to be read in place of the measure's quantity
    group: str = ""  # heading of the rows below the table's own: CONTROLS, OTHERS; "": one of its own

    def shows(self, measure: Measure) -> str:
        """The quantity that stands in its columns of the measure."""
        return self.quantity or measure.quantity


@dataclass(frozen=True)
class Layout:
    """A table before our results are known."""

    name: str
    title: str
    labels: tuple[str, ...]  # headings of the label columns, of which DATASET needs no label in the rows
    measures: tuple[Measure, ...]
    rows: list[Row]  # group by group
    notes: tuple[str, ...]
    baseline: str = ""  # run that the others are compared with, seed by seed; "": no comparison
    against: str = ""  # that baseline's name in the heading
    published: bool = True  # false: a table of ours alone, without columns for the paper
    corrected: str = ""  # a measure: a column has p of its differences, after Holm's correction over a corpus's rows
    timed: bool = False  # last columns: what the committed trainings took


@dataclass(frozen=True)
class Entry:
    """What one line has in one column."""

    heading: str
    text: str
    values: dict[str, object]  # by column of the csv: percent, percentage points (_delta_), counts, p or seconds
    best: bool = False  # printed bold: better by more than chance than each other row of this corpus in no group
    label: bool = False  # says what the line is; all others are numbers


@dataclass(frozen=True)
class Line:
    """A row with our results in it."""

    row: Row
    entries: list[Entry]  # column by column: labels, those of each measure, p, what the training took
    seeds: int  # with results
    wanted: int  # seeds
    clips: int | None  # test clips; None where no seed has run, or none was tested


@dataclass(frozen=True)
class Table:
    """A layout with our results in it."""

    layout: Layout
    lines: list[Line]
    preset: str
    source: str  # the unit of the numbers, and what ours were measured on: one line above or below the table

    def groups(self) -> Iterator[tuple[str, list[Line]]]:
        """The lines, heading by heading; the table's own have none."""
        for heading, lines in groupby(self.lines, key=lambda line: line.row.group):
            yield heading, list(lines)
