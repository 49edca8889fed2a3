"""provenance.json: how a run's weights came about. No result is computed from it, and it differs from run to run."""

import json
import platform
import resource
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

from pcpg.learning import history
from pcpg.learning.session import Session
from pcpg.settings.schema import to_plain
from pcpg.workspace import parallel
from pcpg.workspace.files import sha256, write_text

HERE = Path(__file__).parents[1]  # the package


def peak_memory(device: torch.device) -> int:
    """Bytes: of the GPU's memory what tensors took at most, on a CPU the largest resident size of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def device_name(device: torch.device) -> str:
    """The model of the processor that the training ran on, with the threads where it is a CPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{_processor()}, {threads} thread{'s'[: threads != 1]}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def commit() -> str | None:
    """The commit of the sources that run, with "+ changes" where they differ from it; None outside a repository."""
    try:
        head, changes = (
            subprocess.run(["git", "-C", HERE, *command], capture_output=True, text=True, check=True).stdout.strip()
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "--", "."])
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{head} + changes" if changes else head


def write(
    session: Session, settings: Iterable[object], model: nn.Module, updates: int, seconds: float, peak: int
) -> None:
    """Beside the history that the training has written.

    seconds: of the training and its validations, over all its parts where it was broken off. peak: bytes.
    """
    record = {
        "commit": commit(),
        "seed": session.seed,
        "device": device_name(session.device),
        "precision": session.precision,
        "processes": parallel.world(),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "updates": updates,
        "seconds": round(seconds, 1),
        "peak_memory_mib": round(peak / 2**20),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        history.SUM: sha256(session.outcome / history.NAME),
        "settings": {type(part).__name__: to_plain(part) for part in settings},
    }
    write_text(session.outcome / history.RECORD, json.dumps(record, indent=2, default=str) + "\n")
