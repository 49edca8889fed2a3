"""Optimal completion distillation: on the decoder's own prefixes, the next characters of optimal completions.

Sabour, Chan and Norouzi, 2019; the limit of softmax(Q* / tau) for tau towards 0.
"""

from typing import Any

import torch

from pcpg.objectives.base import Context, Losses, Objective
from pcpg.objectives.cross_entropy import per_character
from pcpg.objectives.rewards import edit_distances, whole_distances
from pcpg.objectives.rollout import sample, steps_taken
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader
from pcpg.reader.padding import within
from pcpg.reader.text import CLASSES, END
from pcpg.settings.keys import Count


class OCD(Objective):
    samples: Count  # texts a clip, drawn from the policy

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Any = None) -> Losses:
        """Cross-entropy to the uniform distribution over optimal next characters, at each step that a sample took."""
        memory = model.encode(batch.frames, batch.lengths)
        rollout = sample(model, memory, batch, context.max_length, samples=self.samples)
        wrong, lengths = whole_distances(rollout.sampled, batch)
        optimal = optimal_characters(rollout.sampled, batch.targets.repeat_interleave(self.samples, 0), lengths)
        loss = distil(rollout.log_probs, optimal, steps_taken(rollout.sampled))
        return {"loss": loss, "ce": per_character(rollout.forced, batch), "reward": (1 - wrong / lengths).mean()}


def optimal_characters(hyp: torch.Tensor, ref: torch.Tensor, ref_lengths: torch.Tensor) -> torch.Tensor:
    """Which characters keep the lowest reachable edit distance: hyp (N, U), ref (N, S) -> bool (N, U, CLASSES).

    At step u these are ref[k] of every k at which ED(hyp[:u], ref[:k]) is least, END for k = |ref|: a set, in which a
    character reached by two k counts once.
    """
    places = torch.arange(ref.shape[1] + 1, device=ref.device)
    following = torch.cat([ref, torch.full_like(ref[:, :1], END)], dim=1)
    following = following.masked_fill(places == ref_lengths[:, None], END)
    distances = edit_distances(hyp, ref)[:, :-1]  # (N, U, S + 1)
    distances = distances.masked_fill(places > ref_lengths[:, None, None], ref.shape[1] + hyp.shape[1] + 1)
    least = distances == distances.min(dim=2, keepdim=True).values
    optimal = torch.zeros(*hyp.shape, CLASSES, dtype=torch.bool, device=ref.device)
    return optimal.long().scatter_add_(2, following[:, None].expand(distances.shape), least.long()).bool()


def distil(log_probs: torch.Tensor, optimal: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """log_probs (N, U, C), optimal (N, U, C), lengths (N,) steps taken -> scalar: sum over steps, mean over texts."""
    target = optimal / optimal.sum(dim=2, keepdim=True)
    taken = within(lengths, log_probs.shape[1])
    return -((target * log_probs).sum(dim=2) * taken).sum(dim=1).mean()
