"""Batches of clips with their texts as targets."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from pcpg.mouths.store import ClipStore
from pcpg.reader.text import to_batch
from pcpg.reader.view import View, cut, normalise
from pcpg.workspace.seeding import generator, stream


@dataclass(frozen=True)
class Batch:
    """N clips, in training this process' share of a batch."""

    frames: torch.Tensor  # (N, T, H, W) float, 0 after a clip's end
    lengths: torch.Tensor  # (N,) video frames
    targets: torch.Tensor  # (N, U) characters, end symbol, padding
    target_lengths: torch.Tensor  # (N,) the end symbol counted
    labels: torch.Tensor  # (N,) word class, -1 where the corpus has none
    rows: list[int]  # of the clip store
    clips: list[str]  # their names
    seeds: list[int] = field(default_factory=list)  # of each clip's random numbers in its losses; training only
    weight: float = 1.0  # of this share in the mean over processes

    def parts(self, number: int) -> list["Batch"]:
        """The clips in so many parts, whose weights add up to the batch's.

        If there are fewer clips than parts, the extra parts hold the first clip with weight 0: all processes must have
        as many parts, since batch statistics are taken over the same part of all of them.
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


def fetch(store: ClipStore, row: int, device: torch.device) -> torch.Tensor:
    """A clip as it is stored, uint8 (T, S, S), on `device`.

    Copied, since torch has no read-only tensors. To a GPU it is copied from pinned memory, without waiting.
    """
    clip = torch.from_numpy(store[row].copy())
    return clip.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else clip


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

    path: with the clip it gives the random numbers of training; without it there are none.
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


def in_order(store: ClipStore, rows: list[int], size: int, view: View, device: torch.device) -> Iterator[Batch]:
    """All rows once, in the given order, centre crops."""
    for start in range(0, len(rows), size):
        yield collate(store, rows[start : start + size], view, device)
