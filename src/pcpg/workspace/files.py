"""Atomic writes: a file or folder appears whole under its name, or not at all, even if process or power end early.

Until then it is `.<name>.<machine>-<process>.partial` in the same folder. If a killed process left one, the next write
of that name on the same machine removes it.
"""

import fcntl
import glob
import hashlib
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from pcpg.workspace.errors import InputError


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is renamed to `path`, on error removed."""
    path = Path(path)
    with _partial(path) as temporary:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside `path`; on success it takes the place of `path`."""
    path = Path(path)
    with _partial(path) as temporary:
        temporary.mkdir()
        yield temporary
        for folder, _, names in os.walk(temporary):
            for place in [*(Path(folder, name) for name in names), Path(folder)]:
                _sync(place)
        with _partial(path.with_name(f"{path.name}.old")) as old:  # the name must never show a half deleted folder
            if path.exists():
                os.replace(path, old)
            os.replace(temporary, path)
            _sync(path.parent)


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """One process at a time makes `path`, and others wait: for a file that several jobs need and no stage declares.

    Where the file system has no locks nobody waits; what two downloads have mixed up then fails its checksum.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(f".{path.name}.lock"), "w") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)  # released with the file, also where the process is killed
        yield


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` atomically."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def no_file(path: Path) -> str:
    """Why there is no file at `path`, for a message."""
    return "is a folder" if path.is_dir() else "is no regular file" if path.exists() else "no such file"


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes in hexadecimal digits; InputError where there is no file."""
    if not path.is_file():
        raise InputError(path, no_file(path))
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """The temporary name of `path` for this process; what is there at the end is removed."""
    ours = f".{path.name}.{socket.gethostname()}-"
    temporary = path.with_name(f"{ours}{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f"{glob.escape(ours)}*.partial"):
            if not _alive(left.name.removeprefix(ours).removesuffix(".partial")) or left == temporary:
                _remove(left)
        yield temporary
    except OSError as error:
        if error.filename in (None, str(temporary)):  # a full disk does not say which file it had no room for
            error.filename = str(path)
        raise
    finally:
        _remove(temporary)


def _alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:  # somebody else's
        pass
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):  # in a read-only folder
            path.unlink()


def _sync(path: Path) -> None:
    """Force what was written to the disk, so that it is there before the final name is."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError) if path.is_dir() else nullcontext():  # not every file system can do it for folders
            os.fsync(handle)
    finally:
        os.close(handle)
