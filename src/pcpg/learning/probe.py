"""Stage `probe`: word classifiers on the encoder (Section IV-F, Table III)."""

from pathlib import Path
from typing import Any

import torch.nn.functional as F

from pcpg.learning.epochs import training_of
from pcpg.learning.loop import fit
from pcpg.learning.session import Session
from pcpg.learning.validate import accuracy, classify
from pcpg.mouths.store import ClipStore
from pcpg.objectives.base import Context, Losses, Objective
from pcpg.reader import checkpoint
from pcpg.reader.batches import Batch
from pcpg.reader.network import Classifier
from pcpg.settings.training import Classifier as Settings
from pcpg.settings.training import Network, ViewKeys


class Classification(Objective):
    """Cross-entropy over the word classes."""

    label_smoothing: float
    fixed: bool  # the encoder is not trained and in eval mode: no dropout, stored batch statistics

    def losses(self, model: Classifier, batch: Batch, context: Context, drawn: Any = None) -> Losses:
        model.encoder.train(not self.fixed)
        logits = model(batch.frames, batch.lengths)
        return {"loss": F.cross_entropy(logits, batch.labels, label_smoothing=self.label_smoothing)}


def train_classifier(
    clips: Path,
    start: Path | None,
    view: ViewKeys,
    network: Network,
    settings: Settings,
    session: Session,
) -> None:
    """Train on the word classes; write the session's weights, history and record.

    start: the weights whose encoder is taken, with its network and view; None for random ones.
    """
    store, device, fixed = ClipStore(clips), session.device, settings.encoder == "fixed"
    lip_reader, clip_view, content = checkpoint.begin(store, start, view, network, device)
    rows = store.select("val")
    classes = 1 + max(clip.label for clip in store.index)
    model = Classifier(lip_reader.encoder, classes).to(device)
    model.encoder.requires_grad_(not fixed)
    fit(
        model,
        Classification(label_smoothing=settings.label_smoothing, fixed=fixed),
        Context(max_length=1),
        settings.optimisation,
        training_of(store, settings.optimisation, clip_view, device, session.seed),
        validate=lambda: {"val_error": 1 - accuracy(store, classify(model, store, rows, clip_view, device))},
        select="val_error",
        session=session,
        sections={"view": view, "network": network, "classifier": settings},
        content=content | {"classes": classes, "iteration": 0},
        start=start,
    )
