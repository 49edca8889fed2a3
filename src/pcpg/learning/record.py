"""What a training leaves beside its weights: the history of its evaluations, and a record of the resources it took.

The record differs from run to run, so no result but the seconds of an update is computed from it.
"""

import json
import platform
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel
from torch import nn

from pcpg.learning.session import Session
from pcpg.workspace import parallel
from pcpg.workspace.files import write_text
from pcpg.workspace.rows import write_csv

HERE = Path(__file__).parents[1]  # the package


def peak_memory(device: torch.device) -> int:
    """Bytes: on a GPU the most that tensors took, on a CPU the largest resident size of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def device_name(device: torch.device) -> str:
    """The model of the GPU or CPU that the training ran on, with the number of threads of a CPU."""
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


def write_record(session: Session, model: nn.Module, progress: Any, settings: Mapping[str, BaseModel]) -> None:
    """Time and memory of one training and where it ran; progress: a pcpg.learning.loop.Progress."""
    record = {
        "commit": commit(),
        "seed": session.seed,
        "device": device_name(session.device),
        "precision": session.precision,
        "processes": parallel.world(),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "updates": progress.done,
        "seconds": round(progress.seconds, 1),
        "peak_memory_mib": round(progress.peak / 2**20),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "settings": {name: part.model_dump() for name, part in settings.items()},
    }
    write_text(session.record, json.dumps(record, indent=2, default=str) + "\n")


def write_history(path: Path, rows: list[dict]) -> None:
    """One row an evaluation, without clock times, so that the same run gives the same bytes.

    Columns in the order of the last row; a value that a row lacks stays empty.
    """
    write_csv(path, list(rows[-1]), ({key: _shown(value) for key, value in row.items()} for row in rows))


def _shown(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value
