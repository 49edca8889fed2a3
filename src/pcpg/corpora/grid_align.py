"""Whose .align files are whose: a folder belongs to the speaker whose clips it names, whatever it is called.

Zenodo's alignments.zip has many folders under another speaker's name, and so have the copies made from it.
"""

from pathlib import Path, PurePosixPath

from pcpg.corpora.base import Remark, child, files_below, some

FOLDER = "alignments"


def align_files(folder: Path) -> dict[str, dict[str, Path]]:
    """The .align files of each folder below `folder`, by the clip's name; the key is the folder's relative path."""
    files = {}
    for path in sorted(files_below(folder)) if folder.is_dir() else ():
        if path.suffix.lower() == ".align" and not path.name.startswith("."):  # macOS leaves ._name beside name
            files.setdefault(path.parent.relative_to(folder).as_posix(), {})[path.stem.lower()] = path
    return files


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
    return PurePosixPath(folder).name.lower() == speaker


def match_alignments(root: Path, clips: dict[str, set[str]]) -> tuple[dict[str, dict[str, Path]], list[Remark]]:
    """Each speaker's .align files by the clip's name, matched by the names of its clips; and who has none, or another
    one's."""
    top = child(root, FOLDER)
    files = align_files(top)
    names = {folder: set(paths) for folder, paths in files.items()}
    folders = {}
    for speaker, wanted in clips.items():  # a speaker without any clip keeps the own folder, which says what is missing
        folder = covering(names, wanted, speaker) if wanted or speaker not in names else speaker
        if folder is not None:
            folders[speaker] = folder
    without = [speaker for speaker, wanted in clips.items() if wanted and speaker not in folders]
    strangers = [(speaker, folder) for speaker, folder in folders.items() if not named_as(folder, speaker)]
    elsewhere = [f"those of {speaker} in {top.name}/{folder}" for speaker, folder in strangers]
    remarks = []
    if elsewhere:
        what = "speakers whose .align files lie under another name, by the clips that they cover"
        remarks.append(Remark(what, len(elsewhere), some(elsewhere, most=len(elsewhere))))
    if without:
        remarks.append(Remark("speakers without .align files, whose words have no timing", len(without), some(without)))
    return {speaker: files[folder] for speaker, folder in folders.items()}, remarks
