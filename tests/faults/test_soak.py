"""A day of the loader in a minute: memory and open files stay flat."""

import time
from itertools import cycle, islice
from pathlib import Path

import psutil
import torch

from pcpg.learning.epochs import Training, ahead
from pcpg.mouths.store import ClipStore
from pcpg.reader.batches import in_order
from pcpg.reader.view import View

VIEW = View(crop=64, shift=4, pool=2, flip=True, repeat=0.1, mean=0.4, std=0.2)
DAY = 24 * 60  # passes: a day of one a minute
GROWTH = 12  # MB that the second half of the soak may add to what its first half reached


def test_a_day_of_the_loader_takes_no_more_memory_than_its_first_minutes(unbroken, request, capsys):
    """Each round: a store is opened, an epoch of training batches, broken off and gone on with, and one of validation.

    DAY rounds, or as many as fit into --soak seconds; of each corpus in turn, with and without a thread that reads
    ahead. An iterator is left unfinished in every fourth round, as a training that stops does.
    """
    me, seconds = psutil.Process(), request.config.getoption("--soak")
    seen, started = [], time.monotonic()
    for number, corpus in enumerate(islice(cycle(("grid", "lrw", "lrw1000")), DAY)):
        one_round(unbroken / "clips/smoke" / corpus, number)
        seen.append((me.memory_info().rss / 2**20, me.num_fds(), me.num_threads()))
        if time.monotonic() - started > seconds and number >= 60:
            break
    half = len(seen) // 2
    memory, files, threads = (max(values) for values in zip(*seen[half // 2 : half], strict=True))
    later_memory, later_files, later_threads = (max(values) for values in zip(*seen[half:], strict=True))
    with capsys.disabled():
        print(f"\nsoak: {len(seen)} rounds; {memory:.0f} -> {later_memory:.0f} MB, {files} -> {later_files} open files")
    assert later_memory <= memory + GROWTH
    assert later_files <= files + 2 and later_threads <= threads + 2  # a thread may be just ending


def one_round(folder: Path, number: int) -> None:
    store, device = ClipStore(folder), torch.device("cpu")
    training = Training(store, store.select("train"), 4, VIEW, device, seed=1)
    for skip in (0, 1):
        batches = training.epoch(number, skip)
        batches = ahead(batches) if number % 2 else batches
        for count, _ in enumerate(batches):
            if number % 4 == 0 and count == 1:
                break
    for _ in in_order(store, store.select("val"), 8, VIEW, device):
        pass
