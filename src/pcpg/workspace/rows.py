"""Tables as CSV files: UTF-8, one header line, "\\n" at the end of each line, written atomically."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path

from pcpg.workspace.errors import InputError
from pcpg.workspace.files import atomic_file, no_file


def write_csv(path: str | Path, columns: Sequence[str], rows: Iterable[dict]) -> None:
    """Write `rows`, each with values for some of `columns`; other cells stay empty. ValueError for another column."""
    how = {"newline": "", "encoding": "utf-8", "errors": "backslashreplace"}  # a name on disk may be no UTF-8
    with atomic_file(path) as temporary, open(temporary, "w", **how) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            if not row.keys() <= set(columns):
                raise ValueError(f"{path}: a row has {', '.join(row)}, the columns are {', '.join(columns)}")
            writer.writerow([_cell(row.get(column, "")) for column in columns])


def _cell(value: object) -> object:
    """Escape a carriage return: Python 3.11 writes it without quotes, and reads it as the end of the line."""
    return value.replace("\r", "\\r") if isinstance(value, str) else value


def write_rows(path: str | Path, kind: type, rows: Iterable) -> None:
    """Write instances of the dataclass `kind`, a column for each of its fields."""
    write_csv(path, [field.name for field in fields(kind)], map(vars, rows))


def read_rows(path: str | Path, kind: type) -> list:
    """Read what write_rows wrote; a wrong header or value is an InputError that names file and line."""
    path = Path(path)
    types = {field.name: field.type for field in fields(kind)}
    if not path.is_file():
        raise InputError(path, no_file(path))
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader, line = csv.reader(file, strict=True), 1
        try:
            if next(reader, None) != list(types):
                raise InputError(f"{path}, line 1", f"expected the columns {', '.join(types)}")
            rows = []
            for cells in reader:
                line = reader.line_num
                if len(cells) != len(types):
                    raise ValueError(f"has {len(cells)} cells, line 1 has {len(types)}")
                rows.append(kind(*(read(cell) for read, cell in zip(types.values(), cells, strict=True))))
            return rows
        except InputError:
            raise
        except (csv.Error, ValueError) as error:  # among them text that is not UTF-8
            raise InputError(f"{path}, line {max(line, reader.line_num)}", str(error)) from None
