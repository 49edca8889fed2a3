"""The LRW-1000 corpus: images/<clip>/<i>.jpg, mouths cut from television, and info/{trn,val,tst}_1000.txt."""

import os
import unicodedata
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from tqdm import tqdm

from pcpg.corpora.base import RATE, Clip, Excluded, Reading, Remark, Unusable, Word, check_text, some
from pcpg.corpora.folders import NUMBERED, child, entries, held, picture_files, text_lines
from pcpg.corpora.synthetic.lrw1000 import generate_lrw1000
from pcpg.workspace.errors import InputError

if TYPE_CHECKING:
    from pcpg.settings.corpus import Lrw1000Raw

WHERE = "LRW-1000 is licensed by ICT-CAS to universities and institutes: ask through https://vipl.ict.ac.cn"
FILES = {"train": "trn_1000.txt", "val": "val_1000.txt", "test": "tst_1000.txt"}
SAMPLES, CLASSES = 718_018, 1_000
LONGEST = 86_400.0  # s; the jpgs of a folder are numbered at 25 a second, and no programme lasts a day
CUT, CENTRED = 30, 40  # frames: of the longest word of cut30, and of the window of centred40
generate = generate_lrw1000  # for source: synthetic


@dataclass(frozen=True)
class Row:
    """One line of an info file: a word in a folder of jpgs, from `start` to `end` seconds."""

    split: str
    clip: str  # named after its line: one folder may hold several words
    folder: str
    pinyin: str
    start: float
    end: float


def read(settings: "Lrw1000Raw", root: Path) -> Reading:
    """All words, with their frames by settings.protocol, and those that cannot be used.

    "cut30" takes the word exactly, and words over 30 frames are excluded (the paper's first author). "centred40"
    takes 40 frames about its middle, as far as they exist, and words over 40 are excluded (the public preprocessing).
    Accuracies of the two do not compare. The label is the place of the pinyin among those of ALL three files.
    Raises InputError where files or folders are missing, Unusable where no word is left.
    """
    images, lists = _layout(root)
    rows, excluded = [], []
    for split, file in lists.items():
        for line, text in text_lines(file):
            try:
                rows.append(_row(split, line, text))
            except ValueError as error:
                excluded.append(Excluded(f"{split}/{line:06d}", "raw", f"{file.name}, line {line}: {error}"))
    labels = {pinyin: label for label, pinyin in enumerate(sorted({row.pinyin for row in rows}))}
    said = Counter((row.split, row.folder, row.pinyin, row.start, row.end) for row in rows)
    again = [f"{split}: {folder}, {pinyin}" for (split, folder, pinyin, *_), count in said.items() if count > 1]
    ranges, remarks = _ranges(root, images, rows, settings.protocol)
    clips, words = [], []
    for row in rows:
        span = ranges[row.clip]
        if isinstance(span, str):
            excluded.append(Excluded(row.clip, "raw", span))
            continue
        video = (images / row.folder).relative_to(root).as_posix()
        clips.append(Clip(row.clip, video, "", row.split, row.pinyin, labels[row.pinyin], *span))
        words.append(Word(row.clip, row.pinyin, row.start, row.end))
    if not clips:
        name = images.relative_to(root).as_posix()
        raise Unusable(root, f"none of {len(excluded)} words can be used; {name}/: {held(images)}. {WHERE}", excluded)
    remarks.append(Remark("lines are repeated within their list, and count as often", len(again), some(again)))
    return Reading(clips, excluded, words, remarks)


def _ranges(
    root: Path, images: Path, rows: list[Row], protocol: str
) -> tuple[dict[str, tuple[int, int] | str], list[Remark]]:
    """First frame and number of frames of each clip, or why it has none; and the folders and jpgs that are not there.

    Each folder is listed once, however many words it holds, and forgotten before the next: there are many.
    """
    ranges, folders, gaps, jpgs = {}, [], [], 0
    by_folder = attrgetter("folder")
    for folder, words in groupby(tqdm(sorted(rows, key=by_folder), "lrw1000", unit="word"), by_folder):
        try:
            existing = frozenset(number - 1 for number in picture_files(images / folder))
        except InputError as error:
            ranges |= {row.clip: str(error).replace(f"{root}/", "") for row in words}
            continue
        if not existing:
            folders.append(f"{images.name}/{folder}")
        for row in words:
            try:
                first, frames = ranges[row.clip] = frame_range(row.start, row.end, existing, protocol)
            except ValueError as error:
                ranges[row.clip] = str(error)
                continue
            missing = frames - len(existing.intersection(range(first, first + frames)))
            jpgs += missing
            gaps += [row.clip] if missing else []
    return ranges, [
        Remark("folders that the info files name have no jpg or are not there", len(folders), some(folders)),
        Remark("words lack jpgs", len(gaps), f"{jpgs:,} jpgs in all; {some(gaps)}"),
    ]


def lacking(settings: "Lrw1000Raw", root: Path, reading: Reading) -> list[Remark]:
    """Remarks on what a copy lacks of the published corpus; excluded words count as present."""
    total, classes = len(reading.clips) + len(reading.excluded), {clip.label for clip in reading.clips}
    texts = {split: {clip.text for clip in reading.clips if clip.split == split} for split in FILES}
    counts = ", ".join(f"{len(texts[split])} in {FILES[split]}" for split in FILES)
    untrained = sorted((texts["val"] | texts["test"]) - texts["train"])
    return [
        Remark(f"of LRW-1000's {SAMPLES:,} samples are missing in info/", SAMPLES - total, f"{total:,} are there"),
        Remark(f"of LRW-1000's {CLASSES:,} classes have no usable clip", CLASSES - len(classes), counts),
        Remark("classes to validate or test have no clip to train on", len(untrained), some(untrained)),
    ]


def _layout(root: Path) -> tuple[Path, dict[str, Path]]:
    """The folder that holds those of the clips, and the list of each split; InputError where one is not there."""
    images, info = child(root, "images"), child(root, "info")
    if not images.exists() and child(root, "lip_images").exists():  # as some copies have it
        images = child(root, "lip_images")
    lists = {split: child(info, name) for split, name in FILES.items()}
    absent = [str(path.relative_to(root)) for path in (images, *lists.values()) if not path.exists()]
    if absent:
        there = held(root) if root.is_dir() else "there is no such folder"
        raise InputError(root, f"missing: {', '.join(absent)}; {there}. {WHERE}")
    while folder := _only_folder(images):
        images = folder
    return images, lists


def _only_folder(images: Path) -> Path | None:
    """The one folder in images/ if it holds folders and no pictures, as where an archive was unpacked in it."""
    inside = entries(images)
    if len(inside) > 1 or not all(path.is_dir() for path in inside):
        return None
    below = [path for folder in inside for path in entries(folder)]
    pictures = any(NUMBERED.fullmatch(path.name) for path in below)
    return inside[0] if any(path.is_dir() for path in below) and not pictures else None


def _row(split: str, line: int, text: str) -> Row:
    """What a line of an info file says: clip, Hanzi, pinyin, start s, end s; ValueError with what is wrong with it."""
    try:
        folder, _, pinyin, start, end = (part.strip() for part in text.split(","))
        row = Row(split, f"{split}/{line:06d}-{folder}", folder, spelt(pinyin), float(start), float(end))
        usable = _is_name(folder) and row.pinyin and 0 <= row.start < row.end <= LONGEST
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"expected 'clip,Hanzi,pinyin,start,end', found {text[:80]!r}")
    check_text(row.pinyin)
    return row


def spelt(pinyin: str) -> str:
    """`pinyin` as the classes are spelt: small letters, single spaces, and v for u with two dots."""
    return " ".join(unicodedata.normalize("NFKC", pinyin).lower().replace("\u00fc", "v").split())


def _is_name(folder: str) -> bool:
    """Whether a text can be the name of a folder within images/, and nowhere else."""
    return PurePath(folder).name == folder not in ("", "..") and "\0" not in folder and len(os.fsencode(folder)) < 256


def frame_range(start: float, end: float, existing: frozenset[int], protocol: str) -> tuple[int, int]:
    """First frame (0-based) and number of frames of the word from `start` to `end` seconds.

    The frame at time t is int(25 t), as the corpus counts (its jpgs from 1). As in the public code the frame of `end`
    is the first that the word has not. Missing frames within the range are counted when the clip is read. Raises
    ValueError, with the reason to report, where the protocol leaves the word out or none of its frames exists.
    """
    first, stop = int(start * RATE), int(end * RATE)
    most = CUT if protocol == "cut30" else CENTRED
    if stop - first > most:
        raise ValueError(f"lasts {stop - first} frames; protocol {protocol} leaves out words over {most}")
    if protocol == "centred40":
        jpg = int((first + 1 + stop + 1) / 2 - CENTRED / 2)  # numbered from 1; int() drops a half
        first, stop = max(jpg - 1, 0), min(jpg - 1 + CENTRED, max(existing, default=-1) + 1)
    else:
        stop = max(stop, first + 1)
    if existing.isdisjoint(range(first, stop)):
        raise ValueError("none of its frames exists" if existing else "its folder has no numbered jpg, or is not there")
    return first, stop - first
