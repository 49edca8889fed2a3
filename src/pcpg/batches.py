"""Batches of clips: cut, pooled, flipped and normalised on the device, with their texts as targets."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from pcpg.store import ClipStore
from pcpg.text import to_batch


@dataclass(frozen=True)
class View:
    """How a stored clip becomes the network's input (Section IV-B of the paper)."""

    crop: int  # pixels
    shift: int  # pixels
    pool: int  # averaging factor
    flip: bool
    mean: float  # of the training pixels in [0, 1]
    std: float


@dataclass(frozen=True)
class Batch:
    frames: torch.Tensor  # (N, T, H, W) float, 0 behind a clip's end
    lengths: torch.Tensor  # (N,) video frames
    targets: torch.Tensor  # (N, U) characters, end symbol, padding
    target_lengths: torch.Tensor  # (N,) the end symbol counted
    labels: torch.Tensor  # (N,) word class, -1 where the corpus has none
    rows: list[int]  # of the clip store


def prepare(clip: torch.Tensor, view: View, generator: torch.Generator | None) -> torch.Tensor:
    """One stored clip (T, S, S) uint8 -> (T, H, W) float: one crop position and one flip for all its frames.

    generator: draws them (training); None: the centre, never flipped (validation and test).
    """
    top = left = (clip.shape[1] - view.crop) // 2
    flip = False
    if generator is not None:
        down, right = torch.randint(-view.shift, view.shift + 1, (2,), generator=generator).tolist()
        top, left = top + down, left + right
        flip = view.flip and bool(torch.randint(2, (1,), generator=generator))
    cut = clip[:, top : top + view.crop, left : left + view.crop].float() / 255
    if flip:
        cut = cut.flip(2)
    if view.pool > 1:
        cut = F.avg_pool2d(cut[:, None], view.pool)[:, 0]
    return (cut - view.mean) / view.std


def collate(
    store: ClipStore, rows: list[int], view: View, device: torch.device, generator: torch.Generator | None
) -> Batch:
    """Load `rows` of the store as one batch on `device`."""
    clips = [prepare(torch.tensor(store[row], device=device), view, generator) for row in rows]
    targets, target_lengths = to_batch([store.index[row].text for row in rows])
    return Batch(
        frames=torch.nn.utils.rnn.pad_sequence(clips, batch_first=True),
        lengths=torch.tensor([len(clip) for clip in clips], device=device),
        targets=targets.to(device),
        target_lengths=target_lengths.to(device),
        labels=torch.tensor([store.index[row].label for row in rows], device=device),
        rows=rows,
    )


def epoch(
    store: ClipStore, rows: list[int], size: int, view: View, device: torch.device, generator: torch.Generator
) -> Iterator[Batch]:
    """All rows once in random order, `size` at a time."""
    order = torch.randperm(len(rows), generator=generator).tolist()
    for start in range(0, len(rows), size):
        yield collate(store, [rows[i] for i in order[start : start + size]], view, device, generator)


def in_order(store: ClipStore, rows: list[int], size: int, view: View, device: torch.device) -> Iterator[Batch]:
    """All rows once as they come, centre crops."""
    for start in range(0, len(rows), size):
        yield collate(store, rows[start : start + size], view, device, None)
