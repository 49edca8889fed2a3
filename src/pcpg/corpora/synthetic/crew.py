"""Many clips made by one function, in one process or several, with a progress bar."""

from collections.abc import Callable, Sequence
from functools import partial

from tqdm import tqdm

from pcpg.workspace.errors import InputError
from pcpg.workspace.pool import in_order


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
