"""Minimum word (here: character) error rate over the N best texts of beam search (Prabhavalkar et al., 2018)."""

from typing import Annotated, Any

import torch
import torch.nn.functional as F
from pydantic import Field

from pcpg.objectives.base import Context, Losses, Objective
from pcpg.objectives.cross_entropy import cross_entropy, per_character
from pcpg.objectives.rewards import prefix_edit_distances
from pcpg.objectives.rollout import before_end, score, steps_taken
from pcpg.reader.batches import Batch
from pcpg.reader.decode import beam_search
from pcpg.reader.network import LipReader, Memory
from pcpg.reader.text import PAD
from pcpg.settings.keys import NotNegative


class MWER(Objective):
    hypotheses: Annotated[int, Field(ge=2, le=100)]  # N, the width of the beam; the reference need not be among them
    cross_entropy: NotNegative  # weight of the cross-entropy beside it

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Any = None) -> Losses:
        """One decoder pass scores the reference and the list; the beam runs in the same mode, on the same memory."""
        memory = model.encode(batch.frames, batch.lengths)
        with torch.no_grad():
            still = Memory(*(part.detach() for part in memory))
            best, _ = beam_search(model.decoder, still, self.hypotheses, context.max_length, length_normalisation=0.0)
        clips, steps = len(best), max(best.shape[2], batch.targets.shape[1])
        texts = torch.cat([_padded(batch.targets, steps)[:, None], _padded(best, steps)], dim=1)  # (N, 1 + H, U)
        log_probs = score(model, memory, texts.flatten(0, 1)).unflatten(0, (clips, -1))
        forced = log_probs[:, 0, : batch.targets.shape[1]]
        listed = _log_probability(log_probs[:, 1:].flatten(0, 1), texts[:, 1:].flatten(0, 1)).view(clips, -1)
        errors = error_rates(best, batch)
        risk = minimum_risk(listed, errors)
        ce = cross_entropy(forced, batch.targets)
        expected = 1 - (listed.detach().softmax(dim=1) * errors).sum(dim=1).mean()
        loss = risk + self.cross_entropy * ce
        return {"loss": loss, "ce": per_character(forced, batch), "mwer": risk, "reward": expected}


def minimum_risk(log_probs: torch.Tensor, errors: torch.Tensor) -> torch.Tensor:
    """Expected errors over a list, log p (N, H) of its texts normalised to sum to 1 -> scalar, the mean over clips.

    The mean of the list is taken off: it changes the value, and not the gradient.
    """
    q = log_probs.softmax(dim=1)
    return (q * (errors - errors.mean(dim=1, keepdim=True))).sum(dim=1).mean()


def error_rates(texts: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Character error rate of each of H texts a clip: (N, H, U) -> (N, H)."""
    clips, each, _ = texts.shape
    rows = texts.flatten(0, 1)
    lengths = (batch.target_lengths - 1).repeat_interleave(each)  # without the end symbol
    distances = prefix_edit_distances(rows, batch.targets.repeat_interleave(each, 0), lengths)
    return (distances.gather(1, before_end(rows)[:, None]).squeeze(1) / lengths).view(clips, each)


def _log_probability(log_probs: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
    """log p (R, U, C) of every step, texts (R, U) -> (R,), summed over the steps taken, the end symbol's included."""
    steps = log_probs.shape[1]
    chosen = log_probs.gather(2, texts[:, :steps, None]).squeeze(2)
    taken = torch.arange(steps, device=texts.device) < steps_taken(texts)[:, None]
    return chosen.masked_fill(~taken, 0.0).sum(dim=1)


def _padded(texts: torch.Tensor, steps: int) -> torch.Tensor:
    return F.pad(texts, (0, steps - texts.shape[-1]), value=PAD)
