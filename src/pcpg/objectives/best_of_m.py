"""Only the best of M texts is made likelier: none is made less likely (control; Tajwar et al., 2024)."""

from typing import ClassVar

import torch

from pcpg.objectives.weighted import Samples, TextsOfAnyOrigin


class BestOfM(TextsOfAnyOrigin):
    ranks: ClassVar[bool] = True

    def weights(self, samples: Samples) -> torch.Tensor:
        return best(samples.reward)


def best(reward: torch.Tensor) -> torch.Tensor:
    """(N, M) -> 1 for each clip's best text (the first of equals), else 0."""
    return torch.zeros_like(reward).scatter(1, reward.argmax(dim=1, keepdim=True), 1.0)
