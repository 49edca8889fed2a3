"""Batches of clips: cut, pooled, flipped and normalised, with their texts as targets."""

import itertools
import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import torch

from pcpg.mouths.store import ClipStore
from pcpg.reader.text import to_batch
from pcpg.workspace import parallel
from pcpg.workspace.seeding import generator, stream


@dataclass(frozen=True)
class View:
    """How a stored clip becomes the network's input (Section IV-B of the paper)."""

    crop: int  # pixels
    shift: int  # pixels
    pool: int  # averaging factor
    flip: bool
    repeat: float  # probability
    mean: float  # of the training pixels in [0, 1]
    std: float


@dataclass(frozen=True)
class Batch:
    """N clips, in training this process' share of a batch."""

    frames: torch.Tensor  # (N, T, H, W) float, 0 behind a clip's end
    lengths: torch.Tensor  # (N,) video frames
    targets: torch.Tensor  # (N, U) characters, end symbol, padding
    target_lengths: torch.Tensor  # (N,) the end symbol counted
    labels: torch.Tensor  # (N,) word class, -1 where the corpus has none
    rows: list[int]  # of the clip store
    clips: list[str]  # their names
    seeds: list[int] = field(default_factory=list)  # of what each clip's losses draw; training only
    weight: float = 1.0  # of this share in the mean over processes

    def parts(self, number: int) -> list["Batch"]:
        """The clips in so many parts, whose weights add up to the batch's; past the last clip, one that weighs nothing.

        The number of parts is that of the other processes, whose batch statistics take in each part's.
        """
        if number == 1:
            return [self]
        clips = len(self.rows)
        cuts = [slice(part, None, number) if part < clips else slice(0, 1) for part in range(number)]
        return [self._part(cut, len(range(part, clips, number)) / clips) for part, cut in enumerate(cuts)]

    def _part(self, cut: slice, share: float) -> "Batch":
        fields = {name: value[cut] for name, value in vars(self).items() if name != "weight"}
        fields["targets"] = fields["targets"][:, : fields["target_lengths"].max()]
        return Batch(**fields, weight=self.weight * share)

    def uniforms(self, *size: int) -> torch.Tensor:
        """Random numbers in [0, 1), (N, *size), each clip's own."""
        drawn = [torch.rand(size, generator=torch.Generator().manual_seed(seed)) for seed in self.seeds]
        return torch.stack(drawn).to(self.frames.device)


@dataclass(frozen=True)
class Training:
    """The training clips, in another random order in every epoch."""

    store: ClipStore
    rows: list[int]
    size: int  # clips a batch, over all processes
    view: View
    device: torch.device
    seed: int

    def __len__(self) -> int:
        """Batches an epoch."""
        return math.ceil(len(self.rows) / self.size)

    def seen(self, batches: int) -> int:
        """Clips in the first so many batches."""
        epochs, rest = divmod(batches, len(self))
        return epochs * len(self.rows) + min(rest * self.size, len(self.rows))

    def batches(self, first: int, last: int) -> Iterator[Batch]:
        """Those from number `first` to `last` (without it) of a whole training, epoch after epoch."""
        begun, skip = divmod(first, len(self))
        later = itertools.chain.from_iterable(map(self.epoch, itertools.count(begun + 1)))
        return itertools.islice(itertools.chain(self.epoch(begun, skip), later), last - first)

    def epoch(self, number: int, skip: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from number `skip` on; all they draw follows from seed, epoch and clip."""
        path = (self.seed, number)
        order = torch.randperm(len(self.rows), generator=generator(*path)).tolist()
        for start in range(skip * self.size, len(order), self.size):
            yield self._share([self.rows[i] for i in order[start : start + self.size]], path)

    def _share(self, rows: list[int], path: tuple[int, ...]) -> Batch:
        """What this process gets of a batch; where there is too little for all, a clip that weighs nothing."""
        world = parallel.world()
        mine = rows[parallel.rank() :: world]
        weight = len(mine) * world / len(rows)
        longest = max(self.store.index[row].frames for row in rows)
        return collate(self.store, mine or rows[:1], self.view, self.device, path, longest, weight)


def cut(clip: torch.Tensor, view: View, draws: torch.Generator | None) -> torch.Tensor:
    """One stored clip, uint8 (T, S, S) -> uint8 (T, crop, crop): one crop position and flip for all its frames.

    draws: gives these and the frames to show twice (training); None: the centre, as stored (validation and test). They
    are drawn on the CPU, the same whatever device the pixels are moved on.
    """
    top = left = (clip.shape[1] - view.crop) // 2
    if draws is None:
        return clip[:, top : top + view.crop, left : left + view.crop]
    down, right = torch.randint(-view.shift, view.shift + 1, (2,), generator=draws).tolist()
    top, left = top + down, left + right
    flip = view.flip and bool(torch.randint(2, (1,), generator=draws))
    order = repeated(len(clip), view.repeat, draws)
    if order is not None:
        clip = clip.index_select(0, order.to(clip.device))
    pixels = clip[:, top : top + view.crop, left : left + view.crop]
    return pixels.flip(2) if flip else pixels


def repeated(frames: int, probability: float, draws: torch.Generator) -> torch.Tensor | None:
    """The order (T,) in which a clip of T frames is shown where each is shown twice with `probability`.

    What no longer fits is left out at the end. None: as it is.
    """
    if probability == 0:
        return None
    times = 1 + (torch.rand(frames, generator=draws) < probability).long()
    return torch.arange(frames).repeat_interleave(times)[:frames]


def fetch(store: ClipStore, row: int, device: torch.device) -> torch.Tensor:
    """A clip as it is stored, uint8 (T, S, S), on `device`.

    Copied, for torch knows no read-only memory. On its way to a GPU it lies where memory does not move, and nobody
    waits for it to arrive.
    """
    clip = torch.from_numpy(store[row].copy())
    return clip.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else clip


def pooled(pixels: torch.Tensor, factor: int) -> torch.Tensor:
    """uint8 (..., S, S) -> float (..., S / factor, S / factor), means of squares; twice as fast as avg_pool2d."""
    rows = pixels[..., ::factor, :].float()
    for i in range(1, factor):
        rows += pixels[..., i::factor, :]
    sums = rows[..., ::factor].clone()
    for i in range(1, factor):
        sums += rows[..., i::factor]
    return sums.div_(factor**2)


def normalise(frames: torch.Tensor, lengths: torch.Tensor, view: View) -> torch.Tensor:
    """uint8 (N, T, crop, crop), lengths (N,) -> float (N, T, H, W), pooled; 0 behind a clip's end."""
    frames = pooled(frames, view.pool)
    frames = frames.sub_(255 * view.mean).div_(255 * view.std)
    behind = torch.arange(frames.shape[1], device=frames.device) >= lengths[:, None]
    return frames.masked_fill_(behind[:, :, None, None], 0.0)


def collate(
    store: ClipStore,
    rows: list[int],
    view: View,
    device: torch.device,
    path: tuple[int, ...] = (),
    longest: int = 0,
    weight: float = 1.0,
) -> Batch:
    """Load `rows` of the store as one batch on `device`, at least `longest` frames long.

    path: what the random numbers of training follow from, beside the clip; none without it.
    """
    counts = [store.index[row].frames for row in rows]
    frames = torch.zeros(len(rows), max(longest, *counts), view.crop, view.crop, dtype=torch.uint8, device=device)
    for filled, row, count in zip(frames, rows, counts, strict=True):
        filled[:count] = cut(fetch(store, row, device), view, generator(*path, row, 0) if path else None)
    lengths = torch.tensor(counts, device=device)
    targets, target_lengths = to_batch([store.index[row].text for row in rows])
    return Batch(
        frames=normalise(frames, lengths, view),
        lengths=lengths,
        targets=targets.to(device),
        target_lengths=target_lengths.to(device),
        labels=torch.tensor([store.index[row].label for row in rows], device=device),
        rows=rows,
        clips=[store.index[row].clip for row in rows],
        seeds=[stream(*path, row, 1) for row in rows] if path else [],
        weight=weight,
    )


def ahead(batches: Iterator[Batch], depth: int = 3) -> Iterator[Batch]:
    """The same batches, made by a thread, up to `depth` of them while one is in use: a slow one delays nobody."""
    with ThreadPoolExecutor(1) as pool:
        coming = deque(pool.submit(next, batches, None) for _ in range(depth))
        while (batch := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, batches, None))
            yield batch


def in_order(store: ClipStore, rows: list[int], size: int, view: View, device: torch.device) -> Iterator[Batch]:
    """All rows once as they come, centre crops."""
    for start in range(0, len(rows), size):
        yield collate(store, rows[start : start + size], view, device)
