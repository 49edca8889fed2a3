"""What every corpus becomes: a manifest of clips, what cannot be used with the reason, and remarks on the whole."""

import re
import string
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pcpg.workspace.errors import InputError

SPLITS = ("train", "val", "test")
CHARACTERS = " " + string.ascii_lowercase + string.digits  # of a text; the decoder has three classes more
MOST = 3  # reasons that a message names
RATE = 25  # frames a second of the corpora, and so of all that is made from them


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
    """Something about the whole corpus that its user should know, if count > 0: "<count> <what>: <detail>"."""

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


def check_text(text: str) -> None:
    """ValueError where the decoder has no class for one of the characters."""
    unknown = sorted(set(text) - set(CHARACTERS))
    if unknown:
        raise ValueError(
            f"{text!r} holds {', '.join(map(repr, unknown))}; a text is of the letters a to z, digits and spaces"
        )
