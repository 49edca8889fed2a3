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
    weights: Path  # model.pt
    outcome: Path  # folder of history.csv and metrics.json
    events: Path  # folder for TensorBoard
