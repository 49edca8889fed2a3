"""Where a training or an evaluation computes: on the processor or a GPU; of several GPUs, on one that is free."""

import fcntl
import os
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

import torch

from pcpg.workspace import parallel
from pcpg.workspace.errors import SettingError

_HELD = ExitStack()  # until this process ends


def choose_device(name: str) -> torch.device:
    """The device named "cpu" or "cuda"; for "auto" a GPU where there is one. One GPU a process.

    A process of several takes the GPU of its local rank, a single process the first that is free, unless
    CUDA_VISIBLE_DEVICES has chosen. SettingError where "cuda" is asked for and there is no GPU.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise SettingError("device", "cuda, but no GPU can be used here; cpu or auto")
    chosen = "LOCAL_RANK" in os.environ or "CUDA_VISIBLE_DEVICES" in os.environ
    return torch.device("cuda", parallel.local_rank() if chosen else _free_gpu(torch.cuda.device_count()))


def tell(device: torch.device) -> None:
    """Print the device on stderr; of several processes only the first does."""
    if parallel.rank() == 0:
        gpu = f", {torch.cuda.get_device_name(device)}" if device.type == "cuda" else ""
        print(f"device: {device}{gpu}", file=sys.stderr)


def _free_gpu(count: int) -> int:
    """Number of the first of `count` GPUs that no other process of ours has locked; with one GPU no lock is taken."""
    if count == 1:
        return 0
    for number in range(count):
        if _lock(Path(tempfile.gettempdir(), f"pcpg-gpu-{number}.lock")):
            return number
    print(f"device: each of the {count} GPUs here is at work for another job; the first is shared", file=sys.stderr)
    return 0


def _lock(path: Path) -> bool:
    """Whether this process has the lock now, until it ends; the file may be another user's."""
    with suppress(OSError), ExitStack() as opened:
        with suppress(PermissionError):
            path.touch()
        fcntl.flock(opened.enter_context(open(path)), fcntl.LOCK_EX | fcntl.LOCK_NB)
        _HELD.push(opened.pop_all())
        return True
    return False
