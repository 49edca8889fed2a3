"""The saved state of an unfinished training: written while it runs, removed at its end, used only by the same one."""

import hashlib
import sys
import time
from pathlib import Path

import torch

from pcpg.learning.session import Session
from pcpg.mouths.store import ClipStore
from pcpg.reader import checkpoint
from pcpg.workspace import numerics, parallel
from pcpg.workspace.errors import InputError


def fingerprint(session: Session, settings: list, store: ClipStore, start: Path | None = None) -> str:
    """Checksum of all that trained weights depend on: settings, clips, start, code, torch, numerics, processes."""
    where = (session.seed, session.device.type, session.precision, torch.get_num_threads(), parallel.world())
    where += numerics.in_use()
    digest = hashlib.sha256(repr([*settings, where, session.code, torch.__version__, store.text]).encode())
    if start is not None:
        digest.update(start.read_bytes())
    return digest.hexdigest()


class Resume:
    """The file that holds the state of an unfinished training, beside the weights that it will write.

    It is no output that the engines know: those they delete before a job runs and after one fails.
    """

    def __init__(self, weights: Path, identity: str):
        self.path, self.identity, self.saved = weights.with_name("resume.pt"), identity, time.monotonic()

    def age(self) -> float:
        """Seconds since the last save."""
        return time.monotonic() - self.saved

    def load(self) -> dict | None:
        """None if there is no saved state or it is of another training (then prints one line)."""
        if not self.path.is_file():
            return None
        try:
            content = checkpoint.read(self.path)
            if not isinstance(content, dict) or not content.keys() >= {"identity", "state"}:
                raise InputError(self.path, "is not the saved state of a training")
            if content["identity"] != self.identity:
                raise InputError(self.path, "saved by a training of other settings, code or weights")
        except InputError as error:
            if parallel.rank() == 0:
                print(f"{error}; the training begins anew", file=sys.stderr)
            return None
        return content["state"]

    def save(self, state: dict) -> None:
        checkpoint.save(self.path, {"identity": self.identity, "state": state})
        self.saved = time.monotonic()

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
