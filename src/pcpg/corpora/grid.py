"""The GRID corpus: sN/<name>.mpg and alignments/sN/<name>.align; the name of a clip spells its sentence."""

import re
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from pcpg.corpora.base import Clip, Excluded, Reading, Remark, Word, some
from pcpg.corpora.grid_align import match
from pcpg.corpora.grid_splits import SPEAKERS, Draw, Lists
from pcpg.corpora.grid_text import SILENCES, TICKS, read_align, sentence_of
from pcpg.workspace.errors import InputError

WHERE = "GRID is free (CC BY 4.0): Zenodo record 3625687, sN.zip and alignments.zip"
SENTENCES = 1000  # of each speaker
FRAMES = (75,)  # that a whole clip may have
SILENT = 21  # the speaker of whom there is no video


def read(root: Path, *, speakers: list[str] | None, plan: Draw | Lists) -> Reading:
    """All clips of `speakers` (None: of everybody) under `root`, with their splits, and those that cannot be used.

    The splits follow `plan` and the names alone, so another speaker on disk changes nothing. Raises InputError where
    a folder is missing or the plan cannot be followed.
    """
    root = Path(root)
    speakers = _chosen(root, speakers)
    plan.check(root, speakers)
    videos = {speaker: {path.stem: path for path in (root / speaker).glob("*.mpg")} for speaker in speakers}
    aligns, remarks = match(root, {speaker: set(paths) for speaker, paths in videos.items()})
    clips, excluded, words, usable = [], [], [], {}
    for speaker in tqdm(speakers, "grid", unit="speaker"):
        spoken, unusable = _usable(root, speaker, videos[speaker], aligns.get(speaker))
        splits = plan.splits(speaker, list(spoken))
        clips += [_clip(speaker, name, splits[name]) for name in spoken if name in splits]
        words += [word for name, timing in spoken.items() if name in splits for word in timing]
        excluded += unusable
        usable[speaker] = list(spoken)
    misfits, more = plan.misfits(usable, {row.clip for row in excluded})
    excluded += misfits
    if not clips:
        raise InputError(root, f"none of the {len(excluded)} clips can be used; first: {_first(excluded)}. {WHERE}")
    return Reading(clips, excluded, words, remarks + more)


def lacking(reading: Reading, speakers: list[str] | None) -> list[Remark]:
    """What a copy of the real corpus lacks, of which nothing on disk tells; `speakers` as in `read`."""
    sentences = Counter(row.clip.split("/")[0] for row in [*reading.clips, *reading.excluded])
    odd = [f"{speaker} has {count:,}" for speaker, count in sentences.items() if count != SENTENCES]
    remarks = []
    if odd:
        what = f"speakers with other than {SENTENCES:,} sentences, the excluded ones counted"
        remarks.append(Remark(what, len(odd), some(odd, most=SPEAKERS)))
    absent = [] if speakers else [f"s{n}" for n in range(1, SPEAKERS + 1) if n != SILENT and f"s{n}" not in sentences]
    if absent:
        remarks.append(Remark("speakers of GRID are not on disk", len(absent), some(absent, most=SPEAKERS)))
    return remarks


def _clip(speaker: str, name: str, split: str) -> Clip:
    video, text = f"{speaker}/{name}.mpg", sentence_of(name)
    return Clip(f"{speaker}/{name}", video, speaker, split, text, label=-1, first=0, frames=0)


def _first(excluded: list[Excluded]) -> str:
    return f"{excluded[0].clip}, {excluded[0].reason}" if excluded else "there are no .mpg files"


def _speakers(root: Path) -> list[str]:
    """Names of the folders s1, s2, ... in `root`, by number."""
    if not root.is_dir():
        raise InputError(root, f"no such folder; expected it to hold s1/, s2/, ... and alignments/. {WHERE}")
    names = [path.name for path in root.iterdir() if path.is_dir() and re.fullmatch("s[1-9][0-9]*", path.name)]
    if not names:
        raise InputError(root, f"holds no speaker folder s1, s2, ... with .mpg files. {WHERE}")
    return sorted(names, key=lambda name: int(name[1:]))


def _chosen(root: Path, names: list[str] | None) -> list[str]:
    """The speakers `names`, each once and by number; InputError where one is not there."""
    there = _speakers(root)
    absent = [name for name in names or [] if name not in there]
    if absent:
        raise InputError(root, f"no folder for the speaker {', '.join(absent)}; there are {', '.join(there)}")
    return there if names is None else [name for name in there if name in names]


def _usable(
    root: Path, speaker: str, videos: dict[str, Path], align: Path | None
) -> tuple[dict[str, list[Word]], list[Excluded]]:
    """The words of each usable clip of one speaker, whose .align files lie in `align`, and what cannot be used."""
    aligns = {path.stem: path for path in align.glob("*.align")} if align else {}
    spoken, excluded = {}, []
    for name in sorted(videos | aligns):
        try:
            spoken[name] = _words(speaker, name, videos.get(name), aligns.get(name))
        except InputError as error:
            excluded.append(Excluded(f"{speaker}/{name}", "raw", str(error).replace(f"{root}/", "")))
    return spoken, excluded


def _words(speaker: str, name: str, video: Path | None, align: Path | None) -> list[Word]:
    """The words of a usable clip with their timing; none without .align, which is no fault: the name has the text."""
    sentence = sentence_of(name)
    if video is None:
        raise InputError(name, "has an .align but no .mpg")
    if video.stat().st_size == 0:
        raise InputError(video, "is empty")
    if align is None:
        return []
    rows = [row for row in read_align(align) if row[2] not in SILENCES]
    spoken = " ".join(word for _, _, word in rows)
    if spoken != sentence:
        raise InputError(align, f"says {spoken!r}, the name says {sentence!r}")
    return [Word(f"{speaker}/{name}", word, start / TICKS, end / TICKS) for start, end, word in rows]
