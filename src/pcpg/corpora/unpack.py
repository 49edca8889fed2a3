"""Zip archives from elsewhere: all entries are checked before any is written; a folder appears whole or not at all."""

import re
import shutil
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from pcpg.workspace.errors import InputError
from pcpg.workspace.files import atomic_folder

EXPANSION = 20  # videos hardly shrink in a zip, .align files to a third


@contextmanager
def open_archive(path: Path) -> Iterator[ZipFile]:
    """The archive, after a look at all its entries.

    Raises InputError that names archive and entry for paths that lead out of a folder, links and devices, for an
    archive that expands more than EXPANSION times, and for what turns out to be damaged while it is read.
    """
    try:
        with ZipFile(path) as archive:
            for entry in archive.infolist():
                _check(entry, path)
            total, packed = sum(entry.file_size for entry in archive.infolist()), Path(path).stat().st_size
            if total > EXPANSION * packed:
                raise InputError(path, f"refused: {packed} bytes would become {total}, over {EXPANSION} times as many")
            yield archive
    except (BadZipFile, EOFError, RuntimeError, zlib.error) as error:  # RuntimeError: encrypted, or a method unknown
        raise InputError(path, f"cannot be unpacked: {error}") from None


def _parts(entry: ZipInfo) -> PurePosixPath:
    """The path of an entry; some programs on Windows write backslashes."""
    return PurePosixPath(entry.filename.replace("\\", "/"))


def _check(entry: ZipInfo, archive: Path) -> None:
    path, kind = _parts(entry), stat.S_IFMT(entry.external_attr >> 16)  # 0 where no Unix mode was stored
    problem = None
    if path.is_absolute() or re.match("[A-Za-z]:", entry.filename):
        problem = "has an absolute path"
    elif ".." in path.parts:
        problem = "leads out of the folder"
    elif stat.S_ISLNK(kind):
        problem = "is a link"
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        problem = "is neither a file nor a folder"
    if problem:
        raise InputError(archive, f"refused: its entry {entry.filename!r} {problem}")


def files_by_folder(archive: ZipFile, suffix: str) -> dict[str, list[ZipInfo]]:
    """The files that end in `suffix` (any case), by their folder in the archive, without those that macOS adds."""
    folders = {}
    for entry in archive.infolist():
        path = _parts(entry)
        if not entry.is_dir() and path.suffix.lower() == suffix and not path.name.startswith("."):
            folders.setdefault(str(path.parent), []).append(entry)
    return folders


def stems(entries: Iterable[ZipInfo]) -> set[str]:
    """File names without folder and suffix."""
    return {_parts(entry).stem for entry in entries}


def extract_files(archive: ZipFile, entries: Iterable[ZipInfo], folder: Path) -> None:
    """Write the entries side by side into a new `folder`, whatever folders the archive has; InputError on a clash."""
    with atomic_folder(folder) as temporary:
        for entry in entries:
            place = temporary / _parts(entry).name
            if place.exists():
                raise InputError(archive.filename, f"has two files named {place.name}, the second {entry.filename}")
            with archive.open(entry) as source, open(place, "wb") as file:
                shutil.copyfileobj(source, file)
            if place.stat().st_size != entry.file_size:
                raise InputError(archive.filename, f"its entry {entry.filename!r} is not as long as it declares")
