"""The policy-gradient loss of sampled texts (Eq. 5-7, 10): sums over steps, means over samples; and its baselines."""

import torch

from pcpg.objectives.pseudo_conv import pseudo_convolve
from pcpg.reader.padding import within
from pcpg.workspace import parallel


def standardise(returns: torch.Tensor, taken: torch.Tensor, over: str) -> torch.Tensor:
    """Zero mean and unit deviation over the steps taken of each "sequence", of the "batch", or "none" (unchanged).

    returns (N, U), taken (N, U) bool -> (N, U), 0 where no step was taken. A "batch" is that of all processes.
    """
    if over == "none":
        return returns
    sums = torch.stack([taken.to(returns.dtype), returns * taken, returns.square() * taken]).sum(dim=2, keepdim=True)
    if over == "batch":
        sums = parallel.add(sums.sum(dim=1, keepdim=True))
    count, total, squares = sums  # (N or 1, 1) each
    mean = total / count.clamp(min=1)
    variance = (squares / count.clamp(min=1) - mean.square()).clamp(min=0)
    deviation = variance.rsqrt().reciprocal()  # torch's sqrt is not the same on every processor
    return (returns - mean) * taken / (deviation + 1e-6)


def leave_one_out(returns: torch.Tensor, samples: int) -> torch.Tensor:
    """Returns minus the mean return, at the same step, of the other samples of the same clip.

    returns (N * M, U), the M samples of a clip side by side. The sample itself is left out of its baseline, which
    keeps the gradient estimate unbiased where no window weighs the steps.
    """
    grouped = returns.view(-1, samples, returns.shape[1])
    others = (grouped.sum(dim=1, keepdim=True) - grouped) / (samples - 1)
    return (grouped - others).view_as(returns)


def policy_gradient(
    log_probs: torch.Tensor,
    returns: torch.Tensor,
    lengths: torch.Tensor,
    kernel: torch.Tensor,
    stride: int,
    convolve: str,
    padding: str,
) -> torch.Tensor:
    """Eq. 5-7 and 10 for sampled transcriptions -> scalar, the mean over all samples.

    log_probs (N, U) of the sampled characters, returns (N, U) held constant, lengths (N,) steps taken.
    convolve "loss": L_u = -R_u log p(y_u) is convolved, Eq. 5-7 literally; "return": R is, before it weighs log p;
    "none": plain policy gradient.
    """
    taken = within(lengths, log_probs.shape[1])
    weight = (returns * taken).detach()
    if convolve == "return":
        weight = pseudo_convolve(weight, kernel, 1, lengths, padding="same")
    losses = -weight * log_probs.masked_fill(~taken, 0.0)
    if convolve == "loss":
        losses = pseudo_convolve(losses, kernel, stride, lengths, padding)
    return losses.sum(dim=1).mean()
