"""How a table's cells and headings read in print: shared by the Markdown and the LaTeX renderer."""

import math
from collections.abc import Sequence

from pcpg.report.paper import CORPORA, KERNELS
from pcpg.report.results.metrics import Summary
from pcpg.report.tables.table import Cell, Line, Table

NOT_RUN = "not run"
MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
CONTROLS = "Controls that the paper lacks"


def number(value: float) -> str:
    """A number of the paper with the digits it has there: at least one decimal, at most two; a dash for nan."""
    if math.isnan(value):
        return NONE
    text = f"{value:.2f}"
    return text.removesuffix("0")


def weights(run: str) -> str:
    """The kernel of a run: w=[1/4, 1/2, 1/4]."""
    return f"w=[{', '.join(map(str, KERNELS[run][0]))}]"


def headings(table: Table) -> list[str]:
    """Label columns, then for each measure: paper, ours, and both differences where the table compares."""
    found = list(table.layout.labels)
    for measure in table.layout.measures:
        found += [f"{measure.label} paper", f"{measure.label} ours"] if table.layout.published else [measure.label]
        if table.layout.baseline:
            found += ["Δ paper", "Δ ours"] if table.layout.published else [f"Δ to {table.layout.against}"]
    return found


def cells(table: Table, line: Line) -> list[tuple[str, bool]]:
    """The row's printed cells, as many as headings, and whether each is the best of its kind."""
    found = [(label, False) for label in line.row.labels]
    for cell in line.cells:
        pairs = [(number(cell.paper), False), (ours(cell, line, len(table.seeds)), cell.best)]
        if table.layout.baseline:
            pairs += [(signed(cell.paper_delta), False), (difference(cell), False)]
        found += pairs if table.layout.published else pairs[1::2]
    return found


def ours(cell: Cell, line: Line, wanted: int) -> str:
    if not line.row.run:
        return NONE
    return summary(cell.ours, wanted) if cell.ours.n else NOT_RUN


def summary(found: Summary, wanted: int) -> str:
    """12.3 ± 0.8; one seed has no spread; fewer seeds than wanted are counted."""
    spread = f" ± {found.sd:.1f}" if found.n > 1 else ""
    count = "" if found.n == wanted else f" ({found.n} of {wanted} seeds)"
    return f"{found.mean:.1f}{spread}{count}"


def difference(cell: Cell) -> str:
    """Minus 1.2 [minus 2.0, minus 0.4]; fewer pairs than seeds are counted."""
    if cell.delta is None:
        return NONE
    if not cell.delta.n:
        return "no pair" if cell.ours.n else NOT_RUN
    found = cell.delta_interval
    between = f" [{signed(found.low)}, {signed(found.high)}]" if found else ""
    pairs = f", {cell.delta.n} of {cell.ours.n} seeds" if cell.delta.n != cell.ours.n else ""
    return f"{signed(cell.delta.mean)}{between}{pairs}"


def signed(value: float | None) -> str:
    """One decimal with its sign; a dash where there is no value."""
    if value is None or math.isnan(value):
        return NONE
    text = f"{value:+.1f}".replace("-", MINUS)
    return "0.0" if text[1:] == "0.0" else text


def chance(p: float) -> str:
    """A p-value with three decimals; a dash for nan."""
    if math.isnan(p):
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def data(found: dict[str, str], preset: str, seeds: Sequence[int]) -> str:
    """What the numbers of ours were measured on."""
    corpora = "; ".join(f"{CORPORA[corpus]}: {kind or NOT_RUN}" for corpus, kind in found.items())
    return f"preset {preset}, seed{'s'[: len(seeds) != 1]} {', '.join(map(str, seeds))}; {corpora}"


def source(table: Table) -> str:
    """One sentence above or below a table."""
    return f"All values in percent. Ours: {data(table.data, table.preset, table.seeds)}."
