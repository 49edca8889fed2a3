"""Reward-weighted regression: texts pushed up by exp(R / beta), normalised over a clip's (Peters and Schaal, 2007)."""

import torch

from pcpg.objectives.weighted import Seen, TextsOfAnyOrigin
from pcpg.settings.keys import Positive


class RWR(TextsOfAnyOrigin):
    beta: Positive  # towards 0 the best alone counts, towards infinity all count alike

    def weights(self, seen: Seen) -> torch.Tensor:
        return (seen.reward / self.beta).softmax(dim=1)
