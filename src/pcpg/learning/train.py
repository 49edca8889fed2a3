"""Stage `train`: one run, with any initial weights and any objective; the baseline is a run too."""

from pathlib import Path

from pcpg.learning.epochs import training_of
from pcpg.learning.loop import fit
from pcpg.learning.observe import observe
from pcpg.learning.session import Session
from pcpg.learning.validate import BATCH, refuse_longer, validate
from pcpg.mouths.store import ClipStore
from pcpg.objectives.base import Context, of_run
from pcpg.objectives.stored import draw_texts
from pcpg.reader import checkpoint
from pcpg.reader.batches import in_order
from pcpg.reader.network import frozen
from pcpg.settings.training import Network, Run, ViewKeys


def train(
    clips: Path, start: Path | None, view: ViewKeys, network: Network, run: Run, max_length: int, session: Session
) -> None:
    """Write the session's weights (the best on validation), history and record.

    start: the initial weights, None for random ones. The evaluation before training is the first row of the history,
    but never selected as the best.
    """
    store, device, objective = ClipStore(clips), session.device, of_run(run)
    refuse_longer(store, max_length)
    model, clip_view, content = checkpoint.begin(store, start, view, network, device)
    training = training_of(store, run.optimisation, clip_view, device, session.seed)
    anchor = None if start is None else frozen(model)  # not saved: a resumed training makes it again
    own, stored = objective.own_parameters(model), None
    if objective.stored:
        once = in_order(store, training.rows, BATCH, training.view, device)
        stored = draw_texts(model, once, session.seed, max_length, objective.stored, objective.temperature)
    context = Context(max_length, anchor if objective.anchored else None, own, stored)
    rows = store.select("val")

    def evaluate() -> dict[str, float]:
        validated = validate(model, store, rows, clip_view, device, max_length)
        return validated | observe(model, anchor, training, max_length)

    fit(
        model,
        objective,
        context,
        run.optimisation,
        training,
        validate=evaluate,
        select="val_cer",
        session=session,
        sections={"view": view, "network": network, "run": run},
        content=content,
        start=start,
        first=[{"iteration": content["iteration"], "epoch": 0, **evaluate()}],
    )
