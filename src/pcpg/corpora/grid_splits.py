"""Which clips of GRID are for training, validation and test: drawn by a seed, or named by two public lists."""

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pcpg.corpora.base import Excluded, Remark, some
from pcpg.corpora.folders import text_lines
from pcpg.corpora.grid_text import sentence_of
from pcpg.workspace.errors import InputError

if TYPE_CHECKING:
    from pcpg.settings.corpus import GridRaw

SPEAKERS = 34
LINE = re.compile(r"s([1-9][0-9]?)/(?:[^/]+/)*([^/.]+)(?:\.mpg)?")  # s14/video/mpg_6000/bbaq7n


def assign(names: list[str], speaker: str, test: int, validation: float, seed: int) -> dict[str, str]:
    """Split of each name: `test` of them for test, the share `validation` of the others for validation.

    Names are ranked by a hash of seed, speaker and name: an order that is random, and the same in any Python.
    """
    ranked = sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{speaker}/{name}".encode()).digest())
    val = test + round(validation * (len(ranked) - test))
    return {name: "test" if k < test else "val" if k < val else "train" for k, name in enumerate(ranked)}


def read_list(path: str | Path) -> dict[str, dict[str, int]]:
    """Speaker -> clip name -> line, of a list with lines such as s14/video/mpg_6000/bbaq7n.

    Only the first and the last part count. Raises InputError that names file and line for anything else, a speaker
    that GRID has not, a name that spells no sentence, and a clip that comes twice.
    """
    named = {}
    for number, line in text_lines(Path(path)):
        where, parts = f"{path}, line {number}", LINE.fullmatch(line.lower())
        if not parts or int(parts[1]) > SPEAKERS:
            raise InputError(where, f"expected a clip of s1 to s{SPEAKERS} as s14/video/mpg_6000/bbaq7n: {line[:80]!r}")
        try:
            sentence_of(parts[2])
        except InputError as error:
            raise InputError(where, str(error)) from None
        clips = named.setdefault(f"s{parts[1]}", {})
        if parts[2] in clips:
            raise InputError(where, f"s{parts[1]}/{parts[2]} is in line {clips[parts[2]]} already")
        clips[parts[2]] = number
    if not named:
        raise InputError(path, "names no clip")
    return named


class Draw:
    """Splits that a seed draws: InputError where they are impossible.

    split: unseen keeps all clips of the test speakers for test, overlapped so many of each speaker.
    """

    def __init__(self, settings: "GridRaw"):
        self.settings = settings

    def splits(self, speaker: str, names: list[str]) -> dict[str, str]:
        """Split of each of the names of a speaker's clips."""
        test = len(names) if speaker in self.settings.test_speakers else 0
        if self.settings.split == "overlapped":
            test = self.settings.test_sentences
            if not 0 <= test <= len(names) or (test == len(names) and names):
                raise InputError(speaker, f"has {len(names)} usable clips, so {test} of them cannot be kept for test")
        return assign(names, speaker, test, self.settings.validation, self.settings.split_seed)

    def check(self, root: Path, speakers: list[str]) -> None:
        """InputError where a test speaker is not among the speakers that are read."""
        strangers = [speaker for speaker in self.settings.test_speakers if speaker not in speakers]
        if self.settings.split == "unseen" and strangers:
            raise InputError(root, f"the test speaker {', '.join(strangers)} is not among {', '.join(speakers)}")

    def misfits(self, usable: dict[str, list[str]], unusable: list[Excluded]) -> tuple[list[Excluded], list[Remark]]:
        """A random split has no missing or unlisted clips."""
        return [], []


class Lists:
    """Splits that the two lists of GRID's settings give, one to train and validate on, one to test on.

    The share `validation` of each speaker's clips in the first is for validation. InputError where a list is malformed
    or a clip is in both.
    """

    def __init__(self, settings: "GridRaw"):
        self.settings = settings
        train, test = settings.lists.train, settings.lists.test
        self.files = {"train": Path(train), "test": Path(test)}
        self.named = {split: read_list(file) for split, file in self.files.items()}
        for speaker, clips in self.named["test"].items():
            for name, line in clips.items():
                other = self._lines("train", speaker).get(name)
                if other is not None:
                    raise InputError(f"{test}, line {line}", f"{speaker}/{name} is in {train}, line {other}, as well")

    def _lines(self, split: str, speaker: str) -> dict[str, int]:
        return self.named[split].get(speaker, {})

    def splits(self, speaker: str, names: list[str]) -> dict[str, str]:
        """Split of each of the names of a speaker's clips that a list has; the others are left out."""
        train, test = ([name for name in names if name in self._lines(split, speaker)] for split in self.files)
        drawn = assign(train, speaker, 0, self.settings.validation, self.settings.split_seed)
        return drawn | dict.fromkeys(test, "test")

    def check(self, root: Path, speakers: list[str]) -> None:
        """InputError where the lists name no clip of the speakers that are read."""
        if not any(self._lines(split, speaker) for split in self.files for speaker in speakers):
            raise InputError(self.files["train"], f"names, like {self.files['test']}, no clip of {', '.join(speakers)}")

    def misfits(self, usable: dict[str, list[str]], unusable: list[Excluded]) -> tuple[list[Excluded], list[Remark]]:
        """Clips that only the lists or only the disk has, from each speaker's usable clips and all unusable ones."""
        files = " nor ".join(file.name for file in self.files.values())
        unlisted, absent, known = [], [], {row.clip for row in unusable}
        for speaker, names in usable.items():
            lines = {name: (split, n) for split in self.files for name, n in self._lines(split, speaker).items()}
            strangers = [name for name in names if name not in lines]
            unlisted += [Excluded(f"{speaker}/{name}", "raw", f"is in neither {files}") for name in strangers]
            for name in sorted(lines.keys() - set(names)):
                split, line = lines[name]
                if f"{speaker}/{name}" not in known:
                    reason = f"is not on disk, but in {self.files[split].name}, line {line}"
                    absent.append(Excluded(f"{speaker}/{name}", "raw", reason))
        return unlisted + absent, self._remarks(list(usable), unlisted, absent)

    def _remarks(self, speakers: list[str], unlisted: list[Excluded], absent: list[Excluded]) -> list[Remark]:
        others = {speaker for clips in self.named.values() for speaker in clips if speaker not in speakers}
        others = sorted(others, key=lambda speaker: int(speaker[1:]))
        count = sum(len(self._lines(split, speaker)) for speaker in others for split in self.files)
        return [
            Remark("clips on disk that no list names", len(unlisted), some(row.clip for row in unlisted)),
            Remark("clips that a list names and the disk has not", len(absent), some(row.clip for row in absent)),
            Remark("clips that the lists name of speakers who are not read", count, some(others, most=SPEAKERS)),
        ]
