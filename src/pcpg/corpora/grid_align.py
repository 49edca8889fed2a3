"""Whose .align files are whose: a folder belongs to the speaker whose clips it names, whatever it is called.

Zenodo's alignments.zip has many folders under another speaker's name, and so have the copies made from it.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from pcpg.corpora.base import Remark, some
from pcpg.corpora.folders import child, files_below

FOLDERS = ("alignments", "align")  # beside the speakers' own, which may hold them too
SENTENCES = 1000  # of each speaker


def align_files(root: Path, places: Iterable[Path]) -> dict[str, dict[str, Path]]:
    """The .align files of each folder below `places`, by the clip's name; the key is the folder's path from `root`."""
    files = {}
    for path in (path for place in places if place.is_dir() for path in sorted(files_below(place))):
        if path.suffix.lower() == ".align":
            files.setdefault(path.parent.relative_to(root).as_posix(), {})[path.stem.lower()] = path
    return files


def covering(folders: dict[str, set[str]], clips: set[str], speaker: str) -> str | None:
    """`speaker`'s own folder of .align names if it fits the speaker's clips, else the one that fits best, or None.

    A folder fits if it shares half of its names or half of the clips, so that either may be incomplete. Chance is no
    danger: a speaker said each triple of colour, letter and digit once, with three words out of 64 choices, so two
    speakers share about 1 sentence in 64.
    """
    shared = {folder: len(names & clips) for folder, names in folders.items()}
    fitting = [folder for folder in folders if 2 * shared[folder] >= max(min(len(folders[folder]), len(clips)), 1)]
    return max(fitting, key=lambda folder: (named_as(folder, speaker), shared[folder]), default=None)


def named_as(folder: str, speaker: str) -> bool:
    """Whether a folder, or one that it lies in, bears the speaker's name."""
    return speaker in PurePosixPath(folder.lower()).parts


def match_alignments(
    root: Path, folders: dict[str, Path], clips: dict[str, set[str]]
) -> tuple[dict[str, dict[str, Path]], list[Remark]]:
    """Each speaker's .align files by the clip's name, matched by the names of its clips, from alignments/, align/ and
    the speakers' own `folders`; and remarks on who has none, or another one's.

    Speakers share names of sentences, so that .align files of several in one folder have overwritten one another:
    what fits more than one speaker, or is more than one can have, is taken for none.
    """
    files = align_files(root, [*(child(root, name) for name in FOLDERS), *folders.values()])
    names = {folder: set(paths) for folder, paths in files.items()}
    matched = {speaker: covering(names, wanted, speaker) for speaker, wanted in clips.items() if wanted}
    matched = {speaker: folder for speaker, folder in matched.items() if folder is not None}
    count = Counter(matched.values())
    for speaker in (speaker for speaker, wanted in clips.items() if not wanted):
        own = [folder for folder in names if named_as(folder, speaker) and folder not in count]
        matched |= {speaker: own[0]} if own else {}  # lists the sentences of which only the .align is there
    mixed = {
        speaker: folder
        for speaker, folder in matched.items()
        if count[folder] > 1 or (len(names[folder]) > SENTENCES and not named_as(folder, speaker))
    }
    matched = {speaker: folder for speaker, folder in matched.items() if speaker not in mixed}
    elsewhere = [f"those of {one} in {folder}" for one, folder in matched.items() if not named_as(folder, one)]
    without = [speaker for speaker, wanted in clips.items() if wanted and speaker not in matched | mixed]
    remarks = [
        Remark(
            "speakers whose .align files lie under another name, by the clips that they cover",
            len(elsewhere),
            some(elsewhere, most=len(elsewhere)),
        ),
        Remark(
            "speakers whose .align files lie mixed in one folder, where those of one name overwrote one another; their "
            "words have no timing",
            len(mixed),
            some(f"{speaker} in {folder}" for speaker, folder in mixed.items()),
        ),
        Remark("speakers without .align files, whose words have no timing", len(without), some(without)),
    ]
    return {speaker: files[folder] for speaker, folder in matched.items()}, remarks
