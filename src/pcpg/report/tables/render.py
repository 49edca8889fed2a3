"""Three renderers of a filled table: csv to compute with, Markdown to read, LaTeX to print."""

import csv
import io
import math
from collections.abc import Sequence
from itertools import groupby, zip_longest

from pcpg.report import words
from pcpg.report.results.metrics import Summary
from pcpg.report.results.stats import Estimate
from pcpg.report.tables.table import Cell, Line, Table

TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "[": "{[}", "]": "{]}", "<": "$<$", ">": "$>$",
    "±": r"$\pm$", words.MINUS: "$-$", words.NONE: "--", "Δ": r"$\Delta$", "λ": r"$\lambda$", "γ": r"$\gamma$",
    "“": "``", "”": "''",
}  # fmt: skip


def to_csv(table: Table) -> str:
    """One row a line of the table, one column a quantity: percent, percentage points (_delta_) or counts (_seeds).

    _low and _high are the ends of the interval of 95 %, _sd the sample standard deviation over seeds.
    """
    rows = [_record(table, line) for line in table.lines]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _record(table: Table, line: Line) -> dict[str, object]:
    labels = (label.lower().replace(" ", "_") for label in table.layout.labels)
    record = dict(zip(labels, (label.replace(words.MINUS, "-") for label in line.row.labels), strict=True))
    record |= {"corpus": line.row.corpus, "run": line.row.run, "preset": table.preset}
    record["control"] = str(table.layout.apart(line.row)).lower()
    for measure, cell in zip(table.layout.measures, line.cells, strict=True):
        found = _quantities(measure.name, cell, bool(table.layout.baseline))
        record |= {key: value for key, value in found.items() if table.layout.published or not key.startswith("paper_")}
    return record | {"seeds": line.cells[0].ours.n, "seeds_wanted": len(table.seeds), "utterances": line.clips}


def _quantities(name: str, cell: Cell, compared: bool) -> dict[str, object]:
    found = {f"paper_{name}": "" if math.isnan(cell.paper) else words.number(cell.paper)}
    found[f"{name}_mean"], found[f"{name}_sd"] = _number(cell.ours.mean), _number(cell.ours.sd)
    found |= _interval(name, cell.interval)
    if compared:
        delta = cell.delta or Summary(math.nan, math.nan, 0)
        found[f"paper_{name}_delta"] = "" if cell.paper_delta is None else _number(cell.paper_delta)
        found[f"{name}_delta_mean"], found[f"{name}_delta_sd"] = _number(delta.mean), _number(delta.sd)
        found[f"{name}_delta_seeds"] = delta.n
        found |= _interval(f"{name}_delta", cell.delta_interval)
    return found


def _interval(name: str, found: Estimate | None) -> dict[str, str]:
    low, high = (found.low, found.high) if found else (math.nan, math.nan)
    return {f"{name}_low": _number(low), f"{name}_high": _number(high)}


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"


def to_markdown(table: Table) -> str:
    """Title, what the numbers come from, the table, and its notes."""
    headings = words.headings(table)
    labels = len(table.layout.labels)
    lines = [f"### {table.layout.title}", "", words.source(table), ""]
    lines += [_bar(headings), _bar(["---"] * labels + ["---:"] * (len(headings) - labels))]
    for control, group in groupby(table.lines, key=lambda line: table.layout.apart(line.row)):
        if control:
            lines.append(_bar([f"**{words.CONTROLS}**", *[""] * (len(headings) - 1)]))
        lines += [_bar([f"**{cell}**" if best else cell for cell, best in words.cells(table, line)]) for line in group]
    lines += ["", *(f"- {note}" for note in table.layout.notes)]
    return "\n".join(lines) + "\n"


def _bar(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def to_tex(table: Table) -> str:
    """A booktabs table to \\input; plain ASCII, its notes below it."""
    title = table.layout.title.partition(". ")[2]
    lines = [
        f"% {table.layout.name} of the preset {table.preset}; needs \\usepackage{{booktabs}}",
        r"\begin{table*}",
        r"\centering",
        *([r"\scriptsize", r"\setlength{\tabcolsep}{1pt}"] if len(words.headings(table)) > 5 else []),
        rf"\caption{{{escape(title)}}}",
        rf"\label{{tab:{table.layout.name}}}",
        rf"\begin{{tabular}}{{@{{}}{_columns(table)}@{{}}}}",
        r"\toprule",
        _row(words.headings(table)),
        r"\midrule",
        *_body(table),
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip",
        rf"\parbox{{\linewidth}}{{\footnotesize {escape(' '.join((words.source(table), *table.layout.notes)))}}}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def _columns(table: Table) -> str:
    labels = ["p{0.28\\linewidth}" if label in ("Source", "Changed", "To") else "l" for label in table.layout.labels]
    return "".join(labels) + "r" * (len(words.headings(table)) - len(labels))


def _body(table: Table) -> list[str]:
    """The rows; a corpus is named once, and a rule stands between two, and above the controls with their heading."""
    lines = []
    for control, part in groupby(table.lines, key=lambda line: table.layout.apart(line.row)):
        if control:
            heading = rf"\multicolumn{{{len(words.headings(table))}}}{{@{{}}l}}{{\emph{{{escape(words.CONTROLS)}}}}} \\"
            lines += [r"\midrule", heading]
        for place, (_, group) in enumerate(groupby(part, key=lambda line: line.row.corpus)):
            rows = [words.cells(table, line) for line in group]
            if table.layout.labels[0] == "Dataset":
                rows[1:] = [[("", False), *cells[1:]] for cells in rows[1:]]
            if place:
                lines.append(r"\midrule")
            lines += [_row(*zip(*cells, strict=True)) for cells in rows]
    return lines


def _row(cells: Sequence[str], best: Sequence[bool] = ()) -> str:
    texts = [escape(cell) for cell in cells]
    texts = [rf"\textbf{{{text}}}" if bold else text for text, bold in zip_longest(texts, best, fillvalue=False)]
    return " & ".join(texts) + r" \\"


def escape(text: str) -> str:
    """Text as LaTeX prints it; brackets are wrapped, as one after a line break would be its optional argument."""
    return "".join(TEX.get(character, character) for character in text)
