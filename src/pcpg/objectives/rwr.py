"""Reward-weighted regression: texts weighted by exp(R / beta), normalised over a clip's (Peters and Schaal, 2007)."""

import torch

from pcpg.objectives.weighted import Samples, TextsOfAnyOrigin
from pcpg.settings.keys import Positive


class RWR(TextsOfAnyOrigin):
    beta: Positive  # near 0 only the best text counts, near infinity all count the same

    def weights(self, samples: Samples) -> torch.Tensor:
        return (samples.reward / self.beta).softmax(dim=1)
