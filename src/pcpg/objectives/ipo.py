"""Identity preference optimisation on texts ranked by their error (Azar et al., 2023; Tajwar et al., 2024)."""

import torch

from pcpg.objectives.pairs import RankedPairs


class IPO(RankedPairs):
    """(h_w - h_l - 1 / (2 beta))^2: the log ratios of a better and a worse text are to differ by 1 / (2 beta)."""

    def strength(self, margin: torch.Tensor) -> torch.Tensor:
        return -2 * (margin - 1 / (2 * self.beta))
