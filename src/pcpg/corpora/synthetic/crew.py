"""Which clips a generated corpus has, and the filming of them, in one process or several.

Every clip and every speaker draws from a random stream of its own, so the order of the work does not matter.
"""

import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from pcpg.workspace.errors import InputError
from pcpg.workspace.pool import in_order

CLIPS_PER_SPEAKER = 3  # of a corpus of words, as a mean


class Take(NamedTuple):
    """One clip of a corpus of words: a speaker of the split's own pool says the word."""

    split: str
    speaker: int
    word: str
    number: int


def stream(seed: int, *identity: object) -> np.random.Generator:
    """Return the random stream that belongs to `identity`, for instance ("grid", "s1", "bbaf4p"), under `seed`."""
    keys = [zlib.crc32(str(part).encode()) for part in identity]
    return np.random.default_rng(np.random.SeedSequence([seed, *keys]))


def takes(seed: int, corpus: str, words: Sequence[str], numbers: dict[str, range]) -> list[Take]:
    """Return a take of each word under each of a split's `numbers`; no speaker is in two splits."""
    clips = [
        Take(split, int(stream(seed, corpus, split, word, number).integers(pool)), word, number)
        for split, numbered in numbers.items()
        for pool in [max(1, len(words) * len(numbered) // CLIPS_PER_SPEAKER)]
        for word in words
        for number in numbered
    ]
    return sorted(clips, key=lambda clip: (clip.split, clip.speaker))  # a speaker's portrait is painted once


def make_clips(function: Callable, clips: Sequence, workers: int, label: str) -> list:
    """Return function(clip) for every clip, in order. Neighbours go to the same process, so they can share pictures."""
    size = max(1, min(32, len(clips) // (4 * workers)))
    shares = [clips[begin : begin + size] for begin in range(0, len(clips), size)]
    results = []
    with tqdm(total=len(clips), desc=label, unit="clip", smoothing=0.05) as bar:
        for share, made in zip(shares, in_order(partial(_make_share, function), shares, workers), strict=True):
            if made is None:
                raise InputError(label, "a process that makes clips crashed")
            results += made
            bar.update(len(share))
    return results


def _make_share(function: Callable, share: Sequence) -> list:
    return [function(clip) for clip in share]
