"""What `ipo` and `dpo` share: pairs of texts of a clip, ranked by their reward; ties are no pairs."""

from typing import ClassVar

import torch

from pcpg.objectives.weighted import Samples, TextsOfAnyOrigin
from pcpg.settings.keys import Positive


class RankedPairs(TextsOfAnyOrigin):
    """Sums of log p over steps, so beta is per sequence."""

    beta: Positive
    needs_anchor: ClassVar[bool] = True
    ranks: ClassVar[bool] = True

    def weights(self, samples: Samples) -> torch.Tensor:
        return of_pairs(samples.reward, self.strength(margins(samples.log_ratio)))

    def strength(self, margin: torch.Tensor) -> torch.Tensor:
        """Margin h_w - h_l (N, M, M) -> (N, M, M): the weight of the better text w, and minus that of the worse l."""
        raise NotImplementedError


def margins(log_ratio: torch.Tensor) -> torch.Tensor:
    """h (N, M) -> (N, M, M): h_i - h_j."""
    return log_ratio[:, :, None] - log_ratio[:, None, :]


def of_pairs(reward: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
    """reward (N, M), strength (N, M, M) -> weights (N, M): the mean over a clip's pairs i, j with R_i > R_j.

    0 where a clip has no such pair.
    """
    better = reward[:, :, None] > reward[:, None, :]
    strength = strength.masked_fill(~better, 0.0)
    pairs = better.sum(dim=(1, 2)).clamp(min=1)[:, None]
    return (strength.sum(dim=2) - strength.sum(dim=1)) / pairs
