"""The rows of a batch are padded to its longest: which places are not padding."""

import torch


def within(lengths: torch.Tensor, places: int) -> torch.Tensor:
    """lengths (N,) -> bool (N, places): True for the first `lengths` places of a row."""
    return torch.arange(places, device=lengths.device) < lengths[:, None]
