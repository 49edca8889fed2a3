"""The GRID corpus: sN/<name>.mpg and alignments/sN/<name>.align; the name of a clip spells its sentence."""

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from pcpg.corpora.base import Clip, Excluded, Reading, Remark, Unusable, Word, some
from pcpg.corpora.folders import Files, check_video, entries, files_below, held, sort_files
from pcpg.corpora.grid_align import SENTENCES, match_alignments
from pcpg.corpora.grid_splits import SPEAKERS, Draw, Lists
from pcpg.corpora.grid_text import SILENCES, TICKS, read_align, sentence_of
from pcpg.corpora.synthetic.grid import generate_grid
from pcpg.workspace.errors import InputError
from pcpg.workspace.files import locked

if TYPE_CHECKING:
    from pcpg.settings.corpus import GridRaw

WHERE = "GRID is free (CC BY 4.0): Zenodo record 3625687, sN.zip and alignments.zip"
SILENT = 21  # the speaker of whom there is no video
generate = generate_grid  # for source: synthetic


def download(settings: "GridRaw", root: Path) -> None:
    """Fetch what is missing below `root`."""
    from pcpg.corpora.download import download_grid

    plan_of(settings)  # an error in the lists is found before a download, not after it
    with locked(root / "archives" / "download"):  # a job of grid_words may download the same copy
        download_grid(root, settings.speakers)


def plan_of(settings: "GridRaw") -> Draw | Lists:
    return Lists(settings) if settings.lists else Draw(settings)


def read(settings: "GridRaw", root: Path) -> Reading:
    """All clips of settings.speakers (None: of everybody) under `root`, with their splits, and what cannot be used.

    The splits follow the settings and the names alone, so another speaker on disk changes nothing. Raises InputError
    where a folder is missing or a list is malformed, Unusable where no clip is left or the splits are impossible.
    """
    plan, folders = plan_of(settings), _speakers(root, settings.speakers)
    plan.check(root, list(folders))
    # at any depth, as s1/video/mpg_6000/bbaf2n.mpg: a speaker has each name once
    files = {speaker: sort_files(files_below(folder), ".align") for speaker, folder in folders.items()}
    aligns, remarks = match_alignments(root, folders, {speaker: set(found.videos) for speaker, found in files.items()})
    others = [path.relative_to(root).as_posix() for found in files.values() for path in found.others]
    remarks.append(Remark("files in the speakers' folders are neither video nor .align", len(others), some(others)))
    excluded, usable = [], {}
    for speaker, folder in tqdm(folders.items(), "grid", unit="speaker"):
        usable[speaker], unusable = _usable(root, speaker, folder, files[speaker], aligns.get(speaker, {}))
        excluded += unusable
    if not any(usable.values()):
        where = "" if excluded else f"; {next(iter(folders.values())).name}: {held(next(iter(folders.values())))}"
        raise Unusable(root, f"holds no usable clip s1/bbaf2n.mpg{where}. {WHERE}", excluded)
    try:
        splits = {speaker: plan.splits(speaker, list(spoken)) for speaker, spoken in usable.items()}
    except InputError as error:
        raise Unusable(root, str(error), excluded) from None
    clips, words = [], []
    for speaker, spoken in usable.items():
        for name, timing in spoken.items():
            split = splits[speaker].get(name)
            if split:
                video = files[speaker].videos[name].relative_to(root).as_posix()
                clips.append(Clip(f"{speaker}/{name}", video, speaker, split, sentence_of(name), -1, 0, 0))
                words += timing
    misfits, more = plan.misfits({speaker: list(spoken) for speaker, spoken in usable.items()}, excluded)
    if not clips:
        raise Unusable(root, f"holds no usable clip that the lists name. {WHERE}", excluded + misfits)
    return Reading(clips, excluded + misfits, words, remarks + more)


def lacking(settings: "GridRaw", root: Path, reading: Reading) -> list[Remark]:
    """Remarks on what the copy at `root` lacks of the published corpus."""
    speakers = settings.speakers
    names = dict.fromkeys(row.clip.partition(".")[0] for row in [*reading.clips, *reading.excluded])
    sentences = dict.fromkeys(speakers or [], 0) | Counter(name.split("/")[0] for name in names)
    odd = [f"{speaker} has {count:,}" for speaker, count in sentences.items() if count != SENTENCES]
    what = f"speakers with other than {SENTENCES:,} sentences, the excluded ones counted"
    absent = [] if speakers else [f"s{n}" for n in range(1, SPEAKERS + 1) if n != SILENT and f"s{n}" not in sentences]
    return [
        Remark(what, len(odd), some(odd, most=SPEAKERS)),
        Remark("speakers of GRID are not on disk", len(absent), some(absent, most=SPEAKERS)),
    ]


def _speakers(root: Path, chosen: list[str] | None) -> dict[str, Path]:
    """The folders s1, s2, ... in `root`, in capitals too, of the speakers `chosen` (None: of all), by number.

    InputError where one is not there.
    """
    if not root.is_dir():
        problem = "is no folder" if root.exists() else "no such folder"
        raise InputError(root, f"{problem}; expected one that holds s1/, s2/, ... and alignments/. {WHERE}")
    there, folders = held(root), {}
    for path in entries(root):
        name = path.name.lower()
        if path.is_dir() and re.fullmatch("s[1-9][0-9]*", name) and folders.setdefault(name, path) != path:
            raise InputError(path, f"{folders[name].name} is the same speaker")
    if not folders:
        raise InputError(root, f"holds no speaker folder s1, s2, ... with .mpg files; {there}. {WHERE}")
    names = sorted(folders, key=lambda name: int(name[1:]))
    absent = [name for name in chosen or [] if name not in folders]
    if absent:
        raise InputError(root, f"no folder for the speaker {', '.join(absent)}; there are {', '.join(names)}")
    return {name: folders[name] for name in names if chosen is None or name in chosen}


def _usable(
    root: Path, speaker: str, folder: Path, files: Files, aligns: dict[str, Path]
) -> tuple[dict[str, list[Word]], list[Excluded]]:
    """The words of each usable clip of one speaker, and what cannot be used."""
    usable, excluded = {}, []
    for name in sorted(files.videos | aligns):
        try:
            usable[name] = _words(speaker, name, files.videos.get(name), aligns.get(name))
        except InputError as error:
            excluded.append(Excluded(f"{speaker}/{name}", "raw", str(error).replace(f"{root}/", "")))
    for path in files.doubles:
        reason = f"is not read, but {files.videos[path.stem.lower()].relative_to(root)}"
        excluded.append(Excluded(f"{speaker}/{path.relative_to(folder).as_posix()}", "raw", reason))
    return usable, excluded


def _words(speaker: str, name: str, video: Path | None, align: Path | None) -> list[Word]:
    """The words of a usable clip with their timing; [] without .align, which is no error: the name has the text."""
    sentence = sentence_of(name)
    if video is None:
        raise InputError(name, "has an .align but no .mpg")
    check_video(video)
    if align is None:
        return []
    rows = [row for row in read_align(align) if row[2] not in SILENCES]
    spoken = " ".join(word for _, _, word in rows)
    if spoken != sentence:
        raise InputError(align, f"says {spoken!r}, the name says {sentence!r}")
    return [Word(f"{speaker}/{name}", word, start / TICKS, end / TICKS) for start, end, word in rows]
