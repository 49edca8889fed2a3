"""How a table's cells and headings read in print: shared by the Markdown and the LaTeX renderer."""

import math

from pcpg.report.aggregate import Summary
from pcpg.report.model import Cell, Line, Table
from pcpg.report.paper import CORPORA, KERNELS

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
    """Label columns, then for each measure: paper, ours, and the difference where the table compares."""
    found = list(table.layout.labels)
    for measure in table.layout.measures:
        found += [f"{measure.label} paper", f"{measure.label} ours"]
        if table.layout.baseline:
            found.append(f"Δ to {table.layout.against} [paper]")
    return found


def cells(table: Table, line: Line) -> list[str]:
    """The row's printed cells, as many as headings."""
    found = list(line.row.labels)
    for cell in line.cells:
        found += [number(cell.paper), ours(cell, line, len(table.seeds))]
        if table.layout.baseline:
            found.append(difference(cell))
    return found


def ours(cell: Cell, line: Line, wanted: int) -> str:
    if not line.row.run:
        return NONE
    return summary(cell.ours, wanted) if cell.ours.n else NOT_RUN


def summary(found: Summary, wanted: int) -> str:
    """12.3 ± 0.8 (3); one seed has no spread; seeds that are missing are named."""
    spread = f" ± {found.sd:.1f}" if found.n > 1 else ""
    count = f"{found.n}" if found.n == wanted else f"{found.n} of {wanted} seeds"
    return f"{found.mean:.1f}{spread} ({count})"


def difference(cell: Cell) -> str:
    """Minus 1.2 ± 0.4 [minus 1.7]: ours, and the paper's if it has one. Fewer pairs than seeds are counted."""
    if cell.delta is None:
        return NONE
    theirs = "" if math.isnan(cell.paper_delta) else f" [{signed(cell.paper_delta)}]"
    if not cell.delta.n:
        return f"{'no pair' if cell.ours.n else NOT_RUN}{theirs}"
    spread = f" ± {cell.delta.sd:.1f}" if cell.delta.n > 1 else ""
    pairs = f" ({cell.delta.n})" if cell.delta.n != cell.ours.n else ""
    return f"{signed(cell.delta.mean)}{spread}{pairs}{theirs}"


def signed(value: float) -> str:
    text = f"{value:+.1f}".replace("-", MINUS)
    return "0.0" if text[1:] == "0.0" else text


def data(table: Table) -> str:
    """One sentence: what the numbers of ours were measured on."""
    found = "; ".join(f"{CORPORA[corpus]}: {kind or NOT_RUN}" for corpus, kind in table.data.items())
    seeds = ", ".join(map(str, table.seeds))
    return f"All values in percent. Ours: preset {table.preset}, seed{'s'[: len(table.seeds) != 1]} {seeds}; {found}."
