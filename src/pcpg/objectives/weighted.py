"""What most objectives share: texts of each clip, a reward a text, and a weight that pushes its log p up or down.

The gradient of each is that of - sum_i w_i l_i, w held constant, l_i the log p of text i, mean over clips. What differs
between them is the weight, a pure function; what is orthogonal stands here: where the texts come from, the pull to the
start, the bonus for entropy, the share of cross-entropy.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

import torch
from pydantic import Field

from pcpg.objectives.base import Context, Losses, Objective
from pcpg.objectives.cross_entropy import CrossEntropy
from pcpg.objectives.policy import Temperature, divergence, entropy
from pcpg.objectives.rewards import alike, rewards_of
from pcpg.objectives.rollout import Rollout, sample, score, steps_taken
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader
from pcpg.settings.keys import Exact, Keys, NotNegative, Positive
from pcpg.settings.training import Run

if TYPE_CHECKING:
    from pcpg.settings.schema import Params

FRESH, STORED = "fresh", "stored"


class Pull(Keys):
    """Towards the start, by the Kullback-Leibler divergence KL(policy || start) of a clip's texts, in nats."""

    weight: Positive
    form: Literal["reward", "exact"]  # log (policy / start) off the reward; or summed over classes at each step


class Seen(NamedTuple):
    """What a weight may follow from, of M texts of each of N clips, without gradient."""

    reward: torch.Tensor  # (N, M), 1 - ED / |S|: below 0 for very many edits
    steps: torch.Tensor  # (N, M, U) log p of each step taken, 0 behind the last
    start: torch.Tensor | None = None  # (N, M, U) the same by the weights that the run began with
    rival: torch.Tensor | None = None  # (N, 1) reward of a text to compare with

    @property
    def above_start(self) -> torch.Tensor:
        """h (N, M): log p of a text less that by the start."""
        return (self.steps - self.start).sum(dim=2)


class WeightedTexts(Objective):
    """Of sampled texts; a subclass says how they are weighed."""

    cross_entropy: CrossEntropy
    lambda_pg: Annotated[Exact, Field(gt=0, le=1)]  # the share of this objective beside cross-entropy, as in Eq. 8
    samples: Annotated[int, Field(ge=2, le=100)]  # M
    temperature: Temperature  # the policy is the softmax of logits / temperature
    top_p: Annotated[float, Field(gt=0, le=1)]  # of the fewest likeliest characters that have this probability; 1: all
    kl: Pull | None
    entropy: NotNegative  # weight of the policy's entropy, as a bonus

    compares: ClassVar[bool] = False  # whether its weights follow from log p by the start
    ranks: ClassVar[bool] = False  # whether its weights follow from which text earns more
    origin: ClassVar[str] = FRESH  # of the texts

    @property
    def anchored(self) -> bool:
        return self.compares or self.kl is not None

    @property
    def stored(self) -> int:
        return self.samples if self.origin == STORED else 0

    def refuse_combinations(self, run: Run, params: "Params") -> Iterator[tuple[str, str]]:
        if self.stored and run.optimisation.augment:
            key = "texts" if "texts" in type(self).model_fields else ""
            yield key, "stored texts are of clips as they are, which needs augment: false"
        if self.origin == STORED and self.top_p < 1:
            yield "top_p", "must be 1 for texts: stored, which were drawn without it"
        if self.kl is not None and self.kl.form == "reward":
            if self.origin == STORED:
                yield "kl.form", "must be exact for stored texts, which are no samples of the policy"
            if self.ranks:
                yield "kl.form", "must be exact: a reward less the pull would rank texts by their probability too"

    def weights(self, seen: Seen) -> torch.Tensor:
        """(N, M), or (N, M, U) with one a step: positive where a text is pushed up."""
        raise NotImplementedError

    def rival(self, model: LipReader, batch: Batch, context: Context) -> torch.Tensor | None:
        """(N, 1) reward of what the weights compare with; None where nobody asks."""
        return None

    def read(self, model: LipReader, batch: Batch, context: Context) -> Rollout:
        """The texts with their log p, and the reference under teacher forcing, in one pass."""
        memory = model.encode(batch.frames, batch.lengths)
        forcing = self.cross_entropy.teacher_forcing
        if self.origin == STORED:
            return score(model, memory, batch, context.stored.of(batch), self.temperature, teacher_forcing=forcing)
        return sample(
            model, memory, batch, context.max_length, samples=self.samples, temperature=self.temperature,
            teacher_forcing=forcing, top_p=self.top_p,
        )  # fmt: skip

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Any = None) -> Losses:
        """(1 - lambda) L_CE - lambda sum_i w_i log p(y_i), the end symbol's step included in log p."""
        passed = self.read(model, batch, context)
        start = self.at_start(passed, batch, context)
        seen = see(passed, start, batch)._replace(rival=self.rival(model, batch, context))
        weights = self.weights(self.pulled(seen))
        steps = passed.steps.unflatten(0, (len(batch.targets), -1))
        weighed = -(weights * (steps if weights.dim() == 3 else steps.sum(dim=2))).flatten(1).sum(dim=1).mean()
        return self.mixed(weighed, passed, start, batch) | told(seen)

    @torch.no_grad()
    def at_start(self, passed: Rollout, batch: Batch, context: Context) -> torch.Tensor | None:
        """(N * M, U, C) log p by the start where the texts went, over the characters that could be drawn."""
        if not self.anchored:
            return None
        still = context.anchor.encode(batch.frames, batch.lengths)
        return score(context.anchor, still, batch, passed.sampled, self.temperature, passed.kept).log_probs

    def pulled(self, seen: Seen) -> Seen:
        """With the pull to the start in the reward, where it stands there."""
        if self.kl is None or self.kl.form != "reward":
            return seen
        return seen._replace(reward=seen.reward - self.kl.weight * seen.above_start)

    def mixed(self, weighed: torch.Tensor, passed: Rollout, start: torch.Tensor | None, batch: Batch) -> Losses:
        """The objective's own loss with the bonus for entropy, the pull to the start and cross-entropy."""
        lengths = steps_taken(passed.sampled)
        with torch.set_grad_enabled(self.entropy > 0 and torch.is_grad_enabled()):
            spread = entropy(passed.log_probs, lengths)
        loss = weighed - self.entropy * spread
        if self.kl is not None and self.kl.form == "exact":
            loss = loss + self.kl.weight * divergence(passed.log_probs, start, lengths)
        forced = self.cross_entropy.of_logits(passed.forced, batch)
        share = float(self.lambda_pg)
        loss = (1 - share) * forced["loss"] + share * loss
        return {"loss": loss, "ce": forced["ce"], "objective": weighed, "entropy": spread}


class TextsOfAnyOrigin(WeightedTexts):
    texts: Literal["fresh", "stored"]  # of the policy as it is; or of the start, drawn once

    @property
    def origin(self) -> str:
        return self.texts


def see(passed: Rollout, start: torch.Tensor | None, batch: Batch) -> Seen:
    """start (N * M, U, C): log p by the start, None where nobody asks."""
    steps = passed.steps.detach().unflatten(0, (len(batch.targets), -1))
    at_start = None if start is None else passed._replace(log_probs=start).steps.view_as(steps)
    return Seen(rewards_of(passed.sampled, batch), steps, at_start)


def told(seen: Seen) -> Losses:
    """What the history is told of the texts."""
    shown = {"reward": seen.reward.mean(), "alike": alike(seen.reward)}
    return shown if seen.start is None else shown | {"ratio_sd": root(seen.above_start.square().mean())}


def root(value: torch.Tensor) -> torch.Tensor:
    """Square root by operations that every processor rounds alike; torch's sqrt is not."""
    return value.clamp(min=1e-12).rsqrt().reciprocal()
