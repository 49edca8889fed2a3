"""Proximal policy optimisation (Schulman et al., 2017): several updates on the same samples, their ratios clipped.

A step's ratio is p / p_old, p_old that of the policy that drew the samples; both have the same dropout masks. With one
update a draw and a value head it is the actor-critic of Bahdanau et al. (2017).
"""

from typing import Annotated, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import nn

from pcpg.objectives.base import Context, Losses
from pcpg.objectives.rewards import reward_to_go
from pcpg.objectives.rloo import advantages
from pcpg.objectives.rollout import Rollout, score, taken
from pcpg.objectives.weighted import Samples, WeightedTexts, logged, root, samples_of
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader
from pcpg.reader.text import CLASSES
from pcpg.settings.keys import Count, Positive, refuse


class PPO(WeightedTexts):
    updates: Annotated[Count, Field(le=100)]  # on each draw
    clip: Positive | None  # beyond 1 -+ clip, on the side of its advantage, a step has no gradient; null: no limit
    value: Positive | None  # weight of a value head's squared error; null: the other samples' mean is the baseline

    @model_validator(mode="after")
    def _check_clip(self):
        refuse(self.clip is not None and self.updates == 1, "clip", "has no effect with updates: 1; set it to null")
        return self

    @property
    def passes(self) -> int:
        return self.updates

    def own_parameters(self, model: LipReader) -> nn.Module | None:
        return None if self.value is None else ExtraModules(ValueHead())

    def draw(self, model: LipReader, batch: Batch, context: Context) -> Rollout:
        return self.rollout_of(model, batch, context)

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Rollout | None = None) -> Losses:
        """drawn: None with one update a draw, which draws and scores at once."""
        if drawn is None:
            rollout = self.rollout_of(model, batch, context)
            old_log_p = rollout.log_p.detach()
        else:
            memory, forcing = model.encode(batch.frames, batch.lengths), self.cross_entropy.teacher_forcing
            rollout = score(model, memory, batch, drawn.sampled, self.temperature, drawn.kept, forcing)
            old_log_p = drawn.log_p
        anchor = self.anchor_log_probs(rollout, batch, context)
        samples = samples_of(rollout, anchor, batch)
        advantage, value_loss = self.advantage_and_value_loss(samples, rollout, batch, context)
        surrogate = clipped_surrogate(rollout.log_p, old_log_p, advantage, taken(rollout.sampled), self.clip)
        policy_loss = -surrogate.value.sum() / len(rollout.sampled)
        losses = self.total(policy_loss, rollout, anchor, batch) | logged(samples)
        losses["loss"] = losses["loss"] + value_loss
        return losses | {"ratio_sd": surrogate.log_ratio_rms, "clipped": surrogate.clipped}

    def advantage_and_value_loss(
        self, samples: Samples, rollout: Rollout, batch: Batch, context: Context
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """-> advantage of each step taken (N * M, U), without gradient, and the value head's loss."""
        mask, reward = taken(rollout.sampled), self.with_kl_in_reward(samples).reward
        if self.value is None:
            return advantages(reward).flatten()[:, None] * mask, reward.new_zeros(())
        penalty = samples.reward - reward  # the KL penalty of a text counts at each of its steps
        to_go = reward_to_go(rollout.sampled, batch) - penalty.flatten()[:, None]
        value = context.own.value(rollout.log_probs.detach())
        error = ((value - to_go).square() * mask).sum(dim=1).mean()
        return (to_go - value.detach()) * mask, self.value * error


class ExtraModules(nn.Module):
    """What is trained, or kept, beside the network."""

    def __init__(self, value: nn.Module | None = None, mask: LipReader | None = None):
        super().__init__()
        self.value, self.mask = value, mask
        self.register_buffer("draws", torch.zeros((), dtype=torch.long))


class ValueHead(nn.Linear):
    """Predicts the reward to go from log p of the next character; 0 before training."""

    def __init__(self):
        super().__init__(CLASSES, 1)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, log_probs: torch.Tensor) -> torch.Tensor:
        """(N, U, C) -> (N, U)."""
        return super().forward(log_probs.exp()).squeeze(2)


class Surrogate(NamedTuple):
    value: torch.Tensor  # (N, U) to be maximised
    clipped: torch.Tensor  # share of the steps with an advantage that have no gradient
    log_ratio_rms: torch.Tensor  # root mean square of log ratio over the steps taken


def clipped_surrogate(
    log_p: torch.Tensor, old_log_p: torch.Tensor, advantage: torch.Tensor, mask: torch.Tensor, clip: float | None
) -> Surrogate:
    """min(rho A, clip(rho, 1 - clip, 1 + clip) A) of each step, rho = p / p_old.

    log_p, old_log_p, advantage (N, U), 0 where no step was taken; mask bool (N, U), the steps taken.
    """
    log_ratio = log_p - old_log_p
    ratio = log_ratio.exp()
    log_ratio_rms = root((log_ratio.detach().square() * mask).sum() / mask.sum().clamp(min=1))
    if clip is None:
        return Surrogate(ratio * advantage, ratio.new_zeros(()), log_ratio_rms)
    clipped_ratio = ratio.clamp(1 - clip, 1 + clip)
    beyond = ((ratio > 1 + clip) & (advantage > 0)) | ((ratio < 1 - clip) & (advantage < 0))
    clipped = beyond.sum() / (advantage != 0).sum().clamp(min=1)
    return Surrogate(torch.minimum(ratio * advantage, clipped_ratio * advantage), clipped, log_ratio_rms)
