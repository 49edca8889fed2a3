"""What every corpus becomes: a manifest of clips, what cannot be used with the reason, and remarks on the whole."""

import os
import re
import string
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pcpg.workspace.errors import InputError

SPLITS = ("train", "val", "test")
CHARACTERS = " " + string.ascii_lowercase + string.digits  # of a text; the decoder has three classes more
MOST = 3  # reasons that a message names
RATE = 25  # frames a second of the corpora, and so of all that is made from them
VIDEOS = {
    ".mpg", ".mpeg", ".mpe", ".m1v", ".m2v", ".mp4", ".m4v", ".avi", ".mov", ".qt", ".mkv", ".webm", ".wmv", ".asf",
    ".flv", ".f4v", ".3gp", ".3g2", ".ts", ".mts", ".m2ts", ".vob", ".ogv", ".mxf", ".dv",
}  # in small or capital letters  # fmt: skip
PACKED = re.compile(  # archives, and parts of them, as s1.zip, lrw-v1-partaa, a.tar.gz00, a.tar.gz.aa, a.part1
    r".*(\.(zip|tar|gz|tgz|bz2|xz|rar|7z)[.-]?([a-z]{2}|\d{1,3})?|[.-]part([a-z]{2}|\d{1,3}))", re.IGNORECASE
)
NUMBERED = re.compile(r"(?!\.)(?:.*\D)?(\d+)\.jpe?g", re.IGNORECASE)  # names of pictures


@dataclass(frozen=True)
class Clip:
    """One utterance of a corpus, as a row of its manifest."""

    clip: str  # unique within the corpus, e.g. "s1/bbaf4p" or "ABOUT/train/ABOUT_00001"
    video: str  # video file or folder of jpgs, relative to the corpus' root
    speaker: str  # "" where the corpus does not name one
    split: str  # train, val or test
    text: str  # the transcript, of CHARACTERS
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


class Unusable(InputError):
    """No corpus can be made of what was found; `excluded` says why of each clip, and is not to be lost."""

    def __init__(self, where: object, problem: str, excluded: list[Excluded]):
        super().__init__(where, problem)
        self.where, self.problem, self.excluded = where, problem, excluded


class Files(NamedTuple):
    """The files of a folder, by the name without ending in small letters."""

    videos: dict[str, Path]
    texts: dict[str, Path]
    doubles: list[Path]  # videos whose name another one has
    others: list[Path]


def some(names: Iterable, most: int = 5) -> str:
    """The first few of `names`, and how many more there are: "s1, s2 and 3 more"."""
    names = list(map(str, names))
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def reasons(excluded: list[Excluded]) -> str:
    """The commonest reasons, each with its count and in the words of the first clip that has it.

    Two reasons are the same if they differ in nothing but files, quoted text and numbers.
    """
    alike, details = defaultdict(list), re.compile(r"'.*'|\d+|\S*[./]\S*")
    for row in excluded:
        name, reason = Path(row.clip).name, row.reason
        if name in reason:
            reason = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "", reason)
        alike[details.sub("", reason)].append(row)
    groups = sorted(alike.values(), key=len, reverse=True)  # equal counts: in the order of the clips
    lines = []
    for rows in groups[:MOST]:
        named = Path(rows[0].clip).name in rows[0].reason
        clips = "" if named else f" ({some([row.clip for row in rows], most=1)})"
        lines.append(f"{len(rows):,} x {rows[0].reason}{clips}")
    if len(groups) > MOST:
        lines.append(f"{sum(map(len, groups[MOST:])):,} for {len(groups) - MOST:,} other reasons")
    return "; ".join(lines)


def held(folder: Path) -> str:
    """What a folder holds, for a message: "it holds s1.zip, s2.zip and 3 more"."""
    names = [f"{path.name}/" if path.is_dir() else path.name for path in entries(folder)]
    packed = [name for name in names if PACKED.fullmatch(name)]
    hint = f"; {packed[0]} must be unpacked first" if packed else ""
    return f"it holds {some(names)}{hint}" if names else "it is empty"


def entries(folder: Path) -> list[Path]:
    """Files and folders in `folder` by name, without hidden ones and what macOS adds; InputError if that fails."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX")))
    except OSError as error:
        raise InputError(folder, error.strerror or "cannot be read") from None


def files_below(folder: Path) -> Iterator[Path]:
    """All files below a folder, also through links, each folder once; InputError where one cannot be read."""

    def closed(error: OSError) -> None:
        raise InputError(error.filename, error.strerror or "cannot be read")

    seen = set()
    for place, folders, names in os.walk(folder, onerror=closed, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (Path(place, name) for name in names)


def child(folder: Path, name: str) -> Path:
    """folder/name, or what lies there under the same name in other small and capital letters."""
    alike = [path for path in (entries(folder) if folder.is_dir() else []) if path.name.lower() == name.lower()]
    return folder / name if not alike or folder / name in alike else alike[0]


def sort_files(paths: Iterable[Path], text: str = "") -> Files:
    """Sort into videos, files that end in `text`, and others. Of two videos of one name the .mpg is taken."""
    files = Files({}, {}, [], [])
    for path in sorted(paths, key=lambda path: (len(path.parts), path.suffix.lower() != ".mpg", path)):
        ending, name = path.suffix.lower(), path.stem.lower()
        if ending == text:
            files.texts[name] = path
        elif ending not in VIDEOS:
            files.others.append(path)
        elif files.videos.setdefault(name, path) != path:
            files.doubles.append(path)
    return files


def check_video(path: Path) -> None:
    """InputError where it is empty, or a link to nothing, as git-annex leaves what it has not fetched."""
    if not path.exists():
        raise InputError(path, "is a link to nothing")
    if path.stat().st_size == 0:
        raise InputError(path, "is empty")


def picture_files(folder: Path) -> dict[int, Path]:
    """The pictures of a folder by the number at the end of their name, as 7.jpg, 0007.jpg and frame_7.JPG; from 1.

    Empty where there is no such folder; InputError where two pictures have one number.
    """
    numbered = {}
    for name in os.listdir(folder) if folder.is_dir() else ():
        number = NUMBERED.fullmatch(name)
        if number:
            other = numbered.setdefault(int(number[1]), folder / name)
            if other.name != name:
                one, two = sorted([other.name, name])
                raise InputError(folder, f"{one} and {two} have the same number")
    return {number + 1: path for number, path in numbered.items()} if 0 in numbered else numbered


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number (from 1) and text of each line that has any, stripped; what is not UTF-8 shows as U+FFFD.

    Raises InputError where the file cannot be read, or is in UTF-16.
    """
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            begin = file.buffer.peek(2)[:2]
            if begin in (b"\xff\xfe", b"\xfe\xff") or b"\0" in begin:
                raise InputError(f"{path}, line 1", "is UTF-16 or no text; expected UTF-8")
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.strip()
    except OSError as error:
        raise InputError(path, error.strerror or "cannot be read") from None


def check_text(text: str) -> None:
    """ValueError where the decoder has no class for one of the characters."""
    unknown = sorted(set(text) - set(CHARACTERS))
    if unknown:
        raise ValueError(
            f"{text!r} holds {', '.join(map(repr, unknown))}; a text is of the letters a to z, digits and spaces"
        )
