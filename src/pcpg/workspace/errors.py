"""Errors as a user reads them: one line, for a wrong input and for what the machine refuses."""

import errno
from concurrent.futures.process import BrokenProcessPool

# Shortages may pass, refusals are the machine's; any other unexpected OSError is a bug of pcpg and keeps its traceback.
OPEN_FILES = {errno.EMFILE, errno.ENFILE}
SHORTAGES = {errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EAGAIN} | OPEN_FILES
REFUSALS = SHORTAGES | {errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE}
NO_PLACE = {
    errno.ENOENT,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ELOOP,
}  # what can be wrong with a path
MEMORY = ("out of memory", "can't allocate memory", "bad_alloc", "can't start new thread", "Cannot allocate memory",
          "failed to map segment")  # of torch, Python and the loader of libraries  # fmt: skip
NO_CODE = "could not create a primitive"  # of oneDNN, when there is no memory for the code that it compiles


class InputError(ValueError):
    """Something the user gave is wrong: one line that names the file and, where there is one, the key or line."""

    def __init__(self, where: object, problem: str):
        super().__init__(one_line(f"{where}: {problem}"))


class SettingError(InputError):
    """A wrong value in the parameter file, found by code that does not know the file; the command line adds it."""


def one_line(text: str) -> str:
    """`text` with line breaks and unprintable characters escaped as Python does: names of files may hold anything."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def shortage(error: BaseException) -> bool:
    """Whether memory, disk or open files ran short, which is no fault of the item that was being worked on."""
    if isinstance(error, OSError) and error.errno in SHORTAGES:
        return True
    if isinstance(error, RuntimeError | ImportError):
        return str(error) == NO_CODE or any(text in str(error) for text in MEMORY)
    return isinstance(error, MemoryError)


def misplaced(error: BaseException) -> InputError | None:
    """What is wrong with the path that an OSError names; None for any other error."""
    named = isinstance(error, OSError) and error.filename and error.errno in NO_PLACE
    return InputError(error.filename, error.strerror) if named else None


def refusal(error: BaseException) -> str | None:
    """One line for disk, rights or memory that the machine refused; None for any other error."""
    text = str(error).split("\n")[0]
    if isinstance(error, BrokenProcessPool):
        return "one of its processes was killed; if by the system, memory was short: fewer `workers` need less"
    if isinstance(error, OSError):
        half = error.errno is None and "written" in text  # numpy's words for a full disk
        return f"{error.filename or 'writing'}: {error.strerror or text}" if half or error.errno in REFUSALS else None
    return f"out of memory: {text or type(error).__name__}" if shortage(error) else None
