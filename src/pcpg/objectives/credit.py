"""What each step of a text still earns, for objectives that give credit by the step."""

import torch

from pcpg.objectives.rewards import returns, rewards
from pcpg.objectives.rollout import before_end, steps_taken
from pcpg.reader.batches import Batch
from pcpg.reader.padding import within


def to_come(texts: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Reward to come of each step / |S|, not discounted: (N * M, U) -> (N * M, U), M texts a clip side by side."""
    each = len(texts) // len(batch.targets)
    lengths = batch.target_lengths.repeat_interleave(each) - 1  # without the end symbol
    earned = rewards(texts, before_end(texts), batch.targets.repeat_interleave(each, 0), lengths)
    return returns(earned, steps_taken(texts), 1.0, "step") / lengths[:, None]


def taken(texts: torch.Tensor) -> torch.Tensor:
    """(N, U) -> bool (N, U): the steps up to and with the end symbol."""
    return within(steps_taken(texts), texts.shape[1])
