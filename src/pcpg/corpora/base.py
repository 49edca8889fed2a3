"""What every corpus becomes: a manifest of clips, what cannot be used with the reason, and remarks on the whole."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

from pcpg.workspace.errors import InputError
from pcpg.workspace.files import atomic_file

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Clip:
    """One utterance of a corpus, as a row of its manifest."""

    clip: str  # unique within the corpus, e.g. "s1/bbaf4p" or "ABOUT/train/ABOUT_00001"
    video: str  # video file or folder of jpgs, relative to the corpus' root
    speaker: str  # "" where the corpus does not name one
    split: str  # train, val or test
    text: str  # the transcript, lower case
    label: int  # word class, fixed over all splits; -1 where the corpus has no classes
    first: int  # first video frame of the utterance (0-based)
    frames: int  # number of video frames from there on; 0: all


@dataclass(frozen=True)
class Excluded:
    """One clip that cannot be used."""

    clip: str
    stage: str  # raw or clips
    reason: str


@dataclass(frozen=True)
class Word:
    """When one word is said, by the corpus' own timing. Nothing is trained on it: the paper reads whole clips."""

    clip: str
    word: str
    start: float  # s from the beginning of the clip's video
    end: float


@dataclass(frozen=True)
class Remark:
    """Something about the corpus as a whole that its user should know: "<count> <what>: <detail>"."""

    what: str
    count: int
    detail: str

    def __str__(self) -> str:
        return f"{self.count:,} {self.what}" + (f": {self.detail}" if self.detail else "")


class Reading(NamedTuple):
    """All that the reader of a corpus found."""

    clips: list[Clip]
    excluded: list[Excluded]
    words: list[Word]
    remarks: list[Remark]


def some(names: Iterable, most: int = 5) -> str:
    """The first few of `names`, and how many more there are: "s1, s2 and 3 more"."""
    names = list(map(str, names))
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number (from 1) and text of each line that has any, stripped; what is not UTF-8 shows as U+FFFD.

    Raises InputError where the file cannot be read.
    """
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.strip()
    except OSError as error:
        raise InputError(path, error.strerror or "cannot be read") from None


def write_rows(path: Path, kind: type, rows: Iterable) -> None:
    """Write dataclass instances of `kind` as CSV, atomically."""
    names = [field.name for field in fields(kind)]
    with atomic_file(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([getattr(row, name) for name in names] for row in rows)


def read_rows(path: Path, kind: type) -> list:
    """Read what write_rows wrote; a wrong header or value is an InputError that names file and line."""
    kinds = {field.name: field.type for field in fields(kind)}
    if not path.is_file():
        raise InputError(path, "no such file")
    with open(path, newline="", encoding="utf-8") as file:
        reader, line = csv.reader(file, strict=True), 1
        try:
            if next(reader, None) != list(kinds):
                raise InputError(f"{path}, line 1", f"expected the columns {', '.join(kinds)}")
            rows = []
            for cells in reader:
                line = reader.line_num
                rows.append(kind(*(read(cell) for read, cell in zip(kinds.values(), cells, strict=True))))
            return rows
        except InputError:
            raise
        except (csv.Error, ValueError) as error:  # among them text that is not UTF-8, and too few or many cells
            raise InputError(f"{path}, line {max(line, reader.line_num)}", str(error)) from None
