"""One engine at a time makes a preset in a folder: locks that the system releases when a process ends, however it ends.

Snakemake's own lock stays when Snakemake is killed and must be removed by hand, so the profile turns it off. Where the
file system has no locks (some network file systems), nothing keeps two engines apart, and a line says so.
"""

import atexit
import fcntl
import getpass
import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths

_HELD = ExitStack()  # until this process ends


def engine(preset: str) -> None:
    """Lock the preset for this process; InputError if another engine, or a stage that one left running, works on it."""
    paths = Paths(preset)
    file = _open(paths.lock("engine"))
    if not _lock(file, fcntl.LOCK_EX):
        raise InputError(f"preset {preset}", f"{file.read().strip()} makes it in this folder already; wait for its end")
    file.truncate(0)
    file.write(f"process {os.getpid()} of {_user()} on {socket.gethostname()}")
    file.flush()
    with _open(paths.lock("stages")) as stages:  # released at once
        if not _lock(stages, fcntl.LOCK_EX):
            who = "a pcpg process of DVC, of a killed engine or started by hand"
            raise InputError(f"preset {preset}", f"{who} is still at work on it in this folder; wait for its end")
    _keep_dvc_off(paths)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number that has no name
        return f"user {os.getuid()}"


def stage(preset: str) -> None:
    """Show, until this process ends, that a stage works on the preset; InputError if the lock cannot be made."""
    _lock(_open(Paths(preset).lock("stages")), fcntl.LOCK_SH, wait=True)  # an engine holds it for a moment only


def _open(path: Path):
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _HELD.enter_context(open(path, "a+", encoding="utf-8"))
    except OSError as error:  # a full disk, or somebody else's folder
        raise InputError(path, f"cannot be locked: {error.strerror}") from None


def _lock(file, kind: int, wait: bool = False) -> bool:
    """Whether this process has the lock now; True also where the file system has no locks."""
    try:
        fcntl.flock(file, kind | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        file.seek(0)
        return False
    except OSError as error:
        print(f"{file.name}: no lock ({error.strerror}); nothing keeps two engines apart here", file=sys.stderr)
    return True


def _keep_dvc_off(paths: Paths) -> None:
    """Enter the preset's folders in DVC's list of what is being written: DVC deletes outputs before it runs a stage.

    DVC removes the entries of processes that have ended.
    """
    if not Path(".dvc").is_dir():
        return
    from dvc.exceptions import DvcException
    from dvc.fs import localfs
    from dvc.rwlock import rwlock

    Path(".dvc/tmp").mkdir(exist_ok=True)
    folders = [str(folder.absolute()) for folder in paths.outputs]
    try:
        _HELD.enter_context(rwlock(".dvc/tmp", localfs, "snakemake", [], folders, hardlink=False))
    except DvcException as error:
        raise InputError(".dvc/tmp/rwlock", " ".join(str(error).split())) from None
    atexit.register(_HELD.close)
