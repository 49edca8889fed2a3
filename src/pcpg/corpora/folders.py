"""What lies in the folders of a corpus: videos, pictures and texts under any of the names that copies give them."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pcpg.corpora.base import some
from pcpg.workspace.errors import InputError

VIDEOS = {
    ".mpg", ".mpeg", ".mpe", ".m1v", ".m2v", ".mp4", ".m4v", ".avi", ".mov", ".qt", ".mkv", ".webm", ".wmv", ".asf",
    ".flv", ".f4v", ".3gp", ".3g2", ".ts", ".mts", ".m2ts", ".vob", ".ogv", ".mxf", ".dv",
}  # in small or capital letters  # fmt: skip
PACKED = re.compile(  # archives, and parts of them, as s1.zip, lrw-v1-partaa, a.tar.gz00, a.tar.gz.aa, a.part1
    r".*(\.(zip|tar|gz|tgz|bz2|xz|rar|7z)[.-]?([a-z]{2}|\d{1,3})?|[.-]part([a-z]{2}|\d{1,3}))", re.IGNORECASE
)
NUMBERED = re.compile(r"(?!\.)(?:.*\D)?(\d+)\.jpe?g", re.IGNORECASE)  # names of pictures


class Files(NamedTuple):
    """The files of a folder, by the name without ending in small letters."""

    videos: dict[str, Path]
    texts: dict[str, Path]
    doubles: list[Path]  # videos whose name another one has
    others: list[Path]


def held(folder: Path) -> str:
    """What a folder holds, for a message: "it holds s1.zip, s2.zip and 3 more"."""
    names = [f"{path.name}/" if path.is_dir() else path.name for path in entries(folder)]
    packed = [name for name in names if PACKED.fullmatch(name)]
    hint = f"; {packed[0]} must be unpacked first" if packed else ""
    return f"it holds {some(names)}{hint}" if names else "it is empty"


def entries(folder: Path) -> list[Path]:
    """Files and folders in `folder` by name, without hidden ones and what macOS adds; InputError if that fails."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX")))
    except OSError as error:
        raise InputError(folder, error.strerror or "cannot be read") from None


def files_below(folder: Path) -> Iterator[Path]:
    """All files below a folder, but for hidden ones such as macOS' ._name, also through links, each folder once.

    InputError where a folder cannot be read.
    """

    def closed(error: OSError) -> None:
        raise InputError(error.filename, error.strerror or "cannot be read")

    seen = set()
    for place, folders, names in os.walk(folder, onerror=closed, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (Path(place, name) for name in names if not name.startswith("."))


def child(folder: Path, name: str) -> Path:
    """folder/name, or what lies there under the same name in other small and capital letters."""
    alike = [path for path in (entries(folder) if folder.is_dir() else []) if path.name.lower() == name.lower()]
    return folder / name if not alike or folder / name in alike else alike[0]


def sort_files(paths: Iterable[Path], text: str = "") -> Files:
    """Sort into videos, files that end in `text`, and others. Of two videos of one name the .mpg is taken."""
    files = Files({}, {}, [], [])
    for path in sorted(paths, key=lambda path: (len(path.parts), path.suffix.lower() != ".mpg", path)):
        ending, name = path.suffix.lower(), path.stem.lower()
        if ending == text:
            files.texts[name] = path
        elif ending not in VIDEOS:
            files.others.append(path)
        elif files.videos.setdefault(name, path) != path:
            files.doubles.append(path)
    return files


def check_video(path: Path) -> None:
    """InputError where it is empty, or a link to nothing, as git-annex leaves what it has not fetched."""
    if not path.exists():
        raise InputError(path, "is a link to nothing")
    if path.stat().st_size == 0:
        raise InputError(path, "is empty")


def picture_files(folder: Path) -> dict[int, Path]:
    """The pictures of a folder by the number at the end of their name, as 7.jpg, 0007.jpg and frame_7.JPG; from 1.

    Empty where there is no such folder; InputError where two pictures have one number.
    """
    numbered = {}
    for name in os.listdir(folder) if folder.is_dir() else ():
        number = NUMBERED.fullmatch(name)
        if number:
            other = numbered.setdefault(int(number[1]), folder / name)
            if other.name != name:
                one, two = sorted([other.name, name])
                raise InputError(folder, f"{one} and {two} have the same number")
    return {number + 1: path for number, path in numbered.items()} if 0 in numbered else numbered


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number (from 1) and text of each line that has any, stripped; what is not UTF-8 shows as U+FFFD.

    Raises InputError where the file cannot be read, or is in UTF-16.
    """
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            begin = file.buffer.peek(2)[:2]
            if begin in (b"\xff\xfe", b"\xfe\xff") or b"\0" in begin:
                raise InputError(f"{path}, line 1", "is UTF-16 or no text; expected UTF-8")
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.strip()
    except OSError as error:
        raise InputError(path, error.strerror or "cannot be read") from None
