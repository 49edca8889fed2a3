"""One file from the web: resumed where it broke off, tried again after growing pauses, kept only if it is verified."""

import hashlib
import os
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import requests
from tqdm import tqdm
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

from pcpg.workspace.errors import InputError

TRIES = 6  # in a row without a new byte; the pauses between them are 0, 2, 4, 8 and 16 s
LONGEST_PAUSE = 3600  # s; if a server asks for a longer one, we give up
CHUNK = 1 << 16  # bytes; a broken connection loses less than that
TIMEOUT = (15, 60)  # s to connect, s without a byte
PASSING = {408, 425, 429, *range(500, 600)}  # statuses worth another try


@dataclass(frozen=True)
class Remote:
    """A file on a server, its size in bytes and its hash ("md5:<hex>", "sha256:<hex>"); None: not known."""

    url: str
    size: int | None = None
    checksum: str | None = None


class _TryAgain(Exception):
    """This try failed, the next may not; `asked` is the server's header Retry-After."""

    def __init__(self, problem: str, asked: str = ""):
        super().__init__(problem)
        self.asked = asked


def progress(title: str, total: int | None, done: int) -> tqdm:
    """A bar in bytes with rate and remaining time; `done` bytes were there before and do not count for the rate."""
    return tqdm(desc=title, total=total, initial=done, unit="B", unit_scale=True, mininterval=1.0)


def unfinished(target: Path) -> Path:
    """Where `target` grows until it is whole and verified."""
    return target.with_name(f"{target.name}.part")


def arrived(target: Path) -> int:
    """Bytes of the unfinished `target`."""
    part = unfinished(target)
    return part.stat().st_size if part.is_file() else 0


def intact(path: Path, remote: Remote) -> bool:
    """Whether `path` is there and has the size and the hash of `remote`, as far as these are known."""
    if not path.is_file() or remote.size not in (None, path.stat().st_size):
        return False
    if remote.checksum is None:
        return True
    kind, _, digest = remote.checksum.partition(":")
    with open(path, "rb") as file:
        # MD5 is all that Zenodo gives; systems that forbid it for security allow it for this
        actual = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False))
    return actual.hexdigest() == digest.lower()


def fetch_file(remote: Remote, target: Path, bar: tqdm | None = None) -> None:
    """Make `target` the file at `remote`; where it is that already, no server is asked.

    What has come lies beside it as .part and is continued, now or by a later call; only what is verified takes the
    place of `target`. `bar` follows each byte, backwards too. Raises InputError that names URL and file after TRIES
    failures in a row without progress, and at once where another try is no use (status 404, a full disk).
    """
    target = Path(target)
    if intact(target, remote):
        return
    fresh = left = Retry(TRIES - 1, backoff_factor=1, backoff_max=60, retry_after_max=sys.maxsize)
    furthest = arrived(target)
    with progress(target.name, remote.size, furthest) if bar is None else nullcontext(bar) as bar:
        while True:
            try:
                return _try(remote, target, bar)
            except _TryAgain as problem:
                if arrived(target) > furthest:  # only forward, so that a server cannot keep us here for ever
                    left, furthest = fresh, arrived(target)
                left = _wait(problem, left, remote, target)


def _try(remote: Remote, target: Path, bar: tqdm) -> None:
    if remote.size is None or arrived(target) > remote.size:
        _discard(target, bar)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if remote.size is None or arrived(target) < remote.size:
            _transfer(remote, target, bar)
        _accept(remote, target, bar)
    except requests.RequestException as error:
        if isinstance(error, ValueError):  # the URL itself is wrong
            raise InputError(remote.url, str(error)) from None
        raise _TryAgain(f"the connection failed ({type(error).__name__})") from None
    except OSError as error:
        raise InputError(target, error.strerror or str(error)) from None


def _transfer(remote: Remote, target: Path, bar: tqdm) -> None:
    """Append what is missing; from a server that ignores Range, take all from the beginning."""
    have = arrived(target)
    headers = {"User-Agent": "pcpg", "Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(remote.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        _check_status(response, remote, target, bar)
        if response.status_code != 206:
            _discard(target, bar)
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            _discard(target, bar)
            raise _TryAgain("the server sent another part than the one asked for")
        with open(unfinished(target), "ab") as file:
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
                if remote.size is not None and file.tell() > remote.size:
                    break  # _accept refuses it


def _check_status(response: requests.Response, remote: Remote, target: Path, bar: tqdm) -> None:
    status = f"HTTP {response.status_code} {response.reason}"
    if response.status_code == 416:  # the server's file ends where ours does, and is too short
        _discard(target, bar)
        raise _TryAgain(f"{status}: the server's file has fewer than {remote.size} bytes")
    if response.status_code in PASSING:
        raise _TryAgain(status, response.headers.get("Retry-After", ""))
    if response.status_code not in (200, 206):
        raise InputError(remote.url, f"{status}; wanted for {target}")


def _accept(remote: Remote, target: Path, bar: tqdm) -> None:
    """The unfinished file under its name if it is what it should be; else it goes, unless there is more to come."""
    size = arrived(target)
    if intact(unfinished(target), remote):
        os.replace(unfinished(target), target)
    elif remote.size is not None and size < remote.size:
        raise _TryAgain(f"ended after {size} of {remote.size} bytes")
    else:
        _discard(target, bar)
        longer = remote.size is not None and size > remote.size
        raise _TryAgain(f"more than {remote.size} bytes came" if longer else f"what came is not {remote.checksum}")


def _discard(target: Path, bar: tqdm) -> None:
    bar.update(-arrived(target))
    unfinished(target).unlink(missing_ok=True)


def _wait(problem: _TryAgain, left: Retry, remote: Remote, target: Path) -> Retry:
    """Sleep before the next try; returns the remaining retries. InputError if there are none."""
    give_up = ""
    try:
        left = left.increment("GET", remote.url, error=problem)
        pause = left.parse_retry_after(problem.asked) if problem.asked else left.get_backoff_time()
        if pause > LONGEST_PAUSE:
            give_up = f"asks for a pause of {pause:.0f} s"
    except MaxRetryError:
        give_up = f"given up after {len(left.history) + 1} tries"
    except InvalidHeader:
        pause = left.get_backoff_time()
    if give_up:
        state = f"{arrived(target)} bytes of {target} are there and will be continued"
        raise InputError(remote.url, f"{problem}; {give_up}; {state}")
    tqdm.write(f"{target.name}: {problem}; next try in {pause:.0f} s", file=sys.stderr)
    time.sleep(pause)
    return left
