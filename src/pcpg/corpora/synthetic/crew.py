"""Run one function over many clips, in one process or several, with a progress bar."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor

from tqdm import tqdm

from pcpg.workspace.errors import InputError


def run(function: Callable, clips: Sequence, workers: int, label: str) -> list:
    """Return function(clip) for every clip, in order. Neighbours go to the same process, so they can share pictures."""
    if workers < 1:
        raise InputError("workers", f"expected at least 1, got {workers}")
    with tqdm(total=len(clips), desc=label, unit="clip", smoothing=0.05) as bar:
        if workers == 1:
            return [_counted(function(clip), bar) for clip in clips]
        spawn = multiprocessing.get_context("spawn")  # forked threads of other libraries would hang
        with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
            share = max(1, min(32, len(clips) // (4 * workers)))
            return [_counted(result, bar) for result in pool.map(function, clips, chunksize=share)]


def _counted(result, bar: tqdm):
    bar.update()
    return result


def take(items: Sequence, count: int, what: str) -> list:
    """Return the first `count` items, or say how many there are."""
    if not 1 <= count <= len(items):
        raise InputError(what, f"expected 1 to {len(items)}, got {count}")
    return list(items[:count])
