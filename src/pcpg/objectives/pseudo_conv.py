"""The pseudo-convolution of Eq. 5-7 and Fig. 5: windows of k steps, moved by stride s, weighted by w."""

import torch


def _windows(lengths: torch.Tensor, size: int, stride: int, padding: str) -> tuple[torch.Tensor, torch.Tensor]:
    """First step (N,) and number (N,) of each row's windows.

    "same": ceil(U / s) windows that reach over both ends as evenly as possible, zeros outside (k odd, s = 1: window u
    is centred on step u, as in Fig. 5; k even: the extra step is after u). "valid": only windows that fit.
    """
    if padding == "valid":
        return torch.zeros_like(lengths), ((lengths - size) // stride + 1).clamp(min=0)
    count = (lengths + stride - 1) // stride
    overhang = ((count - 1) * stride + size - lengths).clamp(min=0)
    return -(overhang // 2), count


def pseudo_convolve(
    values: torch.Tensor,
    kernel: torch.Tensor,
    stride: int = 1,
    lengths: torch.Tensor | None = None,
    padding: str = "same",
) -> torch.Tensor:
    """L'_u = sum_i w_i L_i over the steps of window u (Eq. 6); the sum over dim 1 is the loss of Eq. 7.

    values (N, U), kernel (k,) with the earliest step's weight first, lengths (N,) valid steps a row (all by default)
    -> (N, U'), as many windows as U steps have, with zeros after a row's last window.
    """
    count, steps = values.shape
    if lengths is None:
        lengths = torch.full((count,), steps, device=values.device)
    size = len(kernel)
    first, windows = _windows(lengths, size, stride, padding)
    most = -(-steps // stride) if padding == "same" else max((steps - size) // stride + 1, 0)
    j = torch.arange(most, device=values.device)
    i = torch.arange(size, device=values.device)
    step = first[:, None, None] + j[:, None] * stride + i  # (N, U', k)
    inside = (step >= 0) & (step < lengths[:, None, None]) & (j < windows[:, None])[:, :, None]
    gathered = values.gather(1, step.clamp(0, max(steps - 1, 0)).flatten(1)).view(step.shape)
    return (gathered * inside * kernel).sum(dim=2)


def coverage(length: int, kernel: torch.Tensor, stride: int = 1, padding: str = "same") -> torch.Tensor:
    """(length,): the weight c_i of step i, so that sum_u L'_u = sum_i c_i L_i."""
    return pseudo_convolve(torch.eye(length, dtype=kernel.dtype), kernel, stride, padding=padding).sum(dim=1)
