"""Explicit random state: the same seed on the same machine gives the same bytes."""

import torch


def seed_process(seed: int, threads: int) -> torch.Generator:
    """Seed torch (initial weights, dropout) and fix its threads; -> a generator for the order and crops of clips."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def choose_device(name: str) -> torch.device:
    """The device named "cpu" or "cuda"; for "auto" the GPU where there is one."""
    return torch.device("cuda" if name == "auto" and torch.cuda.is_available() else "cpu" if name == "auto" else name)
