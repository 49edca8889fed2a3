"""Keeps the tables of README.md and docs equal to the generated ones: a block between two marks shows its files."""

import re
from collections.abc import Sequence
from pathlib import Path

from pcpg.report.formats import NONE, NOT_RUN
from pcpg.report.results.files import read_table
from pcpg.workspace.errors import InputError

_BLOCK = re.compile(r"(<!-- begin (?P<files>[^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(path, "is no text in UTF-8") from None


def refresh(text: str, folder: Path) -> str:
    """`text` with every block `<!-- begin FILE -->` .. `<!-- end -->` filled from `folder`/FILE.

    Files named claims.csv are shown as their verdicts side by side, any other file as it is.
    """

    def fill(block: re.Match) -> str:
        paths = [folder / file for file in block["files"].split()]
        for path in paths:
            if not path.is_file():
                raise InputError(path, "no such file; a page shows it")
        claims = all(path.name == "claims.csv" for path in paths)
        shown = _beside(paths) if claims else "\n".join(map(text_of, paths))
        return f"{block[1]}\n{shown.strip()}\n\n{block[3]}"

    return _BLOCK.sub(fill, text)


def _beside(files: Sequence[Path]) -> str:
    """A Markdown table of results/<preset>/claims.csv: a row for each claim that was run, and regime."""
    tables = {}
    for path in files:
        found = read_table(path, "claim", "regime", "statement", "verdict")
        tables[path.parent.name] = {(row["claim"], row["regime"], row["statement"]): row["verdict"] for row in found}
    lines = [f"| | Claim | {' | '.join(tables)} |", f"| --- | --- |{' --- |' * len(tables)}"]
    rows = dict.fromkeys(row for table in tables.values() for row in table)
    for row in sorted(rows, key=lambda row: row[0]):  # by claim; regimes as in the files
        texts = [table.get(row, NOT_RUN) for table in tables.values()]
        if set(texts) != {NOT_RUN}:
            claim, regime, statement = row
            shown = (NONE if text == NOT_RUN else text.replace(f"; {regime})", ")") for text in texts)
            lines.append(f"| {claim}, {regime} | {statement} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"
