"""A filled table as csv to compute with, Markdown to read and LaTeX to print; pcpg.report.page.tables has the HTML."""

from pcpg.report import formats
from pcpg.report.paper import DATASETS
from pcpg.report.tables.table import Entry, Line, Table

TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "[": "{[}", "]": "{]}", "<": "$<$", ">": "$>$",
    "±": r"$\pm$", formats.MINUS: "$-$", formats.NONE: "--", "Δ": r"$\Delta$", "λ": r"$\lambda$", "γ": r"$\gamma$",
    "“": "``", "”": "''",
}  # fmt: skip
PARAGRAPHS = ("Source", "Changed", "To", "Objective")  # columns of labels that may be long


def csv_row(table: Table, line: Line) -> dict[str, object]:
    """One line of the table by column: its labels, its run, its numbers, seeds and clips."""
    labels, numbers = {}, {}
    for entry in line.entries:
        (labels if entry.label else numbers).update(entry.values)
    run = {"corpus": line.row.corpus, "run": line.row.run, "preset": table.preset}
    run["control"] = str(line.row.group == formats.CONTROLS).lower()
    counts = {"seeds": line.seeds, "seeds_wanted": line.wanted, "utterances": line.clips}
    return labels | run | numbers | counts


def to_markdown(table: Table) -> str:
    """Title, what the numbers come from, the table, and its notes."""
    columns = table.lines[0].entries
    lines = [f"### {table.layout.title}", "", table.source, "", _bar([column.heading for column in columns])]
    lines.append(_bar(["---" if column.label else "---:" for column in columns]))
    for heading, group in table.groups():
        if heading:
            lines.append(_bar([f"**{heading}**", *[""] * (len(columns) - 1)]))
        for line in group:
            lines.append(_bar([f"**{each.text}**" if each.best else each.text for each in line.entries]))
    lines += ["", *(f"- {note}" for note in table.layout.notes)]
    return "\n".join(lines) + "\n"


def _bar(texts: list[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"


def to_tex(table: Table) -> str:
    """A booktabs table to \\input; plain ASCII, its notes below it."""
    title, columns = table.layout.title.partition(". ")[2], table.lines[0].entries
    lines = [
        f"% {table.layout.name} of the preset {table.preset}; needs \\usepackage{{booktabs}}",
        r"\begin{table*}",
        r"\centering",
        *([r"\scriptsize", r"\setlength{\tabcolsep}{1pt}"] if len(columns) > 5 else []),
        rf"\caption{{{escape(title)}}}",
        rf"\label{{tab:{table.layout.name}}}",
        rf"\begin{{tabular}}{{@{{}}{_alignment(table, columns)}@{{}}}}",
        r"\toprule",
        _row([escape(column.heading) for column in columns]),
        r"\midrule",
        *_body(table, len(columns)),
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip",
        rf"\parbox{{\linewidth}}{{\footnotesize {escape(' '.join((table.source, *table.layout.notes)))}}}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def _alignment(table: Table, columns: list[Entry]) -> str:
    """Of the columns: labels to the left, long ones as paragraphs, numbers to the right."""
    described = any(heading == formats.OTHERS for heading, _ in table.groups())  # by a long last label
    paragraph = f"p{{{0.18 if described else 0.28}\\linewidth}}"
    long = {*PARAGRAPHS, table.layout.labels[-1]} if described else PARAGRAPHS
    return "".join((paragraph if column.heading in long else "l") if column.label else "r" for column in columns)


def _body(table: Table, width: int) -> list[str]:
    """The rows; a corpus is named once, and a rule stands between two, and above each heading."""
    lines = []
    for heading, group in table.groups():
        if heading:
            lines += [r"\midrule", rf"\multicolumn{{{width}}}{{@{{}}l}}{{\emph{{{escape(heading)}}}}} \\"]
        before = None
        for line in group:
            corpus = line.row.corpus
            if before not in (None, corpus):
                lines.append(r"\midrule")
            named = DATASETS[corpus] if corpus == before else None
            lines.append(_row(["" if entry.text == named else _bold(entry) for entry in line.entries]))
            before = corpus
    return lines


def _bold(entry: Entry) -> str:
    return rf"\textbf{{{escape(entry.text)}}}" if entry.best else escape(entry.text)


def _row(texts: list[str]) -> str:
    return " & ".join(texts) + r" \\"


def escape(text: str) -> str:
    """Text as LaTeX prints it; brackets are wrapped, as one after a line break would be its optional argument."""
    return "".join(TEX.get(character, character) for character in text)
