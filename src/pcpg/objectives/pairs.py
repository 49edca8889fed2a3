"""What `ipo` and `dpo` share: pairs of texts of a clip, ranked by their reward; ties are no pairs."""

from typing import ClassVar

import torch

from pcpg.objectives.weighted import Seen, TextsOfAnyOrigin
from pcpg.settings.keys import Positive


class RankedPairs(TextsOfAnyOrigin):
    """Sums of log p over steps, so beta is per sequence."""

    beta: Positive
    compares: ClassVar[bool] = True
    ranks: ClassVar[bool] = True

    def weights(self, seen: Seen) -> torch.Tensor:
        return of_pairs(seen.reward, self.strength(margins(seen.above_start)))

    def strength(self, margin: torch.Tensor) -> torch.Tensor:
        """h_w - h_l -> how hard the better is pushed up and the worse down."""
        raise NotImplementedError


def margins(above_start: torch.Tensor) -> torch.Tensor:
    """h (N, M) -> (N, M, M): h_i - h_j."""
    return above_start[:, :, None] - above_start[:, None, :]


def of_pairs(reward: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
    """reward (N, M), strength (N, M, M) of i above j -> (N, M): the mean over a clip's pairs with R_i > R_j.

    0 where a clip has no such pair.
    """
    better = reward[:, :, None] > reward[:, None, :]
    pushed = strength.masked_fill(~better, 0.0)
    pairs = better.sum(dim=(1, 2)).clamp(min=1)[:, None]
    return (pushed.sum(dim=2) - pushed.sum(dim=1)) / pairs
