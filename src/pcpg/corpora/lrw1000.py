"""The LRW-1000 corpus: images/<clip>/<i>.jpg, mouths cut from television, and info/{trn,val,tst}_1000.txt."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pcpg.corpora.base import Clip, Excluded
from pcpg.errors import InputError
from pcpg.video import jpg_numbers

WHERE = "LRW-1000 is licensed by ICT-CAS to universities and institutes: ask through https://vipl.ict.ac.cn"
FILES = {"train": "trn_1000.txt", "val": "val_1000.txt", "test": "tst_1000.txt"}
RATE = 25  # frames a second
CUT, CENTRED = 30, 40  # frames: the most of a word that is cut exactly, and the window around its middle


@dataclass(frozen=True)
class Row:
    """One line of an info file: a word in a folder of jpgs, from `start` to `end` seconds."""

    split: str
    line: int  # 1-based
    folder: str
    pinyin: str
    start: float
    end: float

    @property
    def clip(self) -> str:
        """Unique name: one folder may hold several words."""
        return f"{self.split}/{self.line:06d}-{self.folder}"


def read(root: Path, *, protocol: str) -> tuple[list[Clip], list[Excluded]]:
    """All words, with their frames by `protocol`, and those that cannot be used.

    "cut30" takes the word exactly, and words over 30 frames are excluded (the paper's first author). "centred40"
    takes 40 frames about its middle, as far as they exist. Accuracies of the two do not compare. The label is the
    place of the pinyin among those of ALL three files. Raises InputError where files or folders are missing.
    """
    root = Path(root)
    if protocol not in ("cut30", "centred40"):
        raise InputError("protocol", f"{protocol!r} is neither 'cut30' nor 'centred40'")
    _check_layout(root)
    rows, excluded = [], []
    for split in FILES:
        for row in _rows(root / "info" / FILES[split], split):
            (rows if isinstance(row, Row) else excluded).append(row)
    labels = {pinyin: label for label, pinyin in enumerate(sorted({row.pinyin for row in rows}))}
    existing: dict[str, frozenset[int]] = {}  # each folder is listed once, however many words it holds
    clips = []
    for row in rows:
        if row.folder not in existing:
            existing[row.folder] = frozenset(number - 1 for number in jpg_numbers(root / "images" / row.folder))
        try:
            first, frames = frame_range(row.start, row.end, existing[row.folder], protocol)
        except ValueError as error:
            excluded.append(Excluded(row.clip, "raw", str(error)))
            continue
        video, label = f"images/{row.folder}", labels[row.pinyin]
        clips.append(Clip(row.clip, video, "", row.split, row.pinyin, label, first, frames))
    if not clips:
        raise InputError(root, f"none of {len(excluded)} words can be used; first: {excluded[:1]}")
    return clips, excluded


def _check_layout(root: Path) -> None:
    expected = [root / "images", *(root / "info" / name for name in FILES.values())]
    absent = [str(path.relative_to(root)) for path in expected if not path.exists()]
    if absent:
        raise InputError(root, f"missing: {', '.join(absent)}. {WHERE}")


def _rows(path: Path, split: str) -> Iterator[Row | Excluded]:
    """Each line of an info file: clip, Hanzi, pinyin, start s, end s."""
    with open(path, encoding="utf-8", errors="replace") as file:
        for line, text in enumerate(file, start=1):
            parts = [part.strip() for part in text.split(",")]
            try:
                folder, _, pinyin, start, end = parts
                row = Row(split, line, folder, pinyin.lower(), float(start), float(end))
            except ValueError:
                row = None
            if row and folder and pinyin and 0 <= row.start < row.end and math.isfinite(row.end):
                yield row
            elif text.strip():
                reason = f"{path.name}, line {line}: expected 'clip,Hanzi,pinyin,start,end', found {text.strip()!r}"
                yield Excluded(f"{split}/{line:06d}", "raw", reason)


def frame_range(start: float, end: float, existing: frozenset[int], protocol: str) -> tuple[int, int]:
    """First frame (0-based) and number of frames of the word from `start` to `end` seconds.

    The frame at time t is int(25 t), as the corpus counts (its jpgs from 1), and the frame of `end` belongs to the
    word. Frames of the range that do not exist are met, and counted, when the clip is read.
    Raises ValueError, with the reason to report, where the protocol leaves the word out or none of its frames exists.
    """
    first, last = int(start * RATE), int(end * RATE)
    if protocol == "cut30" and last - first + 1 > CUT:
        raise ValueError(f"lasts {last - first + 1} frames; protocol cut30 leaves out words over {CUT}")
    if protocol == "centred40":
        first = (first + last + 1) // 2 - CENTRED // 2
        last = min(first + CENTRED - 1, max(existing, default=-1))
        first = max(first, 0)
    if existing.isdisjoint(range(first, last + 1)):
        raise ValueError("none of its frames exists")
    return first, last - first + 1
