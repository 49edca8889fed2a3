"""One way to write tables as CSV: UTF-8, one newline a row, whole or not at all."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from pcpg.workspace.files import atomic_file


def write_csv(path: str | Path, columns: Sequence[str], rows: Iterable[dict]) -> None:
    """Rows as mappings; what a row lacks stays empty."""
    with atomic_file(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
