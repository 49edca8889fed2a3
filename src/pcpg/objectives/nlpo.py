"""Natural language policy optimisation (Ramamurthy et al., 2023): `ppo` over what a mask policy finds likely.

The mask policy is an older copy of the policy. At each step the fewest characters that together have the probability
top_p by it are kept; the policy is restricted to them, in sampling and in every ratio. `rloo` with `top_p` below 1 is
cheaper: it needs no copy, since each policy masks itself.
"""

from collections.abc import Iterator

from pydantic import model_validator
from torch import nn

from pcpg.objectives.base import Context
from pcpg.objectives.ppo import PPO, ExtraModules, ValueHead
from pcpg.objectives.rollout import MaskPolicy, Rollout
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader, frozen
from pcpg.settings.keys import Count, refuse
from pcpg.settings.training import Run


class NLPO(PPO):
    refresh: Count  # draws after which the mask policy is copied again

    @model_validator(mode="after")
    def _check_updates(self):
        refuse(self.updates == 1, "updates", "must be at least 2: the mask is stored with a draw that is used again")
        return self

    def refuse_combinations(self, run: Run, max_length: int) -> Iterator[tuple[str, str]]:
        yield from super().refuse_combinations(run, max_length)
        if self.top_p == 1:
            yield "top_p", "must be below 1; at 1 nothing is masked, and it is ppo"
        if run.optimisation.accumulate > 1:
            yield "refresh", "counts draws, so that it needs the whole batch at once, accumulate: 1"

    def own_parameters(self, model: LipReader) -> nn.Module:
        return ExtraModules(None if self.value is None else ValueHead(), frozen(model))

    def draw(self, model: LipReader, batch: Batch, context: Context) -> Rollout:
        own = context.own
        if own.draws % self.refresh == 0:
            own.mask.load_state_dict(model.state_dict())
        own.draws += 1
        mask_policy = MaskPolicy(own.mask.decoder, own.mask.encode(batch.frames, batch.lengths), 1 + self.samples)
        return self.rollout_of(model, batch, context, mask_policy)
