"""The verdicts of several presets side by side, for a page that speaks of all of them."""

from collections.abc import Sequence
from pathlib import Path

from pcpg.report.results.files import read_table
from pcpg.report.words import NONE, NOT_RUN


def verdicts_beside(files: Sequence[Path]) -> str:
    """A Markdown table of results/<preset>/claims.csv: a row for each claim and regime that one of them has run."""
    tables = {path.parent.name: _verdicts(path) for path in files}
    lines = [f"| | Claim | {' | '.join(tables)} |", f"| --- | --- |{' --- |' * len(tables)}"]
    rows = dict.fromkeys(row for table in tables.values() for row in table)
    for row in sorted(rows, key=lambda row: row[0]):  # by claim; regimes as in the files
        texts = [table.get(row, NOT_RUN) for table in tables.values()]
        if set(texts) != {NOT_RUN}:
            claim, regime, statement = row
            shown = (NONE if text == NOT_RUN else text.replace(f"; {regime})", ")") for text in texts)
            lines.append(f"| {claim}, {regime} | {statement} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def _verdicts(path: Path) -> dict[tuple[str, str, str], str]:
    rows = read_table(path, "claim", "regime", "statement", "verdict")
    return {(row["claim"], row["regime"], row["statement"]): row["verdict"] for row in rows}
