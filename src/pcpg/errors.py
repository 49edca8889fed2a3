"""What a user is meant to read: one line, whether what they gave is wrong or the machine refused."""

import errno
from concurrent.futures.process import BrokenProcessPool

# What the machine refuses; any other OSError that nobody expected is a mistake in the code.
REFUSALS = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO", "ENOMEM", "EMFILE", "ENFILE", "ESTALE")
}


class InputError(ValueError):
    """Something the user gave is wrong: one line that names the file and, where there is one, the key or line."""

    def __init__(self, where: object, problem: str):
        super().__init__(f"{where}: {problem}")


def refusal(error: BaseException) -> str | None:
    """One line for disk, rights or memory that the machine refused; None for any other error."""
    text = str(error).split("\n")[0]
    if isinstance(error, BrokenProcessPool):
        return "one of its processes was killed; if by the system, memory was short: fewer `workers` need less"
    if isinstance(error, MemoryError):
        return f"out of memory: {text}" if text else "out of memory"
    if isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text):  # torch
        return f"out of memory: {text}"
    if isinstance(error, OSError) and (error.errno in REFUSALS or ("written" in text and error.errno is None)):  # numpy
        return f"{error.filename or 'writing'}: {error.strerror or text}"
    return None
