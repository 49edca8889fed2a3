"""Where one training runs and what it writes."""

from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass(frozen=True)
class Session:
    name: str  # on the progress bar
    seed: int
    device: torch.device
    precision: str  # float32 or bfloat16
    code: str  # checksum of the code that trains
    weights: Path  # model.pt
    history: Path  # a row an evaluation
    record: Path  # time, memory, device and commit: no result
    events: Path  # folder for TensorBoard
