"""history.csv: one row per evaluation of a run, without clock times, so that the same run gives the same bytes."""

import csv
from pathlib import Path

from pcpg.files import atomic_file


def write_history(path: Path, rows: list[dict]) -> None:
    """Columns in the order of the last row; a value that a row lacks stays empty."""
    with atomic_file(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[-1]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()} for row in rows
        )
