"""Direct preference optimisation on texts ranked by their error (Rafailov et al., 2023; Tajwar et al., 2024)."""

import torch

from pcpg.objectives.pairs import RankedPairs


class DPO(RankedPairs):
    """- log sigmoid(beta (h_w - h_l)); both texts may become less likely, if the worse one does so more."""

    def strength(self, margin: torch.Tensor) -> torch.Tensor:
        return self.beta * torch.sigmoid(-self.beta * margin)
