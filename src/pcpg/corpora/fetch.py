"""One file from the web: resumed where it broke off, tried again after growing pauses, kept only if it is verified.

urllib3 asks again where a server does not answer or is busy; here is what it cannot know: that bytes are missing or
wrong.
"""

import hashlib
import os
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from pcpg.workspace.errors import InputError

TRIES = 6  # in a row without a new byte; urllib3 pauses 0, 2, 4, 8 and 16 s between them
LONGEST_PAUSE = 3600  # s; from a server that asks for more we come back another day
CHUNK = 1 << 16  # bytes; a broken connection loses less than that
TIMEOUT = (15, 60)  # s to connect, s without a byte
PASSING = {408, 425, 429, *range(500, 600)}  # statuses worth another try


@dataclass(frozen=True)
class Remote:
    """A file on a server, its size in bytes and its hash ("md5:<hex>", "sha256:<hex>"); None: nobody has told them."""

    url: str
    size: int | None = None
    checksum: str | None = None


class _Incomplete(Exception):
    """What came is not the whole file, or not that file."""


class _TooLong(Exception):
    """The server asks for a pause that nobody waits for."""


class _Pauses(Retry):
    """urllib3's pauses, each announced; _TooLong where one is, and no pause where its header cannot be read."""

    def sleep(self, response=None) -> None:
        pause = self.get_retry_after(response) if response else None
        pause = self.get_backoff_time() if pause is None else pause
        last = self.history[-1]
        problem = f"HTTP {last.status}" if last.status else str(last.error)
        if pause > LONGEST_PAUSE:
            raise _TooLong(f"{problem}; asks for a pause of {pause:.0f} s")
        tqdm.write(f"{last.url}: {problem}; next try in {pause:.0f} s", file=sys.stderr)
        time.sleep(pause)

    def get_retry_after(self, response) -> float | None:
        try:
            return super().get_retry_after(response)
        except InvalidHeader:
            return None


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


def fetch_file(remote: Remote, target: Path, *, tries: int = TRIES, bar: tqdm | None = None) -> None:
    """Make `target` the file at `remote`; where it is that already, no server is asked.

    What has come lies beside it as .part and is continued, now or by a later call; only what is verified takes the
    place of `target`. `bar` follows each byte, backwards too. Raises InputError that names URL and file after `tries`
    failures in a row without progress, and at once where another try is no use (status 404, a full disk).
    """
    target = Path(target)
    if intact(target, remote):
        return
    policy = _Pauses(
        tries - 1,
        status_forcelist=PASSING,
        backoff_factor=1,
        backoff_max=60,
        retry_after_max=sys.maxsize,
        raise_on_status=False,
    )
    pauses, furthest = policy, arrived(target)
    shown = progress(target.name, remote.size, furthest) if bar is None else nullcontext(bar)
    with requests.Session() as session, shown as bar:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=policy))
        while True:
            try:
                return _try(session, remote, target, bar)
            except _Incomplete as problem:
                if arrived(target) > furthest:  # never back, so that a server cannot keep us here for ever
                    pauses, furthest = policy, arrived(target)
                if not pauses.total:
                    raise _given_up(f"{problem}; given up after {tries} tries", remote, target) from None
                pauses = pauses.increment("GET", remote.url, error=problem)
                pauses.sleep()


def _given_up(problem: str, remote: Remote, target: Path) -> InputError:
    return InputError(remote.url, f"{problem}; {arrived(target)} bytes of {target} are there and will be continued")


def _try(session: requests.Session, remote: Remote, target: Path, bar: tqdm) -> None:
    if remote.size is None or arrived(target) > remote.size:
        _discard(target, bar)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if remote.size is None or arrived(target) < remote.size:
            with _ask(session, remote, target) as response:
                _receive(response, remote, target, bar)
        _accept(remote, target, bar)
    except requests.RequestException as error:  # while bytes came
        raise _Incomplete(f"the connection failed ({type(error).__name__})") from None
    except OSError as error:
        raise InputError(target, error.strerror or str(error)) from None


def _ask(session: requests.Session, remote: Remote, target: Path) -> requests.Response:
    """An answer that holds the bytes behind those that are there, or all, or says that there are no more."""
    have = arrived(target)
    headers = {"User-Agent": "pcpg", "Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    tries = session.adapters["https://"].max_retries.total + 1
    try:
        response = session.get(remote.url, headers=headers, stream=True, timeout=TIMEOUT)
    except _TooLong as error:
        raise _given_up(str(error), remote, target) from None
    except requests.RequestException as error:
        if isinstance(error, ValueError):  # the URL itself is wrong
            raise InputError(remote.url, str(error)) from None
        problem = f"the connection failed ({type(error).__name__}); given up after {tries} tries"
        raise _given_up(problem, remote, target) from None
    status = f"HTTP {response.status_code} {response.reason}"
    if response.status_code in PASSING:
        raise _given_up(f"{status}; given up after {tries} tries", remote, target)
    if response.status_code not in (200, 206, 416):
        raise InputError(remote.url, f"{status}; wanted for {target}")
    return response


def _receive(response: requests.Response, remote: Remote, target: Path, bar: tqdm) -> None:
    """Append what is missing; from a server that ignores Range, take all from the beginning."""
    have = arrived(target)
    if response.status_code == 416:  # nothing follows what we have, and that is too little
        _discard(target, bar)
        raise _Incomplete(f"HTTP 416: the server's file has fewer than {remote.size} bytes")
    if response.status_code != 206:
        _discard(target, bar)
    elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        _discard(target, bar)
        raise _Incomplete("the server sent another part than the one asked for")
    with open(unfinished(target), "ab") as file:
        for chunk in response.iter_content(CHUNK):
            file.write(chunk)
            bar.update(len(chunk))
            if remote.size is not None and file.tell() > remote.size:
                break  # _accept refuses it


def _accept(remote: Remote, target: Path, bar: tqdm) -> None:
    """The unfinished file under its name if it is what it should be; else it goes, unless there is more to come."""
    size = arrived(target)
    if intact(unfinished(target), remote):
        os.replace(unfinished(target), target)
    elif remote.size is not None and size < remote.size:
        raise _Incomplete(f"ended after {size} of {remote.size} bytes")
    else:
        _discard(target, bar)
        longer = remote.size is not None and size > remote.size
        raise _Incomplete(f"more than {remote.size} bytes came" if longer else f"what came is not {remote.checksum}")


def _discard(target: Path, bar: tqdm) -> None:
    bar.update(-arrived(target))
    unfinished(target).unlink(missing_ok=True)
