"""Every clip and every speaker draws from a stream of its own, so the order of the work does not matter."""

import zlib

import numpy as np


def stream(seed: int, *identity: object) -> np.random.Generator:
    """Return the random stream that belongs to `identity`, for instance ("grid", "s1", "bbaf4p"), under `seed`."""
    keys = [zlib.crc32(str(part).encode()) for part in identity]
    return np.random.default_rng(np.random.SeedSequence([seed, *keys]))
