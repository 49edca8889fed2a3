"""Minimum word (here: character) error rate over the N best texts of beam search (Prabhavalkar et al., 2018)."""

from typing import Annotated, Any

import torch
from pydantic import Field

from pcpg.objectives.base import Context, Losses, Objective
from pcpg.objectives.cross_entropy import cross_entropy, per_character
from pcpg.objectives.policy import log_policy
from pcpg.objectives.rewards import whole_distances
from pcpg.objectives.rollout import score
from pcpg.reader.batches import Batch
from pcpg.reader.decode import beam_search
from pcpg.reader.network import LipReader, Memory
from pcpg.settings.keys import NotNegative


class MWER(Objective):
    hypotheses: Annotated[int, Field(ge=2, le=100)]  # N, the width of the beam; the reference need not be among them
    cross_entropy: NotNegative  # weight of the cross-entropy that is added

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Any = None) -> Losses:
        """One decoder pass scores the reference and the list; the beam runs in the same mode, on the same memory."""
        memory = model.encode(batch.frames, batch.lengths)
        with torch.no_grad():
            constant = Memory(*(part.detach() for part in memory))
            best, _ = beam_search(model.decoder, constant, self.hypotheses, context.max_length, 0.0, log_policy)
        rollout = score(model, memory, batch, best.flatten(0, 1))
        listed = rollout.log_p.sum(dim=1).view(len(best), -1)
        errors = error_rates(best, batch)
        risk = minimum_risk(listed, errors)
        ce = cross_entropy(rollout.forced, batch.targets)
        expected = 1 - (listed.detach().softmax(dim=1) * errors).sum(dim=1).mean()
        loss = risk + self.cross_entropy * ce
        return {"loss": loss, "ce": per_character(rollout.forced, batch), "mwer": risk, "reward": expected}


def minimum_risk(log_probs: torch.Tensor, errors: torch.Tensor) -> torch.Tensor:
    """Expected errors over a list, log p (N, H) of its texts normalised to sum to 1 -> scalar, the mean over clips.

    The list's mean is subtracted, which changes the value and not the gradient.
    """
    q = log_probs.softmax(dim=1)
    return (q * (errors - errors.mean(dim=1, keepdim=True))).sum(dim=1).mean()


def error_rates(texts: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Character error rate of each of H texts a clip: (N, H, U) -> (N, H)."""
    wrong, lengths = whole_distances(texts.flatten(0, 1), batch)
    return (wrong / lengths).view(texts.shape[:2])
