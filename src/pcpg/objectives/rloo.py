"""REINFORCE with the mean of the other samples as baseline (Williams 1992; Ahmadian et al. 2024), a reward a sequence.

With `scale: group` the advantages are divided by their deviation over the samples of a clip, as in GRPO (Shao et al.
2024), but summed over steps and without clipping, so that the scale alone differs.
"""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field

from pcpg.objectives import policy_gradient
from pcpg.objectives.base import Context, Losses, Objective
from pcpg.objectives.cross_entropy import CrossEntropy
from pcpg.objectives.rewards import rewards
from pcpg.objectives.rollout import before_end, sample, steps_taken
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader
from pcpg.settings.keys import Exact, NotNegative, Positive

TINY = 1e-4  # beside the deviation, as TRL has it


class RLOO(Objective):
    cross_entropy: CrossEntropy
    lambda_pg: Annotated[Exact, Field(gt=0, le=1)]  # the share of the policy gradient, as in Eq. 8
    samples: Annotated[int, Field(ge=2, le=100)]  # M
    temperature: Positive  # the policy is the softmax of logits / temperature
    scale: Literal["none", "group"]
    entropy: NotNegative  # weight of the policy's entropy, as a bonus

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Any = None) -> Losses:
        """(1 - lambda) L_CE - lambda mean_i A_i log p(y_i), the end symbol's step included in log p."""
        memory = model.encode(batch.frames, batch.lengths)
        passed = sample(
            model, memory, batch, context.max_length, samples=self.samples, temperature=self.temperature,
            teacher_forcing=self.cross_entropy.teacher_forcing,
        )  # fmt: skip
        with torch.no_grad():
            reward, lengths = rewards_of(passed.sampled, batch), steps_taken(passed.sampled)
            weights = advantages(reward, self.scale).flatten()
        taken = torch.arange(passed.chosen.shape[1], device=lengths.device) < lengths[:, None]
        gradient = -(weights * passed.chosen.masked_fill(~taken, 0.0).sum(dim=1)).mean()
        with torch.set_grad_enabled(self.entropy > 0):
            spread = policy_gradient.entropy(passed.log_probs, lengths)
        forced = self.cross_entropy.of_logits(passed.forced, batch)
        share = float(self.lambda_pg)
        loss = (1 - share) * forced["loss"] + share * (gradient - self.entropy * spread)
        alike = (reward == reward[:, :1]).all(dim=1).float().mean()
        return {
            "loss": loss, "ce": forced["ce"], "rloo": gradient, "reward": reward.mean(), "entropy": spread,
            "alike": alike,
        }  # fmt: skip


def rewards_of(texts: torch.Tensor, batch: Batch) -> torch.Tensor:
    """R = 1 - ED / |S| of the M texts of each of N clips: (N * M, U) -> (N, M); below 0 for very many edits."""
    each = len(texts) // len(batch.targets)
    lengths = batch.target_lengths.repeat_interleave(each) - 1  # without the end symbol
    earned = rewards(texts, before_end(texts), batch.targets.repeat_interleave(each, 0), lengths)
    return (earned.sum(dim=1) / lengths).view(-1, each)


def advantages(reward: torch.Tensor, scale: str) -> torch.Tensor:
    """(N, M) -> (N, M): less the mean of the clip's other samples; "group": less the mean of all, over the deviation.

    The deviation is that of a sample (M - 1). Samples that all earn the same have no advantage, and teach nothing.
    """
    samples = reward.shape[1]
    centred = reward - reward.mean(dim=1, keepdim=True)
    if scale == "none":
        return centred * (samples / (samples - 1))
    variance = centred.square().sum(dim=1, keepdim=True) / (samples - 1)
    deviation = variance.clamp(min=1e-12).rsqrt().reciprocal()  # torch's sqrt is not the same on every processor
    return centred / (deviation + TINY)
