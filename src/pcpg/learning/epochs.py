"""The training clips, in a new random order each epoch."""

import itertools
import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch

from pcpg.mouths.store import ClipStore
from pcpg.reader.batches import Batch, collate
from pcpg.reader.view import View
from pcpg.settings.training import Optimisation
from pcpg.workspace import parallel
from pcpg.workspace.seeding import generator

AHEAD = 3  # batches prepared while one is in use


@dataclass(frozen=True)
class Training:
    store: ClipStore
    rows: list[int]
    size: int  # clips a batch, over all processes
    view: View
    device: torch.device
    seed: int

    def __len__(self) -> int:
        """Batches an epoch."""
        return math.ceil(len(self.rows) / self.size)

    def clips_in(self, batches: int) -> int:
        """Number of clips in the first so many batches."""
        epochs, rest = divmod(batches, len(self))
        return epochs * len(self.rows) + min(rest * self.size, len(self.rows))

    def batches(self, first: int, last: int) -> Iterator[Batch]:
        """Batches number `first` to `last` (excluded) of a whole training, epoch after epoch."""
        number, skip = divmod(first, len(self))
        later = itertools.chain.from_iterable(map(self.epoch, itertools.count(number + 1)))
        return itertools.islice(itertools.chain(self.epoch(number, skip), later), last - first)

    def epoch(self, number: int, skip: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from number `skip` on; their random numbers follow from seed, epoch and clip."""
        path = (self.seed, number)
        order = torch.randperm(len(self.rows), generator=generator(*path)).tolist()
        for start in range(skip * self.size, len(order), self.size):
            yield self._share([self.rows[i] for i in order[start : start + self.size]], path)

    def _share(self, rows: list[int], path: tuple[int, ...]) -> Batch:
        """This process' share of a batch; if the clips do not suffice for all, one clip with weight 0."""
        world = parallel.world()
        mine = rows[parallel.rank() :: world]
        weight = len(mine) * world / len(rows)
        longest = max(self.store.index[row].frames for row in rows)
        return collate(self.store, mine or rows[:1], self.view, self.device, path, longest, weight)


def training_of(store: ClipStore, settings: Optimisation, view: View, device: torch.device, seed: int) -> Training:
    """The store's training clips augmented if `settings` say so."""
    return Training(
        store, store.select("train"), settings.batch, view if settings.augment else view.plain, device, seed
    )


def ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, prepared by a thread up to AHEAD in advance, so that a slow one delays nothing."""
    with ThreadPoolExecutor(1) as pool:
        coming = deque(pool.submit(next, batches, None) for _ in range(AHEAD))
        while (batch := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, batches, None))
            yield batch
