"""The training loop of all runs and classifiers."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from pydantic import BaseModel
from torch import nn

from pcpg.learning.epochs import Training, ahead
from pcpg.learning.monitor import Monitor
from pcpg.learning.optimise import NormalisedMomentum, make_optimiser, make_schedule
from pcpg.learning.record import peak_memory, write_history, write_record
from pcpg.learning.resume import Resume, fingerprint
from pcpg.learning.session import Session
from pcpg.objectives.base import Context, Losses, Objective
from pcpg.reader import checkpoint
from pcpg.reader.batches import Batch
from pcpg.settings.training import Optimisation
from pcpg.workspace import parallel
from pcpg.workspace.device import tell
from pcpg.workspace.errors import InputError
from pcpg.workspace.seeding import stream

SAVE_SECONDS = 120.0  # at most so long between two saved states


class LossModule(nn.Module):
    """A network, its objective and the objective's own parameters: forward gives the losses of a batch."""

    def __init__(self, model: nn.Module, objective: Objective, context: Context, session: Session):
        super().__init__()
        self.model, self.objective, self.context = model, objective, context
        self.own = None if context.own is None else context.own.to(session.device)  # objectives do not know the device
        enabled = session.precision == "bfloat16"
        self.autocast = torch.autocast(session.device.type, torch.bfloat16, enabled=enabled)

    def forward(self, batch: Batch, drawn: object) -> Losses:
        with self.autocast:
            return self.objective.losses(self.model, batch, self.context, drawn)

    @torch.no_grad()
    def draw(self, batch: Batch) -> object:
        with self.autocast:
            return self.objective.draw(self.model, batch, self.context)


@dataclass
class Progress:
    """How far a training has come; plain values and tensors, so that it can be saved."""

    done: int = 0  # batches
    best: float = math.inf
    chosen: dict = field(default_factory=dict)  # "model", the weights of the best evaluation, and its "iteration"
    history: list[dict] = field(default_factory=list)
    recent: dict[str, list[torch.Tensor]] = field(default_factory=dict)  # losses since the last evaluation
    seconds: float = 0.0  # summed over all parts of an interrupted training
    peak: int = 0  # bytes of memory

    def note(self, losses: Losses) -> None:
        """Count a batch; keep its losses, means over the processes, so that all can resume from what one saves."""
        self.done += 1
        for key, value in parallel.means(losses).items():
            self.recent.setdefault(key, []).append(value)

    def evaluated(self, row: dict, validated: dict[str, float], select: str, model: nn.Module) -> None:
        """Add a row to the history; keep the weights if they are the best so far."""
        norms = torch.stack(self.recent["gradient_norm"])
        means = {f"train_{key}": float(torch.stack(values).mean()) for key, values in self.recent.items()}
        self.history.append(row | means | {"train_gradient_norm_sd": deviation(norms)} | validated)
        self.recent = {}
        if validated[select] < self.best:
            self.best = validated[select]
            weights = {key: value.detach().cpu().clone() for key, value in model.state_dict().items()}
            self.chosen = {"model": weights, "iteration": row["iteration"]}

    def stopped(self, select: str, stop: float | None) -> bool:
        """Whether the last evaluation was good enough to stop."""
        return stop is not None and bool(self.history) and self.history[-1][select] <= stop


def deviation(values: torch.Tensor) -> float:
    """Standard deviation (divided by N), by operations that every processor rounds alike."""
    values = values.double()
    return math.sqrt(float((values - values.mean()).square().mean()))


class Learner:
    """A network with its objective, optimiser and learning rate schedule."""

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        context: Context,
        settings: Optimisation,
        batches: int,
        session: Session,
    ):
        self.model, self.objective, self.settings, self.seed = model, objective, settings, session.seed
        self.batches = batches  # of the whole training
        if objective.anchored:
            without_dropout(model)
        self.unwrapped = LossModule(model, objective, context, session)
        self.loss_module = parallel.wrap(self.unwrapped)
        self.parameters = [parameter for parameter in self.loss_module.parameters() if parameter.requires_grad]
        self.optimiser = make_optimiser(self.parameters, settings)
        self.schedule = make_schedule(self.optimiser, settings, batches * objective.passes)
        self.saved = {"model": model, "optimiser": self.optimiser, "schedule": self.schedule}
        if context.own is not None:
            self.saved["own"] = context.own

    def learn(self, batch: Batch, number: int) -> Losses:
        """All passes over a batch, the `number`-th from 0 -> losses and gradient norm, means over the passes.

        All passes have the same dropout masks, so that ratios of probabilities depend on the weights alone. Each part
        of the batch has its own seed, since a draw may use more random numbers than a pass over it.
        """
        self.model.train()
        if self.objective.anchored:
            hold_statistics(self.model)
        self.unwrapped.context = replace(self.unwrapped.context, done=number / self.batches)
        parts = batch.parts(self.settings.accumulate)
        seeds = [stream(self.seed, number, parallel.rank(), place) for place in range(len(parts))]
        drawn = [self._draw(*one) if self.objective.passes > 1 else None for one in zip(seeds, parts, strict=True)]
        work = list(zip(seeds, parts, drawn, strict=True))
        updates = [self._update(batch, work) for _ in range(self.objective.passes)]
        return {key: sum(losses[key] for losses in updates) / len(updates) for key in updates[0]}

    def _draw(self, seed: int, part: Batch) -> object:
        torch.manual_seed(seed)
        return self.unwrapped.draw(part)

    def _update(self, batch: Batch, work: list[tuple[int, Batch, object]]) -> Losses:
        """One optimiser step on "loss", its gradient's norm clipped -> losses and norm.

        The gradients of a batch's parts are added; the processes exchange them once, with the last part. InputError
        that names the clips where the gradient is not finite.
        """
        self.optimiser.zero_grad(set_to_none=True)
        if isinstance(self.optimiser, NormalisedMomentum):
            self.optimiser.look_ahead()
        with parallel.alone(self.loss_module):
            shares = [self._gradient(*one) for one in work[:-1]]
        shares.append(self._gradient(*work[-1]))
        losses = {key: sum(share[key] for share in shares) for key in shares[0]}
        norm = nn.utils.clip_grad_norm_(self.parameters, self.settings.clip_norm)
        if not torch.isfinite(norm):
            what = f"the loss is {losses['loss'].item()} and its gradient not finite; nothing was learned from them"
            raise InputError(f"clips {', '.join(batch.clips)}", what)
        self.optimiser.step()
        self.schedule.step()
        return losses | {"gradient_norm": norm}

    def _gradient(self, seed: int, part: Batch, drawn: object) -> Losses:
        """Add the gradient of a part -> its losses times its weight in the batch."""
        torch.manual_seed(seed)
        losses = {key: value * part.weight for key, value in self.loss_module(part, drawn).items()}
        losses["loss"].backward()
        return {key: value.detach() for key, value in losses.items()}

    def state(self) -> dict:
        return {name: part.state_dict() for name, part in self.saved.items()}

    def load(self, state: dict) -> None:
        for name, part in self.saved.items():
            part.load_state_dict(state[name])


def without_dropout(model: nn.Module) -> None:
    """For the whole training: the policy and the anchor must differ by their weights alone."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        elif isinstance(module, nn.GRU):
            module.dropout = 0.0


def hold_statistics(model: nn.Module) -> None:
    """Batch normalisation with the statistics of the run's first weights, as in the anchor."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def fit(
    model: nn.Module,
    objective: Objective,
    context: Context,
    settings: Optimisation,
    training: Training,
    validate: Callable[[], dict[str, float]],
    select: str,
    session: Session,
    sections: Mapping[str, BaseModel],
    content: dict,
    start: Path | None = None,
    first: Iterable[dict] = (),
) -> None:
    """Train; write the session's history, record and weights, those with the lowest `select` of what `validate` gives.

    context: of the objective, its `own` parameters are trained too; sections: the settings, by name, for the record;
    content: of the checkpoint beside the weights, its "iteration" that of the initial weights; start: their file;
    first: rows of the history before training. The objective's losses, means since the last evaluation, are train_* in
    the history. All random numbers follow from the session's seed, the batch and the clip, so a resumed training ends
    in the same bytes. InputError that names the clips where a gradient is not finite.
    """
    identity = fingerprint(session, [sections, context.max_length], training.store, start)
    resume = Resume(session.weights, identity)
    total = settings.epochs * len(training)
    due = {math.ceil(total * (i + 1) / settings.evaluations) for i in range(settings.evaluations)}
    learner = Learner(model, objective, context, settings, total, session)
    progress = restore(resume, learner, session.device)
    tell(session.device)
    clock = time.monotonic() - progress.seconds
    batches = training.batches(progress.done, progress.done if progress.stopped(select, settings.stop) else total)
    if session.device.type == "cuda":  # on a CPU the thread would only slow the training
        batches = ahead(batches)
    with Monitor(session, training, settings.epochs, progress.done) as monitor:
        for batch in monitor.watch(batches):
            epoch, rate = 1 + progress.done // len(training), learner.schedule.get_last_lr()[0]
            progress.note(learner.learn(batch, progress.done))
            row = {"iteration": content["iteration"] + progress.done, "epoch": epoch, "learning_rate": rate}
            evaluated = progress.done in due
            if evaluated:
                progress.evaluated(row, validate(), select, model)
            monitor.advance(progress.done, progress.history[-1] if evaluated else None)
            progress.seconds = time.monotonic() - clock
            progress.peak = max(progress.peak, peak_memory(session.device))
            if parallel.rank() == 0 and (evaluated or resume.age() > SAVE_SECONDS):
                resume.save(learner.state() | {"progress": vars(progress)})
            if evaluated and progress.stopped(select, settings.stop):
                break
    if parallel.rank() == 0:
        write_history(session.history, [*first, *progress.history])
        write_record(session, model, progress, sections)
        checkpoint.save(session.weights, content | progress.chosen)  # after the others: both engines wait for it
        resume.remove()


def restore(resume: Resume, learner: Learner, device: torch.device) -> Progress:
    """Load the state of an unfinished training, if there is one, into the learner -> its progress."""
    saved = resume.load()
    if saved is None:
        return Progress()
    learner.load(saved)
    progress = Progress(**saved["progress"])
    progress.recent = {key: [value.to(device) for value in values] for key, values in progress.recent.items()}
    return progress
