"""MIXER: a text's beginning by cross-entropy, the rest by REINFORCE; the beginning gets shorter (Ranzato et al., 2016).

Each step belongs to one of the two, so both have their full weight.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import torch
from pydantic import Field

from pcpg.objectives.base import Context, Losses, Objective
from pcpg.objectives.cross_entropy import cross_entropy, per_character
from pcpg.objectives.policy import Temperature, entropy
from pcpg.objectives.policy_gradient import leave_one_out
from pcpg.objectives.rewards import alike, reward_to_go, rewards_of
from pcpg.objectives.rollout import sample, steps_taken, taken
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader
from pcpg.reader.text import PAD
from pcpg.settings.keys import Count
from pcpg.settings.training import Run


class MIXER(Objective):
    samples: Annotated[int, Field(ge=2, le=100)]  # M, each compared with the mean of the others
    temperature: Temperature
    forced: Count  # characters that are forced at first
    stages: Count  # equal parts of the training, from all of `forced` down to forced / stages

    def refuse_combinations(self, run: Run, max_length: int) -> Iterator[tuple[str, str]]:
        if self.forced > max_length:
            yield "forced", f"{self.forced} characters of texts of at most {max_length}"
        if self.stages > run.optimisation.epochs:
            yield "stages", f"{self.stages} of them in {run.optimisation.epochs} epochs"

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Any = None) -> Losses:
        """Cross-entropy of the first characters ("forced": how many) plus REINFORCE on the rest ("objective")."""
        prefix = forced_at(self.forced, self.stages, context.done)
        memory = model.encode(batch.frames, batch.lengths)
        rollout = sample(
            model, memory, batch, context.max_length, samples=self.samples, temperature=self.temperature, prefix=prefix
        )
        with torch.no_grad():
            advantage = advantages(rollout.sampled, batch, prefix)
            reward = rewards_of(rollout.sampled, batch)
        beginning = batch.targets.clone()
        beginning[:, prefix:] = PAD
        forced = cross_entropy(rollout.forced, beginning)
        rest = -(advantage * rollout.log_p).sum(dim=1).mean()
        means = {"reward": reward.mean(), "alike": alike(reward), "forced": forced.new_tensor(prefix)}
        means["entropy"] = entropy(rollout.log_probs.detach(), steps_taken(rollout.sampled))
        return {"loss": forced + rest, "ce": per_character(rollout.forced, batch), "objective": rest} | means


def forced_at(forced: int, stages: int, done: float) -> int:
    """From `forced` down in equal steps, one a stage: forced (1 - stage / stages), rounded.

    done: the share of the training that is done.
    """
    stage = min(int(done * stages + 1e-9), stages - 1)  # 1/49 * 49 is below 1; 1e-9 is far less than an update
    return round(forced * (1 - stage / stages))


def advantages(texts: torch.Tensor, batch: Batch, prefix: int) -> torch.Tensor:
    """Reward to go of each step after the prefix minus the mean of the clip's others: (N * M, U) -> (N * M, U).

    Steps of the prefix have 0: their characters are the reference's.
    """
    steps = taken(texts) & (torch.arange(texts.shape[1], device=texts.device) >= prefix)
    return leave_one_out(reward_to_go(texts, batch), len(texts) // len(batch.targets)) * steps
