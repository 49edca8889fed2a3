"""Stage `probe`: word classifiers on the encoder (Section IV-F, Table III)."""

import math
from pathlib import Path

import torch
import torch.nn.functional as F

from pcpg import batches, checkpoint
from pcpg.batches import Batch, View
from pcpg.evaluate import write_metrics
from pcpg.history import write_history
from pcpg.model import Classifier, LipReader
from pcpg.params import Model, Optimisation, to_plain
from pcpg.store import ClipStore
from pcpg.training import fit


@torch.no_grad()
def accuracy(model: Classifier, store: ClipStore, rows: list[int], view: View, device: torch.device) -> float:
    """Share of `rows` whose likeliest class is the true one."""
    model.eval()
    hits = 0
    for batch in batches.in_order(store, rows, 64, view, device):
        hits += int((model(batch.frames, batch.lengths).argmax(dim=1) == batch.labels).sum())
    return hits / len(rows)


def _start(store: ClipStore, settings: Model, init: Path | None, device: torch.device) -> tuple[LipReader, View]:
    """Encoder and view: of the run in `init`, or new ones."""
    if init is not None:
        return checkpoint.restore(checkpoint.load(init), device)
    view, network = checkpoint.split_settings(to_plain(settings))
    mean, std = store.mean_std(store.select("train"))
    return LipReader(**network).to(device), View(**view, mean=mean, std=std)


def train_classifier(
    clips: Path,
    init: Path | None,
    weights: Path,
    outcome: Path,
    model_settings: Model,
    settings: Optimisation,
    fixed: bool,
    device: torch.device,
    generator: torch.Generator,
    identity: dict,
) -> None:
    """Train on the word classes; write `weights`, `outcome`/history.csv and metrics.json with the test accuracy.

    init: the run whose encoder is taken, None for random weights. fixed: the encoder learns nothing and runs as in
    test (no dropout, stored batch statistics), "FE"; else it is trained on, "TE".
    """
    store = ClipStore(clips)
    lip_reader, view = _start(store, model_settings, init, device)
    rows = {split: store.select(split) for split in ("train", "val", "test")}
    classes = 1 + max(clip.label for clip in store.index)
    model = Classifier(lip_reader.encoder, classes).to(device)
    model.encoder.requires_grad_(not fixed)

    def losses_of(batch: Batch) -> dict[str, torch.Tensor]:
        model.encoder.train(not fixed)
        logits = model(batch.frames, batch.lengths)
        return {"loss": F.cross_entropy(logits, batch.labels, label_smoothing=settings.label_smoothing)}

    best, history = fit(
        model,
        settings,
        epoch=lambda: batches.epoch(store, rows["train"], settings.batch, view, device, generator),
        updates_per_epoch=math.ceil(len(rows["train"]) / settings.batch),
        losses_of=losses_of,
        validate=lambda: {"val_error": 1 - accuracy(model, store, rows["val"], view, device)},
        select="val_error",
        start=0,
        name=f"{identity['corpus']} {identity['run']} seed {identity['seed']}",
    )
    model.load_state_dict(best)
    test = accuracy(model, store, rows["test"], view, device)
    write_history(outcome / "history.csv", history)
    write_metrics(outcome / "metrics.json", identity | {"split": "test", "clips": len(rows["test"]), "accuracy": test})
    checkpoint.save(weights, {"settings": to_plain(model_settings), "mean": view.mean, "std": view.std,
                              "model": best, "classes": classes, "iteration": history[-1]["iteration"]})  # fmt: skip
