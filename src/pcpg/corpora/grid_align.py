"""Whose .align files are whose: a folder belongs to the speaker whose clips it names, whatever it is called.

Zenodo's alignments.zip has many folders under another speaker's name, and so have the copies made from it.
"""

from pathlib import Path, PurePosixPath

from pcpg.corpora.base import Remark, some

FOLDER = "alignments"


def folders(root: Path) -> dict[str, set[str]]:
    """The clip names that each folder below root/alignments covers; its own path relative to that is the key."""
    found = {}
    for path in sorted((root / FOLDER).rglob("*.align")):
        if not path.name.startswith("."):  # macOS leaves ._name.align beside name.align
            found.setdefault(path.parent.relative_to(root / FOLDER).as_posix(), set()).add(path.stem)
    return found


def covering(folders: dict[str, set[str]], clips: set[str], speaker: str = "") -> str | None:
    """`speaker`'s own folder of .align names if it fits the speaker's clips, else the one that fits best, or None.

    A folder fits if it shares half of its names or half of the clips, so that either may be incomplete. Chance is no
    danger: a speaker said each triple of colour, letter and digit once, with three words out of 64 choices, so two
    speakers share about 1 sentence in 64.
    """
    shared = {folder: len(names & clips) for folder, names in folders.items()}
    fitting = [folder for folder in folders if 2 * shared[folder] >= max(min(len(folders[folder]), len(clips)), 1)]
    return max(fitting, key=lambda folder: (named_as(folder, speaker), shared[folder]), default=None)


def named_as(folder: str, speaker: str) -> bool:
    """Whether a folder bears the speaker's name, wherever it lies."""
    return PurePosixPath(folder).name == speaker


def match(root: Path, clips: dict[str, set[str]]) -> tuple[dict[str, Path], list[Remark]]:
    """Each speaker's folder of .align files, by the names of its clips; and who has none, or another one's."""
    names = folders(root)
    found = {}
    for speaker, wanted in clips.items():  # a speaker without any clip keeps the own folder, which says what is missing
        found[speaker] = covering(names, wanted, speaker) if wanted or speaker not in names else speaker
    without = [speaker for speaker, folder in found.items() if folder is None and clips[speaker]]
    pairs = {speaker: folder for speaker, folder in found.items() if folder is not None}
    other = {speaker: folder for speaker, folder in pairs.items() if not named_as(folder, speaker)}
    elsewhere = [f"those of {speaker} in {FOLDER}/{folder}" for speaker, folder in other.items()]
    remarks = []
    if elsewhere:
        what = "speakers whose .align files lie under another name, by the clips that they cover"
        remarks.append(Remark(what, len(elsewhere), some(elsewhere, most=len(elsewhere))))
    if without:
        remarks.append(Remark("speakers without .align files, whose words have no timing", len(without), some(without)))
    return {speaker: root / FOLDER / folder for speaker, folder in pairs.items()}, remarks
