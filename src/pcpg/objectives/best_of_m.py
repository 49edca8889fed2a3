"""The best of M texts alone is pushed up: no text is pushed down (control; Tajwar et al., 2024)."""

from typing import ClassVar

import torch

from pcpg.objectives.weighted import Seen, TextsOfAnyOrigin


class BestOfM(TextsOfAnyOrigin):
    ranks: ClassVar[bool] = True

    def weights(self, seen: Seen) -> torch.Tensor:
        return best(seen.reward)


def best(reward: torch.Tensor) -> torch.Tensor:
    """(N, M) -> 1 for each clip's best, the first of several, else 0."""
    return torch.zeros_like(reward).scatter(1, reward.argmax(dim=1, keepdim=True), 1.0)
