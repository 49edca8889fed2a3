"""Advantage-leftover-lunch and its variants (Baheti et al., 2024): stored texts, weighted by their reward.

The value of a clip is the mean reward of its stored texts, where the paper has a learned head.
"""

from typing import Literal

import torch
from pydantic import model_validator

from pcpg.objectives.weighted import Samples, WeightedTexts
from pcpg.settings.keys import NotNegative, refuse

LEAST, MOST = 0.1, 1.9  # 1 -+ 0.9: ratios are clipped to this range


class ALoL(WeightedTexts):
    form: Literal["r_lol", "a_lol", "ref_free", "seq", "kl"]
    beta: NotNegative  # of form: kl, the weight of log (policy / anchor); else 0

    @model_validator(mode="after")
    def _check_beta(self):
        refuse((self.form == "kl") != (self.beta > 0), "beta", "must be above 0 for form: kl, and 0 for the others")
        return self

    @property
    def stored(self) -> int:
        return self.samples

    @property
    def needs_anchor(self) -> bool:
        return self.form not in ("ref_free", "kl")

    def weights(self, samples: Samples) -> torch.Tensor:
        return a_lol_weights(samples, self.form, self.beta) / samples.reward.shape[1]


def a_lol_weights(samples: Samples, form: str, beta: float = 0.0) -> torch.Tensor:
    """(N, M), for "seq" (N, M, U): r the clipped ratio policy / anchor, A the reward above the clip's mean, at least 0.

    r_lol: r R, R at least 0; a_lol: r A; ref_free: A; seq: A and the ratio of each step; kl: A - beta.
    """
    advantage = (samples.reward - samples.reward.mean(dim=1, keepdim=True)).clamp(min=0)
    if form == "r_lol":
        return ratio(samples.log_ratio) * samples.reward.clamp(min=0)
    if form == "a_lol":
        return ratio(samples.log_ratio) * advantage
    if form == "seq":
        return ratio(samples.log_p - samples.anchor_log_p) * advantage[:, :, None]
    return advantage - beta if form == "kl" else advantage


def ratio(log_ratio: torch.Tensor) -> torch.Tensor:
    """log (policy / anchor) of texts or steps, any shape -> the clipped ratio, the same shape."""
    return log_ratio.exp().clamp(LEAST, MOST)
