"""What most objectives share: texts of each clip, a reward a text, and a weight that pushes its log p up or down.

The gradient of each is that of - sum_i w_i l_i, w held constant, l_i the log p of text i, mean over clips. They differ
in the weight, a pure function. This file has what any of them can be combined with: where the texts come from, the KL
penalty, the entropy bonus, the share of cross-entropy. The anchor is a frozen copy of the weights that the run begins
with.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import torch
from pydantic import Field

from pcpg.objectives.base import Context, Losses, Objective
from pcpg.objectives.cross_entropy import CrossEntropy
from pcpg.objectives.policy import Temperature, divergence, entropy
from pcpg.objectives.rewards import alike, rewards_of
from pcpg.objectives.rollout import MaskPolicy, Rollout, sample, score, steps_taken
from pcpg.objectives.stored import texts_of
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader
from pcpg.settings.keys import Exact, Keys, NotNegative, Positive
from pcpg.settings.training import Run


class KLPenalty(Keys):
    """Keeps the policy near the anchor: weight times KL(policy || anchor) of a clip's texts, in nats."""

    weight: Positive
    form: Literal["reward", "exact"]  # log (policy / anchor) subtracted from the reward; or summed over classes a step


class Samples(NamedTuple):
    """What weights are computed from, of M texts of each of N clips, without gradient."""

    reward: torch.Tensor  # (N, M), 1 - ED / |S|: below 0 for very many edits; less the KL penalty if in the reward
    log_p: torch.Tensor  # (N, M, U) of each step taken, 0 after the last
    anchor_log_p: torch.Tensor | None = None  # (N, M, U) the same by the anchor
    baseline: torch.Tensor | None = None  # (N, 1) reward of a text to compare with

    @property
    def log_ratio(self) -> torch.Tensor:
        """h (N, M): log p of a text minus that by the anchor."""
        return (self.log_p - self.anchor_log_p).sum(dim=2)


class WeightedTexts(Objective):
    """The loss of M texts a clip; a subclass says how they are weighted."""

    cross_entropy: CrossEntropy
    lambda_pg: Annotated[Exact, Field(gt=0, le=1)]  # the share of this objective beside cross-entropy, as in Eq. 8
    samples: Annotated[int, Field(ge=2, le=100)]  # M
    temperature: Temperature  # the policy is the softmax of logits / temperature
    top_p: Annotated[float, Field(gt=0, le=1)]  # of the fewest likeliest characters that have this probability; 1: all
    kl: KLPenalty | None
    entropy: NotNegative  # weight of the policy's entropy, as a bonus

    needs_anchor: ClassVar[bool] = False  # whether its weights depend on log p by the anchor
    ranks: ClassVar[bool] = False  # whether its weights depend on which text has the higher reward

    @property
    def anchored(self) -> bool:
        return self.needs_anchor or self.kl is not None

    def refuse_combinations(self, run: Run, max_length: int) -> Iterator[tuple[str, str]]:
        if self.stored and run.optimisation.augment:
            key = "texts" if "texts" in type(self).model_fields else ""
            yield key, "stored texts are of clips as they are, which needs augment: false"
        if self.stored and self.top_p < 1:
            yield "top_p", "must be 1 for texts: stored, which are drawn without it"
        if self.kl is not None and self.kl.form == "reward":
            if self.stored:
                yield "kl.form", "must be exact for stored texts, which are no samples of the policy"
            if self.ranks:
                yield "kl.form", "must be exact: in the reward it would rank texts by their probability too"

    def weights(self, samples: Samples) -> torch.Tensor:
        """(N, M), or (N, M, U) with one a step: positive where a text is to become likelier."""
        raise NotImplementedError

    def baseline(self, model: LipReader, batch: Batch, context: Context) -> torch.Tensor | None:
        """(N, 1) reward that the weights compare with; None where they need none."""
        return None

    def given_texts(self, batch: Batch, context: Context) -> torch.Tensor:
        """(N * M, U): the texts of an objective that stores some, the M of a clip side by side."""
        return texts_of(batch, context.stored)

    def rollout_of(
        self, model: LipReader, batch: Batch, context: Context, mask_policy: MaskPolicy | None = None
    ) -> Rollout:
        """The texts with their log p, and the reference under teacher forcing, in one pass."""
        memory = model.encode(batch.frames, batch.lengths)
        forcing = self.cross_entropy.teacher_forcing
        if self.stored:
            texts = self.given_texts(batch, context)
            return score(model, memory, batch, texts, self.temperature, teacher_forcing=forcing)
        return sample(
            model, memory, batch, context.max_length, samples=self.samples, temperature=self.temperature,
            teacher_forcing=forcing, top_p=self.top_p, mask_policy=mask_policy,
        )  # fmt: skip

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Any = None) -> Losses:
        """(1 - lambda) L_CE - lambda sum_i w_i log p(y_i), the end symbol's step included in log p."""
        rollout = self.rollout_of(model, batch, context)
        anchor = self.anchor_log_probs(rollout, batch, context)
        samples = samples_of(rollout, anchor, batch)._replace(baseline=self.baseline(model, batch, context))
        weights = self.weights(self.with_kl_in_reward(samples))
        log_p = rollout.log_p.unflatten(0, (len(batch.targets), -1))
        policy_loss = -(weights * (log_p if weights.dim() == 3 else log_p.sum(dim=2))).flatten(1).sum(dim=1).mean()
        return self.total(policy_loss, rollout, anchor, batch) | logged(samples)

    @torch.no_grad()
    def anchor_log_probs(self, rollout: Rollout, batch: Batch, context: Context) -> torch.Tensor | None:
        """(N * M, U, C) log p by the anchor at each step of the texts, over the characters that could be drawn."""
        if not self.anchored:
            return None
        memory = context.anchor.encode(batch.frames, batch.lengths)
        return score(context.anchor, memory, batch, rollout.sampled, self.temperature, rollout.kept).log_probs

    def with_kl_in_reward(self, samples: Samples) -> Samples:
        """The reward minus the KL penalty, where its form is "reward"."""
        if self.kl is None or self.kl.form != "reward":
            return samples
        return samples._replace(reward=samples.reward - self.kl.weight * samples.log_ratio)

    def total(self, policy_loss: torch.Tensor, rollout: Rollout, anchor: torch.Tensor | None, batch: Batch) -> Losses:
        """The objective's own loss with the entropy bonus, the exact KL penalty and cross-entropy.

        anchor (N * M, U, C): log p by the anchor, None where it is not needed.
        """
        lengths = steps_taken(rollout.sampled)
        with torch.set_grad_enabled(self.entropy > 0 and torch.is_grad_enabled()):
            mean_entropy = entropy(rollout.log_probs, lengths)
        loss = policy_loss - self.entropy * mean_entropy
        if self.kl is not None and self.kl.form == "exact":
            loss = loss + self.kl.weight * divergence(rollout.log_probs, anchor, lengths)
        forced = self.cross_entropy.of_logits(rollout.forced, batch)
        share = float(self.lambda_pg)
        loss = (1 - share) * forced["loss"] + share * loss
        return {"loss": loss, "ce": forced["ce"], "objective": policy_loss, "entropy": mean_entropy}


class TextsOfAnyOrigin(WeightedTexts):
    texts: Literal["fresh", "stored"]  # drawn from the current policy; or once, before training

    @property
    def stored(self) -> int:
        return self.samples if self.texts == "stored" else 0


def samples_of(rollout: Rollout, anchor: torch.Tensor | None, batch: Batch) -> Samples:
    """anchor (N * M, U, C): log p by the anchor, None where it is not needed."""
    log_p = rollout.log_p.detach().unflatten(0, (len(batch.targets), -1))
    anchor_log_p = None if anchor is None else rollout._replace(log_probs=anchor).log_p.view_as(log_p)
    return Samples(rewards_of(rollout.sampled, batch), log_p, anchor_log_p)


def logged(samples: Samples) -> Losses:
    """What the history records of the texts."""
    means = {"reward": samples.reward.mean(), "alike": alike(samples.reward)}
    return means if samples.anchor_log_p is None else means | {"ratio_sd": root(samples.log_ratio.square().mean())}


def root(value: torch.Tensor) -> torch.Tensor:
    """Square root by operations that every processor rounds alike; torch's sqrt is not one of them."""
    return value.clamp(min=1e-12).rsqrt().reciprocal()
