"""The LRW corpus: lipread_mp4/WORD/{train,val,test}/WORD_00001.mp4, with a .txt beside each clip."""

import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from pcpg.corpora.about import FRAMES
from pcpg.corpora.base import RATE, SPLITS, Clip, Excluded, Reading, Remark, Unusable, Word, check_text, some
from pcpg.corpora.folders import check_video, child, entries, held, sort_files, text_lines
from pcpg.corpora.synthetic.lrw import generate_lrw
from pcpg.workspace.errors import InputError

if TYPE_CHECKING:
    from pcpg.settings.corpus import LrwRaw

FOLDER = "lipread_mp4"
WHERE = (
    "LRW is licensed by the BBC and cannot be downloaded by a script: ask through "
    "https://www.robots.ox.ac.uk/~vgg/data/lip_reading/lrw1.html"
)
WORDS = 500
CLIPS = {"train": 488_766, "val": 25_000, "test": 25_000}  # of all words; val and test have 50 of each
MIDDLE = FRAMES["lrw"][0] / 2 / RATE  # s; the word stands in the middle of the clip
generate = generate_lrw  # for source: synthetic


def read(settings: "LrwRaw", root: Path) -> Reading:
    """All clips under `root`, or those of settings.words (any case), and those that cannot be used.

    The label is the place of the word among ALL word folders, so it is the same in every split and for every choice
    of words. Raises InputError where folders or words are missing, Unusable where no clip is left.
    """
    top, folders = _word_folders(root)
    labels = {word: label for label, word in enumerate(folders)}
    chosen = list(labels) if settings.words is None else [word.upper() for word in settings.words]
    unknown = [word for word in chosen if word not in labels]
    if unknown or not chosen:
        raise InputError(top, f"no folder for the word {', '.join(unknown)}" if unknown else "is empty")
    reading, others = Reading([], [], [], []), []
    for word in tqdm(sorted(set(chosen)), "lrw", unit="word"):
        inside = {entry.name.lower(): entry for entry in entries(folders[word])}
        for split in SPLITS:
            if split in inside and inside[split].is_dir():
                others += _add_split(reading, root, inside.pop(split), labels[word])
        for entry in inside.values():
            reason = f"{entry.relative_to(root)}: is none of train/, val/ and test/"
            reading.excluded.append(Excluded(f"{folders[word].name}/{entry.name}", "raw", reason))
    if not reading.clips:
        raise Unusable(top, f"holds no usable .mp4 under WORD/train, WORD/val or WORD/test. {WHERE}", reading.excluded)
    untimed = len(reading.clips) - len(reading.words)
    long = [word.clip for word in reading.words if word.start < 0]  # the video can be used all the same
    remarks = [
        Remark("clips without .txt, whose word has no timing", untimed, ""),
        Remark("clips shorter than their word, by the .txt", len(long), some(long)),
        Remark("files beside the clips are neither video nor .txt", len(others), some(others)),
    ]
    return reading._replace(remarks=remarks)


def _word_folders(root: Path) -> tuple[Path, dict[str, Path]]:
    """The folder lipread_mp4, and the folders of its words by the word in capitals, in their order."""
    top = child(root, FOLDER)
    if not top.is_dir() and root.is_dir():
        words = (path for path in entries(root) if path.is_dir())
        top = root if any(child(word, split).is_dir() for word in words for split in SPLITS) else top
    if not top.is_dir():
        there = held(root) if root.is_dir() else "there is no such folder"
        raise InputError(root, f"no folder {FOLDER}/ with a folder for each word; {there}. {WHERE}")
    folders = {}
    for path in entries(top):
        if path.is_dir() and folders.setdefault(path.name.upper(), path) != path:
            raise InputError(path, f"{folders[path.name.upper()].name} is the same word")
    return top, dict(sorted(folders.items()))


def _add_split(reading: Reading, root: Path, folder: Path, label: int) -> list[str]:
    """Add the clips of a word's split to `reading`; returns the files that belong to no clip."""
    files = sort_files(entries(folder), ".txt")
    word, split = folder.parent.name, folder.name.lower()
    for name, path in sorted(files.videos.items()):
        clip = f"{word}/{split}/{path.stem}"
        try:
            timing = _timing(clip, word.lower(), path, files.texts.get(name))
        except ValueError as error:  # InputError is one
            reading.excluded.append(Excluded(clip, "raw", str(error).replace(f"{folder}/", "")))
            continue
        video = path.relative_to(root).as_posix()
        reading.clips.append(Clip(clip, video, "", split, word.lower(), label, first=0, frames=0))
        reading.words.extend(timing)
    for name in sorted(files.texts.keys() - files.videos.keys()):
        reading.excluded.append(Excluded(f"{word}/{split}/{files.texts[name].stem}", "raw", "has a .txt but no video"))
    for path in files.doubles:
        reason = f"is not read, but {files.videos[path.stem.lower()].name}"
        reading.excluded.append(Excluded(f"{word}/{split}/{path.name}", "raw", reason))
    return [path.relative_to(root).as_posix() for path in files.others]


def _timing(clip: str, word: str, video: Path, text: Path | None) -> list[Word]:
    """When the word is said, if its .txt is there: it may be missing. ValueError where the clip is unusable."""
    check_text(word)
    if not video.name.isprintable():
        raise ValueError("its name cannot be printed")
    check_video(video)
    if text is None:
        return []
    half = read_duration(text) / 2
    return [Word(clip, word, round(MIDDLE - half, 4), round(MIDDLE + half, 4))]


def read_duration(path: Path) -> float:
    """Seconds the word lasts, from line 5, "Duration: 0.53 seconds"; InputError that names file and line if not so."""
    line = dict(text_lines(path)).get(5, "")
    try:
        label, seconds, unit = line.lower().split()
        duration = float(seconds)
    except ValueError:
        label, duration, unit = "", 0.0, ""
    if label != "duration:" or unit != "seconds" or not (math.isfinite(duration) and duration > 0):
        there = repr(line[:80]) if line else "nothing"
        raise InputError(f"{path}, line 5", f"expected 'Duration: <seconds> seconds', found {there}")
    return duration


def lacking(settings: "LrwRaw", root: Path, reading: Reading) -> list[Remark]:
    """Remarks on what a copy lacks of the published corpus; excluded clips count as present."""
    counts = Counter(tuple(row.clip.split("/")[:2]) for row in [*reading.clips, *reading.excluded])
    folders = _word_folders(root)[1]
    asked = folders.keys() if settings.words is None else {word.upper() for word in settings.words}
    there = sorted(path.name for word, path in folders.items() if word in asked)
    remarks = []
    if settings.words is None:
        what = f"of LRW's {WORDS} word folders are missing, and classes are numbered without them"
        remarks.append(Remark(what, WORDS - len(folders), ""))
        for split, full in CLIPS.items():
            total = sum(count for (_, place), count in counts.items() if place == split)
            remarks.append(Remark(f"of LRW's {full:,} clips for {split} are missing", full - total, ""))
    for split in SPLITS:
        none = [word for word in there if not counts[word, split]]
        remarks.append(Remark(f"words without any clip for {split}", len(none), some(none)))
    for split in ("val", "test"):
        each = CLIPS[split] // WORDS
        odd = [f"{word} has {counts[word, split]}" for word in there if counts[word, split] not in (0, each)]
        remarks.append(Remark(f"words with other than {each} clips for {split}", len(odd), some(odd)))
    return remarks
