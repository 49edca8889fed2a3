"""The GRID corpus: sN/<name>.mpg and alignments/sN/<name>.align; the name of a clip spells its sentence."""

import hashlib
from pathlib import Path

from pcpg.corpora.base import Clip, Excluded
from pcpg.errors import InputError

WHERE = "GRID is free (CC BY 4.0): Zenodo record 3625687, sN.zip and alignments.zip"
SILENCES = ("sil", "sp")
# Cooke, Barker, Cunningham and Shao (2006), table I: one letter of the name for each word of the sentence
GRAMMAR = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},  # no w: its name has three syllables
    dict(
        zip("z123456789", ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], strict=True)
    ),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)


def read(
    root: Path,
    *,
    speakers: list[str] | None,
    split: str,
    test_speakers: list[str],
    test_sentences: int,
    validation: float,
    seed: int,
) -> tuple[list[Clip], list[Excluded]]:
    """All clips of `speakers` (None: of everybody) under `root`, with their splits, and those that cannot be used.

    split "unseen": every clip of `test_speakers` is for test. "overlapped": `test_sentences` clips of each speaker
    are. Of the rest of each speaker the share `validation` is for validation. Both draws follow `seed` and the names
    alone, so another speaker on disk changes nothing. Raises InputError where a folder or a test speaker is missing.
    """
    root = Path(root)
    speakers = _chosen(root, speakers)
    if split not in ("unseen", "overlapped"):
        raise InputError("split", f"{split!r} is neither 'unseen' nor 'overlapped'")
    if not 0 <= validation < 1:
        raise InputError("validation", f"{validation} is not a share of 0 or more and less than 1")
    absent = [speaker for speaker in test_speakers if speaker not in speakers]
    if split == "unseen" and absent:
        raise InputError(root, f"the test speaker {', '.join(absent)} is not among {', '.join(speakers)}")
    clips, excluded = [], []
    for speaker in speakers:
        sentences, unusable = _usable(root, speaker)
        excluded += unusable
        test = len(sentences) if speaker in test_speakers else 0
        if split == "overlapped":
            test = _test_count(root / speaker, test_sentences, len(sentences))
        splits = assign(list(sentences), speaker, test, validation, seed)
        clips += [_clip(speaker, name, text, splits[name]) for name, text in sentences.items()]
    if not clips:
        raise InputError(root, f"none of the {len(excluded)} clips can be used; first: {_first(excluded)}. {WHERE}")
    return clips, excluded


def _clip(speaker: str, name: str, text: str, split: str) -> Clip:
    return Clip(f"{speaker}/{name}", f"{speaker}/{name}.mpg", speaker, split, text, label=-1, first=0, frames=0)


def _first(excluded: list[Excluded]) -> str:
    return f"{excluded[0].clip}, {excluded[0].reason}" if excluded else "there are no .mpg files"


def _speakers(root: Path) -> list[str]:
    """Names of the folders s1, s2, ... in `root`, by number."""
    if not root.is_dir():
        raise InputError(root, f"no such folder; expected it to hold s1/, s2/, ... and alignments/. {WHERE}")
    numbers = [path.name[1:] for path in root.iterdir() if path.is_dir() and path.name[0] == "s"]
    speakers = [f"s{number}" for number in sorted(map(int, filter(str.isdecimal, numbers)))]
    if not speakers:
        raise InputError(root, f"holds no speaker folder s1, s2, ... with .mpg files. {WHERE}")
    return speakers


def _chosen(root: Path, names: list[str] | None) -> list[str]:
    """The speakers `names`, each once and by number; InputError where one is not there."""
    there = _speakers(root)
    absent = [name for name in names or [] if name not in there]
    if absent:
        raise InputError(root, f"no folder for the speaker {', '.join(absent)}; there are {', '.join(there)}")
    return there if names is None else [name for name in there if name in names]


def _test_count(folder: Path, wanted: int, clips: int) -> int:
    if not 0 <= wanted <= clips or (wanted == clips and clips):
        raise InputError(folder, f"has {clips} usable clips, so {wanted} of them cannot be kept for test")
    return wanted


def assign(names: list[str], speaker: str, test: int, validation: float, seed: int) -> dict[str, str]:
    """Split of each name: `test` of them for test, the share `validation` of the others for validation.

    Names are ranked by a hash of seed, speaker and name: an order that is random, and the same in any Python.
    """
    ranked = sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{speaker}/{name}".encode()).digest())
    val = test + round(validation * (len(ranked) - test))
    return {name: "test" if k < test else "val" if k < val else "train" for k, name in enumerate(ranked)}


def _usable(root: Path, speaker: str) -> tuple[dict[str, str], list[Excluded]]:
    """Sentences by clip name of one speaker, and what cannot be used."""
    videos = {path.stem: path for path in (root / speaker).glob("*.mpg")}
    aligns = {path.stem: path for path in (root / "alignments" / speaker).glob("*.align")}
    sentences, excluded = {}, []
    for name in sorted(videos | aligns):
        try:
            sentences[name] = _check(name, videos.get(name), aligns.get(name))
        except InputError as error:
            reason = str(error).replace(f"{root}/", "")
            excluded.append(Excluded(f"{speaker}/{name}", "raw", reason))
    return sentences, excluded


def _check(name: str, video: Path | None, align: Path | None) -> str:
    """The sentence of a usable clip. A missing .align is no fault: its timing is not used, the name has the text."""
    sentence = sentence_of(name)
    if video is None:
        raise InputError(name, "has an .align but no .mpg")
    if video.stat().st_size == 0:
        raise InputError(video, "is empty")
    if align is not None:
        spoken = " ".join(word for _, _, word in read_align(align) if word not in SILENCES)
        if spoken != sentence:
            raise InputError(align, f"says {spoken!r}, the name says {sentence!r}")
    return sentence


def sentence_of(name: str) -> str:
    """The sentence that a clip's name spells: "bbaf4p" -> "bin blue at f four please"; InputError for other names."""
    if len(name) != len(GRAMMAR):
        raise InputError(name, f"is not a GRID name: {len(GRAMMAR)} characters expected")
    for place, (letter, words) in enumerate(zip(name, GRAMMAR, strict=True), start=1):
        if letter not in words:
            raise InputError(name, f"is not a GRID name: character {place}, {letter!r}, is none of {''.join(words)}")
    return " ".join(words[letter] for letter, words in zip(name, GRAMMAR, strict=True))


def read_align(path: Path) -> list[tuple[int, int, str]]:
    """Start, end and word of each line, in samples at 25 kHz (1000 = one video frame); silences included.

    Raises InputError that names file and line where a line is malformed or overlaps the one before.
    """
    rows = []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 3 or not (parts[0].isdecimal() and parts[1].isdecimal()):
            raise InputError(f"{path}, line {number}", f"expected 'start end word', found {line!r}")
        start, end = int(parts[0]), int(parts[1])
        if end < start or (rows and start < rows[-1][1]):
            raise InputError(f"{path}, line {number}", f"{start} to {end} runs backwards or overlaps the line before")
        rows.append((start, end, parts[2]))
    if not rows:
        raise InputError(path, "is empty")
    return rows
