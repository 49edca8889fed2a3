"""The columns of a table: what each prints of a line, and which columns of the csv it fills. Decided here alone."""

import math
from dataclasses import dataclass

from pcpg.report import formats
from pcpg.report.formats import NONE, decimals, signed
from pcpg.report.results.results import Summary
from pcpg.report.results.stats import Estimate
from pcpg.report.tables.table import Cell, Line, Measure, Table


@dataclass(frozen=True)
class Entry:
    """What one line has in one column."""

    heading: str
    text: str
    values: dict[str, object]  # by column of the csv: percent, percentage points (_delta_), counts, p or seconds
    best: bool = False  # printed bold
    label: bool = False  # says what the line is; all others are numbers


def entries(table: Table, line: Line) -> list[Entry]:
    """Of one line, column by column: labels, then those of each measure, then p and what the training took."""
    layout, found = table.layout, []
    for heading, text in zip(layout.labels, line.row.labels, strict=True):
        key = heading.lower().replace(" ", "_")
        found.append(Entry(heading, text, {key: text.replace(formats.MINUS, "-")}, label=True))
    for measure, cell in zip(layout.measures, line.cells, strict=True):
        found += _of_measure(table, line, measure, cell)
    if layout.corrected:
        heading, key = f"p of Δ {layout.corrected.upper()} (Holm)", f"{layout.corrected}_delta_p_holm"
        found.append(Entry(heading, formats.chance(line.p), {key: formats.digits(line.p)}))
    if layout.timed:
        seconds = NONE if math.isnan(line.seconds) else f"{line.seconds:.2f}"
        found.append(Entry("Epochs", str(line.epochs or NONE), {"epochs": line.epochs}))
        found.append(Entry("Updates", str(line.updates or NONE), {"updates": line.updates}))
        took = {"seconds_an_update": decimals(line.seconds)}
        found.append(Entry("Seconds an update (shared machine)", seconds, took))
    return found


def _of_measure(table: Table, line: Line, measure: Measure, cell: Cell) -> list[Entry]:
    """The paper's value and ours, and both differences where the table compares; without the paper's where it has none.

    In the csv _sd is the sample standard deviation over seeds, _low and _high are the ends of the 95 % interval.
    """
    layout, name, found = table.layout, measure.name, []
    if layout.published:
        paper = formats.number(cell.paper)
        found.append(Entry(f"{measure.label} paper", paper, {f"paper_{name}": "" if paper == NONE else paper}))
    ours = formats.mean_and_spread(cell.ours, line.wanted, len(table.seeds)) if line.row.run else NONE
    heading = f"{measure.label} ours" if layout.published else measure.label
    found.append(Entry(heading, ours, _spread(name, cell.ours) | _interval(name, cell.interval), best=cell.best))
    if layout.baseline and layout.published:
        values = {f"paper_{name}_delta": decimals(cell.paper_delta)}
        found.append(Entry("Δ paper", signed(cell.paper_delta), values))
    if layout.baseline:
        delta = cell.delta or Summary(math.nan, math.nan, 0)
        values = _spread(f"{name}_delta", delta) | {f"{name}_delta_seeds": delta.n}
        heading = "Δ ours" if layout.published else f"Δ to {layout.against}"
        found.append(Entry(heading, _difference(cell), values | _interval(f"{name}_delta", cell.delta_interval)))
    return found


def _difference(cell: Cell) -> str:
    """Minus 1.2 [minus 2.0, minus 0.4]; the number of pairs too, where they are fewer than the seeds."""
    if cell.delta is None:
        return NONE
    if not cell.delta.n:
        return "no pair" if cell.ours.n else formats.NOT_RUN
    pairs = f", {cell.delta.n} of {cell.ours.n} seeds" if cell.delta.n != cell.ours.n else ""
    return f"{signed(cell.delta.mean)} {formats.interval(cell.delta_interval)}".strip() + pairs


def _spread(name: str, summary: Summary) -> dict[str, str]:
    return {f"{name}_mean": decimals(summary.mean), f"{name}_sd": decimals(summary.sd)}


def _interval(name: str, estimate: Estimate | None) -> dict[str, str]:
    low, high = estimate.interval() if estimate else (math.nan, math.nan)
    return {f"{name}_low": decimals(low), f"{name}_high": decimals(high)}
