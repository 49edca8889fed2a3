"""The second part of the page: the tables, from the little Markdown that pcpg.report.tables.render writes."""

import re
from pathlib import Path

from pcpg.report.page.markup import Markup, fold, heading, join, row, table, tag
from pcpg.report.tables.layouts import LAYOUTS
from pcpg.report.tables.render import to_markdown
from pcpg.report.tables.table import fill

BAR = re.compile(r"(?<!\\)\|")
STRONG = re.compile(r"\*\*(.+?)\*\*")


def filled(names: list[str], results: Path, seeds: list[int], preset: str) -> dict[str, str]:
    """Markdown of each table, from the runs and not from its file: so the page waits for no table."""
    return {name: to_markdown(fill(LAYOUTS[name], results, seeds, preset)) for name in names}


def section(texts: dict[str, str]) -> Markup:
    """The tables; what all of them note stands once, above them."""
    noted = [set(_notes(text)) for text in texts.values()]
    common = set.intersection(*noted) if len(noted) > 1 else set()
    shared = dict.fromkeys(note for text in texts.values() for note in _notes(text) if note in common)
    shown = [_table(name, text, common) for name, text in texts.items()]
    return join([tag("p", inline(note), class_="key") for note in shared], shown)


def _notes(text: str) -> list[str]:
    return [line.removeprefix("- ") for line in text.splitlines() if line.startswith("- ")]


def _table(name: str, text: str, common: set[str]) -> Markup:
    """Title, source, table, and the notes that are its own."""
    lines = text.splitlines()
    bars = [_cells(line) for line in lines if line.startswith("|")]
    title = next((line.lstrip("# ") for line in lines if line.startswith("#")), name)
    words = [line for line in lines if line and line[0] not in "#|-"]
    notes = [tag("li", inline(note)) for note in _notes(text) if note not in common]
    return tag(
        "article",
        heading(3, name, title),
        [tag("p", inline(line), class_="key") for line in words],
        _grid(title, *bars) if len(bars) > 1 else None,
        fold("How to read it", tag("ul", notes)) if notes else None,
    )


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in BAR.split(line)[1:-1]]


def _grid(title: str, headings: list[str], rules: list[str], *body: list[str]) -> Markup:
    """A row with nothing but its first cell is a heading of those below it; a rule parts the corpora."""
    labels = next((i for i, rule in enumerate(rules) if rule.endswith(":")), len(rules))
    rows, before = [], ""
    for cells in body:
        if not any(cells[1:]):
            rows.append(tag("tr", tag("th", cells[0].strip("*"), scope="rowgroup", colspan=len(cells)), class_="group"))
        else:
            parted = headings[0] == "Dataset" and before not in ("", cells[0])
            rows.append(row(*map(inline, cells), numeric=labels, kind="first" if parted else None))
        before = cells[0] if any(cells[1:]) else ""
    return table(title, headings, rows, numeric=labels)


def inline(text: str) -> Markup:
    """Text with its **strong** parts."""
    parts = STRONG.split(text)
    return join([tag("strong", part) if i % 2 else part for i, part in enumerate(parts)])
