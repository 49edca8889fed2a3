"""Stage `train`: one run, whatever it begins with and whatever it minimises; the baseline is one of them."""

from copy import deepcopy
from pathlib import Path

from pcpg.learning.epochs import Training
from pcpg.learning.loop import fit
from pcpg.learning.record import write_history, write_record
from pcpg.learning.resume import Resume, fingerprint
from pcpg.learning.session import Session
from pcpg.learning.validate import validate
from pcpg.mouths.store import ClipStore
from pcpg.objectives.base import Context, of_run
from pcpg.reader import checkpoint
from pcpg.reader.network import LipReader
from pcpg.settings.schema import Network, Run, ViewKeys
from pcpg.workspace import parallel


def train(
    clips: Path, start: Path | None, view: ViewKeys, network: Network, run: Run, max_length: int, session: Session
) -> None:
    """From the weights at `start`, None for random ones, write the session's weights (the best on validation), its
    history, whose first row is the start, and its record. A run may not choose its own start.
    """
    store, device, objective = ClipStore(clips), session.device, of_run(run)
    model, seen, content = _begin(store, start, view, network, device)
    context = Context(max_length, _anchor(model) if objective.anchored else None, objective.own_parameters(model))
    rows = store.select("val")
    identity = fingerprint(session, [view, network, run, max_length], store, *filter(None, [start]))
    resume = Resume(session.weights, identity)

    def evaluate() -> dict[str, float]:
        return validate(model, store, rows, seen, device, max_length)

    first = {"iteration": content["iteration"], "epoch": 0, **evaluate()}
    progress = fit(
        model,
        objective,
        context,
        run.optimisation,
        Training(store, store.select("train"), run.optimisation.batch, seen, device, session.seed),
        validate=evaluate,
        select="val_cer",
        start=content["iteration"],
        session=session,
        resume=resume,
    )
    if parallel.rank() > 0:
        return
    iteration = min(progress.history, key=lambda row: row["val_cer"])["iteration"]
    write_history(session.history, [first, *progress.history])
    write_record(session, model, progress, {"view": view, "network": network, "run": run})
    checkpoint.save(session.weights, content | {"model": progress.best_state, "iteration": iteration})
    resume.remove()


def _begin(store: ClipStore, start: Path | None, view: ViewKeys, network: Network, device):
    """-> network, its view of the clips, and what its checkpoint holds beside the weights."""
    if start is None:
        model, seen = checkpoint.new_lip_reader(store, view, network, device)
        return model, seen, checkpoint.describe(store, view, network, seen)
    content = checkpoint.load(start, store.region)
    return *checkpoint.restore(content, device), content


def _anchor(model: LipReader) -> LipReader:
    """A frozen copy of the start; since a broken-off training begins with the same start, it needs no saving."""
    return deepcopy(model).eval().requires_grad_(False)
