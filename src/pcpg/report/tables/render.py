"""Four renderers of one filled table: csv to compute with, Markdown and HTML to read, LaTeX to print."""

import math
from collections.abc import Sequence
from itertools import zip_longest

from jinja2 import Environment
from markupsafe import Markup

from pcpg.report import formats
from pcpg.report.results.results import Summary
from pcpg.report.results.stats import Estimate
from pcpg.report.tables.table import Cell, Line, Table

TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "[": "{[}", "]": "{]}", "<": "$<$", ">": "$>$",
    "±": r"$\pm$", formats.MINUS: "$-$", formats.NONE: "--", "Δ": r"$\Delta$", "λ": r"$\lambda$", "γ": r"$\gamma$",
    "“": "``", "”": "''",
}  # fmt: skip
PARAGRAPHS = ("Source", "Changed", "To", "Objective")  # columns of labels that may be long
HTML = Environment(autoescape=True).from_string(
    """<table><thead><tr>
{%- for heading in headings %}<th scope="col"{% if loop.index0 >= labels %} class="n"{% endif %}>{{ heading }}</th>
{%- endfor %}</tr></thead><tbody>
{%- for group, rows in groups %}
{%- if group %}<tr class="group"><th scope="rowgroup" colspan="{{ headings|length }}">{{ group }}</th></tr>{% endif %}
{%- for cells, first in rows %}
<tr{% if first %} class="first"{% endif %}>
{%- for text, best in cells -%}
{%- set name = "td" if loop.index0 else "th" -%}
<{{ name }}{% if not loop.index0 %} scope="row"{% endif %}{% if loop.index0 >= labels %} class="n"{% endif %}>
{%- if best %}<strong>{{ text }}</strong>{% else %}{{ text }}{% endif %}</{{ name }}>
{%- endfor %}</tr>
{%- endfor %}{% endfor %}</tbody></table>"""
)


def source(table: Table) -> str:
    """One sentence above or below a table."""
    percent = "All values in percent"
    if table.layout.timed:
        percent = "Error rates and rewards in percent, times in seconds"
    return f"{percent}. Ours: {formats.measured_on(table.kinds, table.preset, table.seeds)}."


def headings(table: Table) -> list[str]:
    """Label columns, then for each measure: paper, ours, and both differences where the table compares."""
    layout, names = table.layout, list(table.layout.labels)
    for measure in layout.measures:
        names += [f"{measure.label} paper", f"{measure.label} ours"] if layout.published else [measure.label]
        if layout.baseline:
            names += ["Δ paper", "Δ ours"] if layout.published else [f"Δ to {layout.against}"]
    if layout.corrected:
        names.append(f"p of Δ {layout.corrected.upper()} (Holm)")
    return [*names, "Epochs", "Updates", "Seconds an update (shared machine)"] if layout.timed else names


def cells(table: Table, line: Line) -> list[tuple[str, bool]]:
    """The row's printed cells, as many as headings, and whether each is the best of its kind."""
    printed = [(label, False) for label in line.row.labels]
    for cell in line.cells:
        ours = formats.mean_and_spread(cell.ours, line.wanted, len(table.seeds)) if line.row.run else formats.NONE
        pairs = [(formats.number(cell.paper), False), (ours, cell.best)]
        if table.layout.baseline:
            pairs += [(formats.signed(cell.paper_delta), False), (_difference(cell), False)]
        printed += pairs if table.layout.published else pairs[1::2]
    if table.layout.corrected:
        printed.append((formats.chance(line.p), False))
    if table.layout.timed:
        printed += [(text or formats.NONE, False) for text in _took(line, 2)]
    return printed


def _took(line: Line, digits: int) -> tuple[str, str, str]:
    """Epochs, updates and the seconds of each; blank where no training tells."""
    if not line.updates:
        return "", "", ""
    count, seconds = line.updates
    return str(line.epochs), str(count), f"{seconds:.{digits}f}"


def _difference(cell: Cell) -> str:
    """Minus 1.2 [minus 2.0, minus 0.4]; fewer pairs than seeds are counted."""
    if cell.delta is None:
        return formats.NONE
    if not cell.delta.n:
        return "no pair" if cell.ours.n else formats.NOT_RUN
    pairs = f", {cell.delta.n} of {cell.ours.n} seeds" if cell.delta.n != cell.ours.n else ""
    return f"{formats.signed(cell.delta.mean)} {formats.interval(cell.delta_interval)}".strip() + pairs


def csv_row(table: Table, line: Line) -> dict[str, object]:
    """One line of the table, one column a quantity: percent, percentage points (_delta_) or counts (_seeds).

    _low and _high are the ends of the interval of 95 %, _sd the sample standard deviation over seeds.
    """
    labels = (label.lower().replace(" ", "_") for label in table.layout.labels)
    record = dict(zip(labels, (label.replace(formats.MINUS, "-") for label in line.row.labels), strict=True))
    record |= {"corpus": line.row.corpus, "run": line.row.run, "preset": table.preset}
    record["control"] = str(line.row.group == formats.CONTROLS).lower()
    for measure, cell in zip(table.layout.measures, line.cells, strict=True):
        values = _quantities(measure.name, cell, bool(table.layout.baseline))
        record |= {key: value for key, value in values.items() if table.layout.published or "paper_" not in key}
    if table.layout.corrected:
        record[f"{table.layout.corrected}_delta_p_holm"] = formats.digits(line.p)
    if table.layout.timed:
        record |= zip(("epochs", "updates", "seconds_an_update"), _took(line, 4), strict=True)
    return record | {"seeds": line.cells[0].ours.n, "seeds_wanted": line.wanted, "utterances": line.clips}


def _quantities(name: str, cell: Cell, compared: bool) -> dict[str, object]:
    values = {f"paper_{name}": "" if math.isnan(cell.paper) else formats.number(cell.paper)}
    values[f"{name}_mean"], values[f"{name}_sd"] = formats.decimals(cell.ours.mean), formats.decimals(cell.ours.sd)
    values |= _interval(name, cell.interval)
    if compared:
        delta = cell.delta or Summary(math.nan, math.nan, 0)
        values[f"paper_{name}_delta"] = "" if cell.paper_delta is None else formats.decimals(cell.paper_delta)
        values |= {f"{name}_delta_{part}": formats.decimals(getattr(delta, part)) for part in ("mean", "sd")}
        values[f"{name}_delta_seeds"] = delta.n
        values |= _interval(f"{name}_delta", cell.delta_interval)
    return values


def _interval(name: str, estimate: Estimate | None) -> dict[str, str]:
    low, high = estimate.interval() if estimate else (math.nan, math.nan)
    return {f"{name}_low": formats.decimals(low), f"{name}_high": formats.decimals(high)}


def to_markdown(table: Table) -> str:
    """Title, what the numbers come from, the table, and its notes."""
    names, labels = headings(table), len(table.layout.labels)
    lines = [f"### {table.layout.title}", "", source(table), "", _bar(names)]
    lines.append(_bar(["---"] * labels + ["---:"] * (len(names) - labels)))
    for heading, group in table.groups():
        if heading:
            lines.append(_bar([f"**{heading}**", *[""] * (len(names) - 1)]))
        lines += [_bar([f"**{cell}**" if best else cell for cell, best in cells(table, line)]) for line in group]
    lines += ["", *(f"- {note}" for note in table.layout.notes)]
    return "\n".join(lines) + "\n"


def _bar(texts: list[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"


def to_html(table: Table) -> Markup:
    """The rows as an HTML table; a rule parts two corpora."""
    groups = []
    for heading, group in table.groups():
        corpora = [line.row.corpus for line in group]
        parted = [
            table.layout.labels[0] == "Dataset" and a != b for a, b in zip(corpora, corpora[:1] + corpora, strict=False)
        ]
        groups.append((heading, [(cells(table, line), first) for line, first in zip(group, parted, strict=True)]))
    return Markup(HTML.render(headings=headings(table), labels=len(table.layout.labels), groups=groups))


def to_tex(table: Table) -> str:
    """A booktabs table to \\input; plain ASCII, its notes below it."""
    title, names = table.layout.title.partition(". ")[2], headings(table)
    lines = [
        f"% {table.layout.name} of the preset {table.preset}; needs \\usepackage{{booktabs}}",
        r"\begin{table*}",
        r"\centering",
        *([r"\scriptsize", r"\setlength{\tabcolsep}{1pt}"] if len(names) > 5 else []),
        rf"\caption{{{escape(title)}}}",
        rf"\label{{tab:{table.layout.name}}}",
        rf"\begin{{tabular}}{{@{{}}{_columns(table)}@{{}}}}",
        r"\toprule",
        _row(names),
        r"\midrule",
        *_body(table),
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip",
        rf"\parbox{{\linewidth}}{{\footnotesize {escape(' '.join((source(table), *table.layout.notes)))}}}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def _columns(table: Table) -> str:
    described = any(heading == formats.OTHERS for heading, _ in table.groups())  # the last label tells of other runs
    long = [label in PARAGRAPHS for label in table.layout.labels]
    long[-1] |= described
    width = 0.18 if described else 0.28
    labels = [f"p{{{width}\\linewidth}}" if paragraph else "l" for paragraph in long]
    return "".join(labels) + "r" * (len(headings(table)) - len(labels))


def _body(table: Table) -> list[str]:
    """The rows; a corpus is named once, and a rule stands between two, and above each heading."""
    lines, width = [], len(headings(table))
    for heading, group in table.groups():
        if heading:
            lines += [r"\midrule", rf"\multicolumn{{{width}}}{{@{{}}l}}{{\emph{{{escape(heading)}}}}} \\"]
        before = None
        for line in group:
            printed, corpus = cells(table, line), line.row.corpus
            if corpus == before and table.layout.labels[0] == "Dataset":
                printed = [("", False), *printed[1:]]
            if before not in (None, corpus):
                lines.append(r"\midrule")
            lines.append(_row(*zip(*printed, strict=True)))
            before = corpus
    return lines


def _row(texts: Sequence[str], best: Sequence[bool] = ()) -> str:
    escaped = [rf"\textbf{{{text}}}" if bold else text for text, bold in zip_longest(map(escape, texts), best)]
    return " & ".join(escaped) + r" \\"


def escape(text: str) -> str:
    """Text as LaTeX prints it; brackets are wrapped, as one after a line break would be its optional argument."""
    return "".join(TEX.get(character, character) for character in text)
