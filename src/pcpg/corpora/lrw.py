"""The LRW corpus: lipread_mp4/WORD/{train,val,test}/WORD_00001.mp4, with a .txt beside each clip."""

import math
from pathlib import Path

from pcpg.corpora.base import SPLITS, Clip, Excluded
from pcpg.errors import InputError

FOLDER = "lipread_mp4"
WHERE = (
    "LRW is licensed by the BBC and cannot be downloaded by a script: ask through "
    "https://www.robots.ox.ac.uk/~vgg/data/lip_reading/lrw1.html"
)


def read(root: Path, *, words: list[str] | None = None) -> tuple[list[Clip], list[Excluded]]:
    """All clips under `root`, or those of `words` (any case), and those that cannot be used.

    The label is the place of the word among ALL word folders, so it is the same in every split and for every choice
    of `words`. Raises InputError where folders or words are missing.
    """
    root = Path(root)
    if not (root / FOLDER).is_dir():
        raise InputError(root, f"no folder {FOLDER}/ with a folder for each word. {WHERE}")
    labels = {word: label for label, word in enumerate(sorted(p.name for p in (root / FOLDER).iterdir() if p.is_dir()))}
    chosen = list(labels) if words is None else [word.upper() for word in words]
    unknown = [word for word in chosen if word not in labels]
    if unknown or not chosen:
        raise InputError(root / FOLDER, f"no folder for the word {', '.join(unknown)}" if unknown else "is empty")
    clips, excluded = [], []
    for word in sorted(set(chosen)):
        for split in SPLITS:
            for path in sorted((root / FOLDER / word / split).glob("*.mp4")):
                reason = _fault(path)
                name = f"{word}/{split}/{path.stem}"
                if reason:
                    excluded.append(Excluded(name, "raw", reason))
                else:
                    clips.append(Clip(name, f"{FOLDER}/{name}.mp4", "", split, word.lower(), labels[word], 0, 0))
    if not clips:
        raise InputError(root / FOLDER, f"holds no usable .mp4 under WORD/train, WORD/val or WORD/test. {WHERE}")
    return clips, excluded


def _fault(path: Path) -> str:
    """Why the clip cannot be used, or "". A missing .txt is no fault: the folder names the word."""
    if path.stat().st_size == 0:
        return "the .mp4 is empty"
    text = path.with_suffix(".txt")
    try:
        if text.is_file():
            read_duration(text)
    except InputError as error:
        return str(error).replace(f"{path.parent}/", "")
    return ""


def read_duration(path: Path) -> float:
    """Seconds the word lasts, from line 5, "Duration: 0.53 seconds"; InputError that names file and line if not so."""
    lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    parts = lines[4].split() if len(lines) > 4 else []
    try:
        label, seconds, unit = parts
        duration = float(seconds)
    except ValueError:
        label, duration, unit = "", 0.0, ""
    if label != "Duration:" or unit != "seconds" or not (math.isfinite(duration) and duration > 0):
        found = repr(lines[4]) if len(lines) > 4 else "the end of the file"
        raise InputError(f"{path}, line 5", f"expected 'Duration: <seconds> seconds', found {found}")
    return duration
