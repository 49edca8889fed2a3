"""Texts of every training clip, sampled once, before training, with the weights that the run begins with."""

from collections.abc import Iterable
from dataclasses import replace

import torch
import torch.nn.functional as F

from pcpg.objectives.rollout import sample, steps_taken
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader
from pcpg.reader.text import END
from pcpg.workspace.seeding import stream

PATH = 2**31  # in place of an epoch's number: no epoch has these random numbers


def texts_of(batch: Batch, by_row: dict[int, torch.Tensor]) -> torch.Tensor:
    """What `draw_texts` gave -> (N * M, U), the M texts of a clip side by side, cut to the longest of them."""
    texts = torch.cat([by_row[row] for row in batch.rows])
    return texts[:, : int(steps_taken(texts).max())]


@torch.no_grad()
def draw_texts(
    model: LipReader, batches: Iterable[Batch], seed: int, max_length: int, samples: int, temperature: float
) -> dict[int, torch.Tensor]:
    """M texts of each clip, (M, max_length), by its row of the clip store.

    Sampled in eval mode, without augmentation. Weights, seed and clips determine them, so they need not be saved.
    """
    model.eval()
    by_row: dict[int, torch.Tensor] = {}
    for batch in batches:
        seeded = replace(batch, seeds=[stream(seed, PATH, row) for row in batch.rows])
        memory = model.encode(batch.frames, batch.lengths)
        drawn = sample(model, memory, seeded, max_length, samples=samples, temperature=temperature).sampled
        padded = F.pad(drawn, (0, max(0, max_length - drawn.shape[1])), value=END).unflatten(0, (-1, samples))
        by_row |= zip(batch.rows, padded, strict=True)
    return by_row
