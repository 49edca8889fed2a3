"""The LRW corpus: lipread_mp4/WORD/{train,val,test}/WORD_00001.mp4, with a .txt beside each clip."""

import math
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from pcpg.corpora.base import SPLITS, Clip, Excluded, Reading, Remark, Word, some, text_lines
from pcpg.workspace.errors import InputError

FOLDER = "lipread_mp4"
WHERE = (
    "LRW is licensed by the BBC and cannot be downloaded by a script: ask through "
    "https://www.robots.ox.ac.uk/~vgg/data/lip_reading/lrw1.html"
)
WORDS = 500
CLIPS = {"train": 488_766, "val": 25_000, "test": 25_000}  # of all words; val and test have 50 of each
FRAMES = (29, 30)  # that a whole clip may have: decoders disagree
MIDDLE = 29 / 2 / 25  # s; the word stands in the middle of the clip


def read(root: Path, *, words: list[str] | None = None) -> Reading:
    """All clips under `root`, or those of `words` (any case), and those that cannot be used.

    The label is the place of the word among ALL word folders, so it is the same in every split and for every choice
    of `words`. Raises InputError where folders or words are missing.
    """
    root = Path(root)
    if not (root / FOLDER).is_dir():
        raise InputError(root, f"no folder {FOLDER}/ with a folder for each word. {WHERE}")
    labels = {word: label for label, word in enumerate(_words(root))}
    chosen = list(labels) if words is None else [word.upper() for word in words]
    unknown = [word for word in chosen if word not in labels]
    if unknown or not chosen:
        raise InputError(root / FOLDER, f"no folder for the word {', '.join(unknown)}" if unknown else "is empty")
    reading = Reading([], [], [], [])
    for word in tqdm(sorted(set(chosen)), "lrw", unit="word"):
        for split in SPLITS:
            for path in sorted((root / FOLDER / word / split).glob("*.mp4")):
                name = f"{word}/{split}/{path.stem}"
                clip = Clip(name, f"{FOLDER}/{name}.mp4", "", split, word.lower(), labels[word], first=0, frames=0)
                _add(reading, clip, path)
    if not reading.clips:
        raise InputError(root / FOLDER, f"holds no usable .mp4 under WORD/train, WORD/val or WORD/test. {WHERE}")
    untimed = len(reading.clips) - len(reading.words)
    if untimed:
        reading.remarks.append(Remark("clips without .txt, whose word has no timing", untimed, ""))
    long = [word.clip for word in reading.words if word.start < 0]  # the video can be used all the same
    if long:
        reading.remarks.append(Remark("clips shorter than their word, by the .txt", len(long), some(long)))
    return reading


def _words(root: Path) -> list[str]:
    return sorted(path.name for path in (root / FOLDER).iterdir() if path.is_dir())


def _add(reading: Reading, clip: Clip, path: Path) -> None:
    """The clip, with the timing of its word; or why it cannot be used. A missing .txt is no fault: the folder has
    the word."""
    text = path.with_suffix(".txt")
    try:
        if path.stat().st_size == 0:
            raise InputError(path, "is empty")
        if text.is_file():
            half = read_duration(text) / 2
            reading.words.append(Word(clip.clip, clip.text, round(MIDDLE - half, 4), round(MIDDLE + half, 4)))
        reading.clips.append(clip)
    except InputError as error:
        reading.excluded.append(Excluded(clip.clip, "raw", str(error).replace(f"{path.parent}/", "")))


def read_duration(path: Path) -> float:
    """Seconds the word lasts, from line 5, "Duration: 0.53 seconds"; InputError that names file and line if not so."""
    line = dict(text_lines(path)).get(5, "")
    parts = line.split()
    try:
        label, seconds, unit = parts
        duration = float(seconds)
    except ValueError:
        label, duration, unit = "", 0.0, ""
    if label != "Duration:" or unit != "seconds" or not (math.isfinite(duration) and duration > 0):
        found = repr(line[:80]) if line else "nothing"
        raise InputError(f"{path}, line 5", f"expected 'Duration: <seconds> seconds', found {found}")
    return duration


def lacking(reading: Reading, root: Path, words: list[str] | None) -> list[Remark]:
    """What a copy of the real corpus lacks, the excluded clips counted as there; `words` as in `read`."""
    counts = Counter(tuple(row.clip.split("/")[:2]) for row in [*reading.clips, *reading.excluded])
    there = sorted({word for word, _ in counts})
    remarks = []

    def note(what: str, count: int, names: list[str]) -> None:
        if count > 0:
            remarks.append(Remark(what, count, some(names)))

    if words is None:
        missing = WORDS - len(_words(Path(root)))
        note(f"of LRW's {WORDS} word folders are missing, and classes are numbered without them", missing, [])
        for split, full in CLIPS.items():
            found = sum(count for (_, place), count in counts.items() if place == split)
            note(f"of LRW's {full:,} clips for {split} are missing", full - found, [])
    for split in SPLITS:
        none = [word for word in there if not counts[word, split]]
        note(f"words without any clip for {split}", len(none), none)
    for split in ("val", "test"):
        each = CLIPS[split] // WORDS
        odd = [f"{word} has {counts[word, split]}" for word in there if counts[word, split] not in (0, each)]
        note(f"words with other than {each} clips for {split}", len(odd), odd)
    return remarks
