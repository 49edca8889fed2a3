"""What every corpus becomes: a manifest of clips, and a list of what cannot be used with the reason."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from pcpg.errors import InputError
from pcpg.files import atomic_file

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
        reader = csv.DictReader(file)
        if reader.fieldnames != list(kinds):
            raise InputError(f"{path}, line 1", f"expected the columns {', '.join(kinds)}")
        try:
            return [kind(**{name: kinds[name](row[name]) for name in kinds}) for row in reader]
        except (TypeError, ValueError) as error:
            raise InputError(f"{path}, line {reader.line_num}", str(error)) from None
