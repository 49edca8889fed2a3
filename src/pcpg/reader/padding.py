"""Rows of a batch are as long as its longest: which of their places hold something."""

import torch


def within(lengths: torch.Tensor, places: int) -> torch.Tensor:
    """lengths (N,) -> bool (N, places): the places that a row of this length fills."""
    return torch.arange(places, device=lengths.device) < lengths[:, None]
