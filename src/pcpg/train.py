"""Stage `train`: the cross-entropy baseline of one corpus."""

import math
from functools import partial
from pathlib import Path

import torch

from pcpg import batches, checkpoint
from pcpg.batches import Batch, View
from pcpg.decode import greedy
from pcpg.history import write_history
from pcpg.metrics import error_rates
from pcpg.model import LipReader
from pcpg.objectives import cross_entropy
from pcpg.params import Decoding, Model, Optimisation, to_plain
from pcpg.store import ClipStore
from pcpg.text import decode
from pcpg.training import fit


def forced_logits(model: LipReader, batch: Batch) -> torch.Tensor:
    """Teacher forcing: each step is fed the true character before it -> logits (N, U, C)."""
    memory = model.encode(batch.frames, batch.lengths)
    logits, _ = model.decoder.unroll(memory, lambda u, _: batch.targets[:, u], batch.targets.shape[1])
    return logits


def forced_losses(model: LipReader, label_smoothing: float, batch: Batch) -> dict[str, torch.Tensor]:
    """The loss to minimise, and the plain cross-entropy per character beside it."""
    logits = forced_logits(model, batch)
    per_character = cross_entropy(logits.detach(), batch.targets) / batch.target_lengths.float().mean()
    return {"loss": cross_entropy(logits, batch.targets, label_smoothing), "ce": per_character}


@torch.no_grad()
def validate(
    model: LipReader, store: ClipStore, rows: list[int], view: View, device: torch.device, max_length: int
) -> dict[str, float]:
    """val_ce: cross-entropy per character under teacher forcing; val_cer: corpus CER of greedy decoding."""
    model.eval()
    loss, characters, references, hypotheses = 0.0, 0, [], []
    for batch in batches.in_order(store, rows, 64, view, device):
        memory = model.encode(batch.frames, batch.lengths)
        logits, _ = model.decoder.unroll(memory, lambda u, _, b=batch: b.targets[:, u], batch.targets.shape[1])
        loss += float(cross_entropy(logits, batch.targets)) * len(batch.rows)
        characters += int(batch.target_lengths.sum())
        references += [store.index[row].text for row in batch.rows]
        hypotheses += [decode(row) for row in greedy(model.decoder, memory, max_length).tolist()]
    return {"val_ce": loss / characters, "val_cer": error_rates(references, hypotheses)["cer"]}


def train_baseline(
    clips: Path,
    weights: Path,
    outcome: Path,
    model_settings: Model,
    settings: Optimisation,
    decoding: Decoding,
    device: torch.device,
    generator: torch.Generator,
    name: str,
) -> None:
    """Read the clip store `clips`; write `weights` (the best on validation) and `outcome`/history.csv."""
    store = ClipStore(clips)
    train_rows, val_rows = store.select("train"), store.select("val")
    view_settings, network = checkpoint.split_settings(to_plain(model_settings))
    mean, std = store.mean_std(train_rows)
    view = View(**view_settings, mean=mean, std=std)
    model = LipReader(**network).to(device)
    best, history = fit(
        model,
        settings,
        epoch=lambda: batches.epoch(store, train_rows, settings.batch, view, device, generator),
        updates_per_epoch=math.ceil(len(train_rows) / settings.batch),
        losses_of=partial(forced_losses, model, settings.label_smoothing),
        validate=lambda: validate(model, store, val_rows, view, device, decoding.max_length),
        select="val_cer",
        start=0,
        name=name,
    )
    iteration = min(history, key=lambda row: row["val_cer"])["iteration"]
    content = {"settings": to_plain(model_settings), "mean": mean, "std": std, "model": best, "iteration": iteration}
    write_history(outcome / "history.csv", history)
    checkpoint.save(weights, content)
