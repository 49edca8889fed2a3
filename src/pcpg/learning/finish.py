"""The end of a training: writes its history, its record, and last its weights, for which both engines wait."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel
from torch import nn

from pcpg.learning.loop import Progress
from pcpg.learning.record import write_history, write_record
from pcpg.learning.resume import Resume
from pcpg.learning.session import Session
from pcpg.reader import checkpoint
from pcpg.workspace import parallel


def finish(
    session: Session,
    model: nn.Module,
    progress: Progress,
    resume: Resume,
    select: str,
    content: dict,
    settings: Mapping[str, BaseModel],
    first: Iterable[dict] = (),
) -> None:
    """Write all three, and remove the saved state. Of several processes one writes.

    content: of the checkpoint, beside the weights; select: the quantity whose lowest value selects them; settings: by
    section, for the record; first: rows of the history before training.
    """
    if parallel.rank() > 0:
        return
    iteration = min(progress.history, key=lambda row: row[select])["iteration"]
    write_history(session.history, [*first, *progress.history])
    write_record(session, model, progress, settings)
    checkpoint.save(session.weights, content | {"model": progress.best_state, "iteration": iteration})
    resume.remove()
