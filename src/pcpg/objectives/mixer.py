"""MIXER: a text's beginning by cross-entropy, the rest by REINFORCE; the beginning gets shorter (Ranzato et al., 2016).

Each step belongs to one of the two, so both have their full weight.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import torch
from pydantic import Field

from pcpg.objectives.base import Context, Losses, Objective
from pcpg.objectives.cross_entropy import cross_entropy, per_character
from pcpg.objectives.policy import Temperature, entropy
from pcpg.objectives.policy_gradient import leave_one_out
from pcpg.objectives.rewards import alike, rewards_of, to_come
from pcpg.objectives.rollout import sample, steps_taken, taken
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader
from pcpg.reader.text import PAD
from pcpg.settings.keys import Count
from pcpg.settings.training import Run

if TYPE_CHECKING:
    from pcpg.settings.schema import Params


class MIXER(Objective):
    samples: Annotated[int, Field(ge=2, le=100)]  # M, each compared with the mean of the others
    temperature: Temperature
    forced: Count  # characters that are forced at first
    stages: Count  # equal parts of the training, from all of `forced` down to forced / stages

    def refuse_combinations(self, run: Run, params: "Params") -> Iterator[tuple[str, str]]:
        if self.forced > params.max_length:
            yield "forced", f"{self.forced} characters of texts of at most {params.max_length}"
        if self.stages > run.optimisation.epochs:
            yield "stages", f"{self.stages} of them in {run.optimisation.epochs} epochs"

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Any = None) -> Losses:
        prefix = forced_at(self.forced, self.stages, context.done)
        memory = model.encode(batch.frames, batch.lengths)
        passed = sample(
            model, memory, batch, context.max_length, samples=self.samples, temperature=self.temperature, prefix=prefix
        )
        with torch.no_grad():
            gains = advantages(passed.sampled, batch, prefix)
            reward = rewards_of(passed.sampled, batch)
        begun = batch.targets.clone()
        begun[:, prefix:] = PAD
        forced = cross_entropy(passed.forced, begun)
        rest = -(gains * passed.steps).sum(dim=1).mean()
        told = {"reward": reward.mean(), "alike": alike(reward), "forced": forced.new_tensor(prefix)}
        told["entropy"] = entropy(passed.log_probs.detach(), steps_taken(passed.sampled))
        return {"loss": forced + rest, "ce": per_character(passed.forced, batch), "objective": rest} | told


def forced_at(forced: int, stages: int, done: float) -> int:
    """From `forced` down in equal steps, one a stage: forced (1 - stage / stages), rounded.

    done: the share of the training that is behind.
    """
    stage = min(int(done * stages + 1e-9), stages - 1)  # 1/49 * 49 is below 1; far less than one update is added
    return round(forced * (1 - stage / stages))


def advantages(texts: torch.Tensor, batch: Batch, prefix: int) -> torch.Tensor:
    """Reward to come of each step behind the prefix, less the mean of the clip's others: (N * M, U) -> (N * M, U).

    Steps of the prefix have none: what they earn follows from the reference.
    """
    steps = taken(texts) & (torch.arange(texts.shape[1], device=texts.device) >= prefix)
    return leave_one_out(to_come(texts, batch), len(texts) // len(batch.targets)) * steps
