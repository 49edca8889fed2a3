"""Proximal policy optimisation (Schulman et al., 2017): several updates on the same samples, their ratios clipped.

A step's ratio is that of the policy to the one that drew; the masks of dropout are those of the draw. With one pass and
a value head it is the actor-critic of Bahdanau et al. (2017).
"""

from typing import Annotated, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import nn

from pcpg.objectives.base import Context, Losses
from pcpg.objectives.rewards import rewards_of, to_come
from pcpg.objectives.rloo import advantages
from pcpg.objectives.rollout import Rollout, score, taken
from pcpg.objectives.weighted import WeightedTexts, root, see, told
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader
from pcpg.reader.text import CLASSES
from pcpg.settings.keys import Count, Positive, refuse


class PPO(WeightedTexts):
    updates: Annotated[Count, Field(le=100)]  # on each draw
    clip: Positive | None  # how far a step's ratio may leave 1 on the side of its advantage; null: as far as it likes
    value: Positive | None  # weight of a value head's squared error; null: the other samples' mean in its place

    @model_validator(mode="after")
    def _check_clip(self):
        refuse(self.clip is not None and self.updates == 1, "clip", "does nothing with one update a draw; null")
        return self

    @property
    def passes(self) -> int:
        return self.updates

    def own_parameters(self, model: LipReader) -> nn.Module | None:
        return None if self.value is None else Beside(ValueHead())

    def draw(self, model: LipReader, batch: Batch, context: Context) -> Rollout:
        return self.read(model, batch, context)

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Rollout | None = None) -> Losses:
        """drawn: None with one update a draw, which draws and scores at once."""
        if drawn is None:
            passed = self.read(model, batch, context)
            old = passed.steps.detach()
        else:
            memory, forcing = model.encode(batch.frames, batch.lengths), self.cross_entropy.teacher_forcing
            passed = score(model, memory, batch, drawn.sampled, self.temperature, drawn.kept, forcing)
            old = drawn.steps
        start = self.at_start(passed, batch, context)
        seen = see(passed, start, batch)
        gains, own = self.gains(self.pulled(seen).reward, passed, batch, context)
        clipped = clipped_gain(passed.steps, old, gains, taken(passed.sampled), self.clip)
        weighed = -clipped.gain.sum() / len(passed.sampled)
        losses = self.mixed(weighed, passed, start, batch) | told(seen)
        losses["loss"] = losses["loss"] + own
        return losses | {"ratio_sd": clipped.spread, "clipped": clipped.share}

    def gains(
        self, reward: torch.Tensor, passed: Rollout, batch: Batch, context: Context
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(N * M, U) for each step taken, without gradient, and the value head's own loss."""
        steps = taken(passed.sampled)
        if self.value is None:
            return advantages(reward).flatten()[:, None] * steps, reward.new_zeros(())
        off = rewards_of(passed.sampled, batch) - reward  # what the pull took off a text is taken off each step
        future = to_come(passed.sampled, batch) - off.flatten()[:, None]
        value = context.own.value(passed.log_probs.detach())
        error = ((value - future).square() * steps).sum(dim=1).mean()
        return (future - value.detach()) * steps, self.value * error


class Beside(nn.Module):
    """What learns, or is kept, beside the network."""

    def __init__(self, value: nn.Module | None = None, mask: LipReader | None = None):
        super().__init__()
        self.value, self.mask = value, mask
        self.register_buffer("draws", torch.zeros((), dtype=torch.long))


class ValueHead(nn.Linear):
    """What is still to come, from log p of the next character; 0 before it has learned."""

    def __init__(self):
        super().__init__(CLASSES, 1)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, log_probs: torch.Tensor) -> torch.Tensor:
        """(N, U, C) -> (N, U)."""
        return super().forward(log_probs.exp()).squeeze(2)


class Clipped(NamedTuple):
    gain: torch.Tensor  # (N, U) to be maximised
    share: torch.Tensor  # of the steps with an advantage, those whose gradient is cut off
    spread: torch.Tensor  # root mean square of log ratio over the steps taken


def clipped_gain(
    steps: torch.Tensor, old: torch.Tensor, gains: torch.Tensor, mask: torch.Tensor, clip: float | None
) -> Clipped:
    """min(rho A, clip(rho, 1 - clip, 1 + clip) A) of each step, rho = p / p_old.

    log p, log p_old and A (N, U), 0 where no step was taken, as the mask (N, U) has it.
    """
    logs = steps - old
    ratio = logs.exp()
    spread = root((logs.detach().square() * mask).sum() / mask.sum().clamp(min=1))
    if clip is None:
        return Clipped(ratio * gains, ratio.new_zeros(()), spread)
    held = ratio.clamp(1 - clip, 1 + clip)
    cut = ((ratio > 1 + clip) & (gains > 0)) | ((ratio < 1 - clip) & (gains < 0))
    share = cut.sum() / (gains != 0).sum().clamp(min=1)
    return Clipped(torch.minimum(ratio * gains, held * gains), share, spread)
