"""Explicit random state: the same seed on the same machine gives the same bytes, also of a run that was interrupted."""

import os

import numpy as np
import torch


def seed_process(seed: int, threads: int) -> None:
    """Seed torch (initial weights) and fix its threads."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else matrix products on a GPU vary from run to run
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode("warn")  # use_deterministic_algorithms would import the compiler: two seconds
    torch.utils.deterministic.fill_uninitialized_memory = False  # nothing reads it, and to fill it takes time
    torch.manual_seed(seed)


def stream(*path: int) -> int:
    """The seed of a sequence of random numbers for a path, such as (run's seed, epoch, clip).

    What a clip draws then depends neither on the clips before it nor on the number of processes. Paths that differ
    only by zeros at their end have the same seed: an epoch's order and its clip 0 do, which draw different things.
    """
    return int(np.random.SeedSequence(path).generate_state(1)[0])


def generator(*path: int) -> torch.Generator:
    return torch.Generator().manual_seed(stream(*path))
