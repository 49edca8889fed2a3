"""GRID from Zenodo: the chosen speakers' archives, fetched once, verified, and unpacked to what grid.py reads."""

import json
import re
import sys
from pathlib import Path

from pcpg.corpora import unpack
from pcpg.corpora.fetch import Remote, arrived, fetch_file, progress
from pcpg.corpora.folders import files_below, sort_files
from pcpg.corpora.grid_align import covering, named_as
from pcpg.workspace.errors import InputError

RECORD = "https://zenodo.org/api/records/3625687"
ALIGNMENTS = "alignments.zip"


def download_grid(root: Path, speakers: list[str] | None) -> None:
    """Make root/sN/*.mpg and root/alignments/sN/*.align for each of `speakers` (None: for all that the record has).

    A speaker's folder appears when it is complete, and one that is there is left alone. root/archives holds the
    record's list of files, what is not unpacked yet, and the alignments of everybody; what lies there is not fetched
    again, so that archives put there by hand serve as well, and are kept. Raises InputError for a speaker that the
    record lacks, before anything large is fetched, and for what cannot be fetched, verified or unpacked.
    """
    archives, aligned = root / "archives", root / "alignments"
    if speakers and all((place / speaker).is_dir() for speaker in speakers for place in (root, aligned)):
        return _say(f"{root} has {', '.join(speakers)} already: nothing to download")
    remotes = listing(archives / "record.json")
    speakers = _chosen(speakers, remotes)
    new = [speaker for speaker in speakers if not (root / speaker).is_dir()]
    unaligned = [speaker for speaker in speakers if not (aligned / speaker).is_dir()]
    _say(f"{root} has {len(speakers) - len(new)} of {len(speakers)} speakers; to come: {', '.join(new) or 'none'}")
    if new:
        _fetch_speakers(root, new, remotes)
    if unaligned:
        fetch_file(remotes[ALIGNMENTS], archives / ALIGNMENTS)
        _align(root, unaligned, archives / ALIGNMENTS)


def _say(text: str) -> None:
    print(f"grid: {text}", file=sys.stderr)


def listing(file: Path) -> dict[str, Remote]:
    """Name -> archive of the record, as Zenodo's API lists them; kept in `file`, since a record's files never change.

    Raises InputError where the answer is no such list, or lacks GRID's alignments.
    """
    fetch_file(Remote(RECORD), file)
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))["files"]
        remotes = {row["key"]: _remote(row) for row in rows}
    except (ValueError, KeyError, TypeError) as error:
        file.unlink()
        problem = f"its answer is not a Zenodo record with size and MD5 of each file ({type(error).__name__}: {error})"
        raise InputError(RECORD, problem) from None
    if ALIGNMENTS not in remotes:
        file.unlink()
        raise InputError(RECORD, f"the record has no {ALIGNMENTS}")
    return remotes


def _remote(row: dict) -> Remote:
    url, size, checksum = row["links"]["self"], row["size"], row["checksum"]
    if not (isinstance(url, str) and isinstance(size, int) and re.fullmatch("md5:[0-9a-f]{32}", checksum)):
        raise ValueError(f"{row['key']}: {url}, {size}, {checksum}")
    return Remote(url, size, checksum)


def _chosen(speakers: list[str] | None, remotes: dict[str, Remote]) -> list[str]:
    """The speakers that are wanted, each once; InputError where the record has no archive of one."""
    numbers = sorted(int(name[1]) for name in map(re.compile(r"s(\d+)\.zip").fullmatch, remotes) if name)
    there = [f"s{number}" for number in numbers]
    absent = [speaker for speaker in speakers or [] if speaker not in there]
    if absent:
        raise InputError(RECORD, f"the record has no speaker {', '.join(absent)}; there are {', '.join(there)}")
    return there if speakers is None else list(dict.fromkeys(speakers))


def _fetch_speakers(root: Path, speakers: list[str], remotes: dict[str, Remote]) -> None:
    """One speaker after the other, so that at most one archive that was fetched takes room beside the clips."""
    places = {speaker: root / "archives" / f"{speaker}.zip" for speaker in speakers}
    waiting = [archive for archive in places.values() if not archive.is_file()]
    total = sum(remotes[archive.name].size for archive in waiting)
    with progress("GRID", total, sum(map(arrived, waiting))) as bar:
        for speaker, archive in places.items():
            fetch_file(remotes[archive.name], archive, bar=bar)
            with unpack.open_archive(archive) as opened:
                videos = [entry for entries in unpack.files_by_folder(opened, ".mpg").values() for entry in entries]
                if not videos:
                    inside = ", ".join(opened.namelist()[:3]) or "nothing"
                    raise InputError(archive, f"holds no .mpg file, but {inside}")
                unpack.extract_files(opened, videos, root / speaker)
            if archive in waiting:
                archive.unlink()


def _align(root: Path, speakers: list[str], archive: Path) -> None:
    """Each speaker's .align files, from the folder that fits; a line names a speaker without any."""
    with unpack.open_archive(archive) as opened:
        folders = unpack.files_by_folder(opened, ".align")
        names = {folder: unpack.stems(entries) for folder, entries in folders.items()}
        elsewhere = []
        for speaker in speakers:
            folder = covering(names, set(sort_files(files_below(root / speaker)).videos), speaker)
            if folder is None:
                _say(f"{archive} has no folder for {speaker}, which goes without .align files")
                continue
            unpack.extract_files(opened, folders[folder], root / "alignments" / speaker)
            elsewhere += [] if named_as(folder, speaker) else [f"{speaker} from {folder}"]
    if elsewhere:
        _say(f"{len(elsewhere)} speakers got their .align files from another one's folder: {', '.join(elsewhere)}")
