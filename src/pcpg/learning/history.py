"""history.csv: one row per evaluation of a run, without clock times, so that the same run gives the same bytes.

A curve shows no flipped digit, so the provenance.json beside it holds its checksum.
"""

import csv
import json
from pathlib import Path

from pcpg.workspace.errors import InputError
from pcpg.workspace.files import atomic_file, sha256

NAME, RECORD = "history.csv", "provenance.json"
SUM = "history_sha256"  # in the record


def write_history(folder: Path, rows: list[dict]) -> None:
    """Columns in the order of the last row; a value that a row lacks stays empty."""
    with atomic_file(folder / NAME) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[-1]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()} for row in rows
        )


def check_history(path: Path) -> None:
    """InputError where it is not the history of the record beside it; a record without a checksum says nothing."""
    record = path.with_name(RECORD)
    if record.is_file() and read_record(record).get(SUM) not in (None, sha256(path)):
        raise InputError(path, f"damaged: {RECORD} beside it names another SHA-256; delete it and run again")


def read_record(path: Path) -> dict:
    """What a provenance.json says; InputError where it is none."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:  # also an encoding that is not UTF-8
        record = None
    if not isinstance(record, dict):
        raise InputError(path, "is not a record of a training")
    return record
