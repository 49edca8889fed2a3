"""REINFORCE with the mean of the other samples as baseline (Williams 1992; Ahmadian et al. 2024), a reward a sequence.

With `scale: group` the advantages are divided by their deviation over the samples of a clip, as in GRPO (Shao et al.
2024), but summed over steps and without clipping, so that only the scale differs.
"""

from typing import Literal

import torch

from pcpg.objectives.weighted import Samples, WeightedTexts, root

TINY = 1e-4  # added to the deviation, as in TRL


class RLOO(WeightedTexts):
    scale: Literal["none", "group"]

    def weights(self, samples: Samples) -> torch.Tensor:
        return advantages(samples.reward, self.scale) / samples.reward.shape[1]


def advantages(reward: torch.Tensor, scale: str = "none") -> torch.Tensor:
    """(N, M) -> (N, M): minus the mean of the clip's other samples; "group": minus the mean of all, over the deviation.

    The deviation is that of a sample (M - 1). Samples with equal rewards have no advantage.
    """
    samples = reward.shape[1]
    centred = reward - reward.mean(dim=1, keepdim=True)
    if scale == "none":
        return centred * (samples / (samples - 1))
    variance = centred.square().sum(dim=1, keepdim=True) / (samples - 1)
    return centred / (root(variance) + TINY)
