"""Stage `probe`: word classifiers on the encoder (Section IV-F, Table III)."""

from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F

from pcpg.learning import record as provenance
from pcpg.learning.evaluate import write_metrics, write_predictions
from pcpg.learning.history import write_history
from pcpg.learning.loop import fit
from pcpg.learning.resume import Resume, fingerprint
from pcpg.learning.session import Session
from pcpg.learning.train import facts, new_lip_reader
from pcpg.mouths.store import ClipStore
from pcpg.reader import batches, checkpoint
from pcpg.reader.batches import Batch, Training, View
from pcpg.reader.network import Classifier
from pcpg.settings.schema import Model, Optimisation
from pcpg.workspace import parallel

PREDICTIONS = ("clip", "speaker", "reference", "classified")


@torch.no_grad()
def classify(model: Classifier, store: ClipStore, rows: list[int], view: View, device: torch.device) -> dict[int, int]:
    """The likeliest class of each clip of `rows`, in their order."""
    model.eval()
    found = {}
    for batch in batches.in_order(store, rows[parallel.rank() :: parallel.world()], 64, view, device):
        found |= zip(batch.rows, model(batch.frames, batch.lengths).argmax(dim=1).tolist(), strict=True)
    whole = {row: label for share in parallel.gather(found) for row, label in share.items()}
    return {row: whole[row] for row in rows}


def accuracy(store: ClipStore, classes: dict[int, int]) -> float:
    """Share of the clips whose class is the true one."""
    return sum(store.index[row].label == label for row, label in classes.items()) / len(classes)


def named(store: ClipStore, classes: dict[int, int]) -> list[dict[str, str]]:
    """Rows of predictions.csv: a class is named by its word."""
    words = {clip.label: clip.text for clip in store.index}
    rows = ((store.index[row], words[label]) for row, label in classes.items())
    return [dict(zip(PREDICTIONS, (clip.clip, clip.speaker, clip.text, word), strict=True)) for clip, word in rows]


def classifier_losses(label_smoothing: float, fixed: bool, model: Classifier, batch: Batch) -> dict[str, torch.Tensor]:
    """Cross-entropy over the word classes. A fixed encoder runs as in test: no dropout, stored batch statistics."""
    model.encoder.train(not fixed)
    logits = model(batch.frames, batch.lengths)
    return {"loss": F.cross_entropy(logits, batch.labels, label_smoothing=label_smoothing)}


def train_classifier(
    clips: Path,
    init: Path | None,
    model_settings: Model,
    settings: Optimisation,
    fixed: bool,
    session: Session,
    identity: dict,
) -> None:
    """Train on the word classes; write the session's weights, history.csv, and predictions.csv and metrics.json of the
    test split.

    init: the run whose encoder is taken, None for random weights. fixed: the encoder learns nothing ("FE"), else it is
    trained on ("TE"). `identity` (corpus, run, seed, protocol) opens metrics.json.
    """
    store, device = ClipStore(clips), session.device
    if init is None:
        lip_reader, view = new_lip_reader(store, model_settings, device)
    else:
        lip_reader, view = checkpoint.restore(checkpoint.load(init, store.region), device)
    basis = fingerprint(session, [model_settings, settings], store, *([init] if init else []))
    resume = Resume(session.weights, basis)
    rows = {split: store.select(split) for split in ("train", "val", "test")}
    classes = 1 + max(clip.label for clip in store.index)
    model = Classifier(lip_reader.encoder, classes).to(device)
    model.encoder.requires_grad_(not fixed)
    progress = fit(
        model,
        settings,
        Training(store, rows["train"], settings.batch, view, device, session.seed),
        losses_of=partial(classifier_losses, settings.label_smoothing, fixed),
        validate=lambda: {"val_error": 1 - accuracy(store, classify(model, store, rows["val"], view, device))},
        select="val_error",
        start=0,
        session=session,
        resume=resume,
    )
    model.load_state_dict(progress.best_state)
    test = classify(model, store, rows["test"], view, device)
    if parallel.rank() > 0:
        return
    iteration = min(progress.history, key=lambda row: row["val_error"])["iteration"]
    content = facts(store, model_settings, view) | {"classes": classes}
    write_history(session.outcome, progress.history)
    write_predictions(session.outcome / "predictions.csv", named(store, test))
    scores = {"split": "test", "clips": len(test), "accuracy": accuracy(store, test)}
    write_metrics(session.outcome / "metrics.json", identity | scores)
    provenance.write(session, [model_settings, settings], model, progress.done, progress.seconds, progress.peak)
    checkpoint.save(session.weights, content | {"model": progress.best_state, "iteration": iteration})
    resume.remove()
