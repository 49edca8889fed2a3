"""The policy: a distribution over the next character, at each step of a text."""

from typing import Annotated

import torch
from pydantic import Field

from pcpg.reader.padding import within
from pcpg.reader.text import BEGIN, END, PAD
from pcpg.settings.keys import Number

CLOSED = [PAD, BEGIN]  # no characters of a text
NEVER = -1e9  # as a logit; minus infinity would give 0 * infinity in an entropy
Temperature = Annotated[Number, Field(ge=1e-3)]  # of the policy; far below, logits / temperature would reach NEVER


def log_policy(logits: torch.Tensor, temperature: float = 1.0, kept: torch.Tensor | None = None) -> torch.Tensor:
    """log p (..., C) of the policy: of logits / temperature, over the characters `kept`; never PAD nor BEGIN.

    Texts are sampled from it and scored by it, so that a ratio of two policies compares distributions of one kind.
    """
    open_ = (logits.float() / temperature).index_fill(-1, torch.tensor(CLOSED, device=logits.device), NEVER)
    return (open_ if kept is None else open_.masked_fill(~kept, NEVER)).log_softmax(dim=-1)


def nucleus(log_probs: torch.Tensor, top_p: float) -> torch.Tensor:
    """The fewest likeliest characters whose probability reaches top_p, and END: (..., C) -> bool (..., C).

    Holtzman et al. (2020); top_p below 1.
    """
    ranked, order = log_probs.exp().sort(dim=-1, descending=True, stable=True)
    likelier = ranked.cumsum(dim=-1) - ranked  # probability of the characters before it
    kept = torch.zeros_like(log_probs, dtype=torch.bool).scatter(-1, order, likelier < top_p)
    return kept.index_fill(-1, torch.tensor([END], device=kept.device), True)


def draw(probabilities: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """probabilities (..., C), uniforms (...) in [0, 1) -> classes (...), by inversion of the distribution function.

    Where probabilities are NaN it is some class, so that the loss, NaN too, stops the training with a message.
    """
    cumulative = probabilities.double().cumsum(dim=-1)
    thresholds = uniforms.double()[..., None] * cumulative[..., -1:]
    return torch.searchsorted(cumulative, thresholds, right=True).squeeze(-1).clamp(max=probabilities.shape[-1] - 1)


def entropy(log_probs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Entropy of the policy summed over the steps taken -> scalar, the mean over all samples (nats).

    log_probs (N, U, C), lengths (N,). Its gradient holds the samples fixed, as is usual: how a
    choice changes the entropy of later steps is left out.
    """
    taken = within(lengths, log_probs.shape[1])
    return -((log_probs.exp() * log_probs).sum(dim=2) * taken).sum(dim=1).mean()


def divergence(log_probs: torch.Tensor, anchor: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """KL(policy || anchor) at each step, summed over classes and the steps taken -> scalar, the mean over texts.

    log_probs, anchor (N, U, C), both log p, lengths (N,). Its gradient holds the texts fixed.
    """
    taken = within(lengths, log_probs.shape[1])
    return ((log_probs.exp() * (log_probs - anchor)).sum(dim=2) * taken).sum(dim=1).mean()
