"""Advantage-leftover-lunch and its kin (Baheti et al., 2024): stored texts, pushed up by what they earn.

The value of a clip is the mean reward of its stored texts, in place of a learned head.
"""

from typing import ClassVar, Literal

import torch
from pydantic import model_validator

from pcpg.objectives.weighted import STORED, Seen, WeightedTexts
from pcpg.settings.keys import NotNegative, refuse

LEAST, MOST = 0.1, 1.9  # 1 -+ 0.9: between these a ratio is clipped


class ALoL(WeightedTexts):
    form: Literal["r_lol", "a_lol", "ref_free", "seq", "kl"]
    beta: NotNegative  # of form: kl, the weight of log (policy / start); else 0
    origin: ClassVar[str] = STORED

    @model_validator(mode="after")
    def _check_beta(self):
        refuse((self.form == "kl") != (self.beta > 0), "beta", "must be above 0 for form: kl, and 0 for the others")
        return self

    @property
    def compares(self) -> bool:
        return self.form not in ("ref_free", "kl")

    def weights(self, seen: Seen) -> torch.Tensor:
        return leftover(seen, self.form, self.beta) / seen.reward.shape[1]


def leftover(seen: Seen, form: str, beta: float = 0.0) -> torch.Tensor:
    """(N, M), for "seq" (N, M, U): r the ratio to the start, clipped, A what a text earns above the mean, at least 0.

    r_lol: r R, R at least 0; a_lol: r A; ref_free: A; seq: A and the ratio of each step; kl: A - beta.
    """
    advantage = (seen.reward - seen.reward.mean(dim=1, keepdim=True)).clamp(min=0)
    if form == "r_lol":
        return ratio(seen.above_start) * seen.reward.clamp(min=0)
    if form == "a_lol":
        return ratio(seen.above_start) * advantage
    if form == "seq":
        return ratio(seen.steps - seen.start) * advantage[:, :, None]
    return advantage - beta if form == "kl" else advantage


def ratio(above_start: torch.Tensor) -> torch.Tensor:
    return above_start.exp().clamp(LEAST, MOST)
