"""Pseudo-convolutional policy gradient, the paper's own (Eq. 4-10), mixed with cross-entropy (Eq. 8).

docs/paper-vs-code.md gives the source of each reading.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, model_validator

from pcpg.objectives import policy_gradient
from pcpg.objectives.base import Context, Losses, Objective
from pcpg.objectives.cross_entropy import CrossEntropy
from pcpg.objectives.policy import Temperature, entropy
from pcpg.objectives.rewards import returns, step_rewards
from pcpg.objectives.rollout import sample, steps_taken
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader
from pcpg.reader.padding import within
from pcpg.settings.keys import Count, Exact, NotNegative, Share, refuse
from pcpg.settings.training import Run


class PCPG(Objective):
    cross_entropy: CrossEntropy  # the other half of Eq. 8
    lambda_pg: Annotated[Exact, Field(gt=0, le=1)]  # Eq. 8
    kernel: Annotated[list[Exact], Field(min_length=1)]  # w of Eq. 6, sums to 1
    stride: Count  # s
    convolve: Literal["loss", "return", "none"]
    padding: Literal["same", "valid"]
    samples: Count  # M of Eq. 9-10
    sampling: Literal["multinomial", "argmax"]
    temperature: Temperature  # the policy is the softmax of logits / temperature
    gamma: Share
    discount_from: Literal["end", "step"]
    divide_by_length: bool  # returns divided by |S|
    standardise: Literal["none", "sequence", "batch"]
    baseline: Literal["none", "mean", "greedy"]  # subtracted from the returns
    entropy: NotNegative  # weight of the policy's entropy, as a bonus

    @model_validator(mode="after")
    def _check_readings(self):
        refuse(sum(self.kernel) != 1, "kernel", f"the weights sum to {sum(self.kernel)}, not to 1")
        bare = self.kernel == [1] and self.stride == 1
        refuse(self.convolve == "none" and not bare, "convolve", "none needs kernel [1] and stride 1")
        refuse(self.convolve == "return" and self.stride != 1, "stride", "convolve: return needs stride 1")
        refuse(self.convolve == "return" and self.padding != "same", "padding", "convolve: return needs same")
        size = len(self.kernel)
        refuse(self.stride > size, "stride", f"{self.stride} skips steps: the kernel has {size}")
        nothing = self.gamma == 0 and self.discount_from == "end"
        refuse(nothing, "gamma", "0 counted from the end keeps the end symbol's reward alone, which is 0")
        refuse(self.baseline == "mean" and self.samples < 2, "baseline", "mean needs at least 2 samples")
        one = self.samples == 1 and self.baseline == "none"
        what = "argmax gives one sample, so it needs samples: 1 and baseline: none"
        refuse(self.sampling == "argmax" and not one, "sampling", what)
        return self

    def refuse_combinations(self, run: Run, max_length: int) -> Iterator[tuple[str, str]]:
        if self.standardise == "batch" and run.optimisation.accumulate > 1:
            yield "standardise", "batch needs the whole batch at once, accumulate: 1"
        if len(self.kernel) > max_length:
            yield "kernel", f"{len(self.kernel)} weights for texts of at most {max_length} characters"

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Any = None) -> Losses:
        """Eq. 8: loss = (1 - lambda) L_CE + lambda L_PCPG, with its parts and the mean reward (1 - CER of a sample)."""
        memory = model.encode(batch.frames, batch.lengths)
        rollout = sample(
            model, memory, batch, context.max_length, samples=self.samples, temperature=self.temperature,
            sampling=self.sampling, greedy=self.baseline == "greedy",
            teacher_forcing=self.cross_entropy.teacher_forcing,
        )  # fmt: skip
        with torch.no_grad():
            weights, lengths, reward = self.weights(rollout.sampled, rollout.greedy, batch)
        kernel = torch.tensor([float(w) for w in self.kernel], device=weights.device)
        pcpg = policy_gradient.policy_gradient(
            rollout.sampled_log_p, weights, lengths, kernel, self.stride, self.convolve, self.padding
        )
        with torch.set_grad_enabled(self.entropy > 0):
            mean_entropy = entropy(rollout.log_probs, lengths)
        forced = self.cross_entropy.of_logits(rollout.forced, batch)
        share = float(self.lambda_pg)
        loss = (1 - share) * forced["loss"] + share * (pcpg - self.entropy * mean_entropy)
        return {"loss": loss, "ce": forced["ce"], "pcpg": pcpg, "reward": reward.mean(), "entropy": mean_entropy}

    def weights(
        self, sampled: torch.Tensor, greedy: torch.Tensor, batch: Batch
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """-> weights (N * M, U) of log p, from returns and baseline; lengths (N * M,), reward a character (N * M,).

        The baseline of a step is the return from there on of other texts of the clip: the other samples ("mean"), or
        the greedy text ("greedy", self-critical). Neither depends on the sample, so with kernel [1] the estimate
        is unbiased; a wider kernel weighs the last steps by the sample's own length.
        """
        future, lengths, reward = self.returns_of(sampled, batch)
        if self.baseline == "mean":
            future = policy_gradient.leave_one_out(future, self.samples)
        elif self.baseline == "greedy":
            future = future - self.returns_of(greedy, batch)[0].repeat_interleave(self.samples, 0)
        taken = within(lengths, sampled.shape[1])
        return policy_gradient.standardise(future, taken, self.standardise), lengths, reward

    def returns_of(self, characters: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Of m texts a clip: returns (N * m, U), lengths (N * m,) in steps, and reward a character (N * m,)."""
        immediate, reference_lengths = step_rewards(characters, batch)
        taken = steps_taken(characters)
        masked = self.cross_entropy.mask_padding
        lengths = taken if masked else torch.full_like(taken, characters.shape[1])
        future = returns(immediate, taken, self.gamma, self.discount_from)
        if self.divide_by_length:
            future = future / reference_lengths[:, None]
        return future, lengths, immediate.sum(dim=1) / reference_lengths
