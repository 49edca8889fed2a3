"""The training loop that baseline, policy-gradient runs and probes share."""

import inspect
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn

from pcpg.learning.monitor import Monitor
from pcpg.learning.record import peak_memory
from pcpg.learning.resume import Resume
from pcpg.learning.session import Session
from pcpg.reader.batches import Batch, Training, ahead
from pcpg.settings.schema import Optimisation
from pcpg.workspace import parallel
from pcpg.workspace.errors import InputError
from pcpg.workspace.seeding import stream

Losses = dict[str, torch.Tensor]
SAVE_SECONDS = 120.0  # at most so long between two saved states


def make_optimiser(parameters: list[nn.Parameter], settings: Optimisation) -> torch.optim.Optimizer:
    kind = torch.optim.Adam if settings.optimiser == "adam" else torch.optim.AdamW
    return _uncompiled(kind)(parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)


def _uncompiled(kind: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """The same without torch's wrappers for its compiler, whose import alone takes each job two seconds."""
    wrapped = ("add_param_group", "zero_grad", "state_dict", "load_state_dict", "step")
    bare = {name: inspect.unwrap(getattr(kind, name)) for name in wrapped}
    return type(kind.__name__, (kind,), bare | {"step": torch.no_grad()(bare["step"])})  # one wrapper did that too


def make_schedule(optimiser: torch.optim.Optimizer, settings: Optimisation, updates: int):
    """The learning rate as a function of the update; nothing is ever lowered by hand."""
    if settings.schedule == "one_cycle":
        return torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, total_steps=updates + 1)
    if settings.schedule == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=updates)
    return torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)


class Objective(nn.Module):
    """A model with its losses, so that one forward pass gives what is to be minimised."""

    def __init__(self, model: nn.Module, losses_of: Callable[[nn.Module, Batch], Losses], session: Session):
        super().__init__()
        self.model, self.losses_of = model, losses_of
        enabled = session.precision == "bfloat16"
        self.autocast = torch.autocast(session.device.type, torch.bfloat16, enabled=enabled)

    def forward(self, batch: Batch) -> Losses:
        with self.autocast:
            return self.losses_of(self.model, batch)


@dataclass
class Progress:
    """How far a training has come; plain values and tensors, so that it can be saved."""

    done: int = 0  # updates
    best: float = math.inf
    best_state: dict | None = None
    history: list[dict] = field(default_factory=list)
    recent: dict[str, list[torch.Tensor]] = field(default_factory=dict)  # values since the last evaluation
    seconds: float = 0.0  # over all parts of a training that was broken off
    peak: int = 0  # bytes of memory

    def note(self, losses: Losses) -> None:
        self.done += 1
        for key, value in losses.items():
            self.recent.setdefault(key, []).append(value)

    def record(self, row: dict, validated: dict[str, float], select: str, model: nn.Module) -> None:
        """A row of the history, and the weights where they are the best so far."""
        norms = torch.stack(self.recent["gradient_norm"])
        means = {
            f"train_{key}": float(parallel.add(torch.stack(values).mean())) / parallel.world()
            for key, values in self.recent.items()
        }
        self.history.append(row | means | {"train_gradient_norm_sd": float(norms.std(correction=0))} | validated)
        self.recent = {}
        if validated[select] < self.best:
            self.best = validated[select]
            self.best_state = {key: value.detach().cpu().clone() for key, value in model.state_dict().items()}


class Learner:
    """A model, its optimiser and its learning rate, which move together."""

    def __init__(self, model: nn.Module, losses_of, settings: Optimisation, updates: int, session: Session):
        self.model, self.clip_norm, self.accumulate = model, settings.clip_norm, settings.accumulate
        self.objective = parallel.wrap(Objective(model, losses_of, session))
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.optimiser = make_optimiser(self.parameters, settings)
        self.schedule = make_schedule(self.optimiser, settings, updates)

    def update(self, batch: Batch) -> Losses:
        """One step down the gradient of "loss", its norm clipped -> losses and norm; stops with the clips on NaN.

        Of the parts of a batch the gradients are added up, and the processes exchange them once, with the last part.
        """
        self.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        *earlier, last = batch.parts(self.accumulate)
        with parallel.alone(self.objective):
            shares = [self._gradient(part) for part in earlier]
        shares.append(self._gradient(last))
        losses = {key: sum(share[key] for share in shares) for key in shares[0]}
        norm = nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        if not torch.isfinite(norm):
            what = f"the loss is {losses['loss'].item()} and its gradient not finite; nothing was learned from them"
            raise InputError(f"clips {', '.join(batch.clips)}", what)
        self.optimiser.step()
        self.schedule.step()
        return losses | {"gradient_norm": norm}

    def _gradient(self, part: Batch) -> Losses:
        """Add the gradient of a part -> its losses, as they count in those of the batch."""
        losses = {key: value * part.weight for key, value in self.objective(part).items()}
        losses["loss"].backward()
        return {key: value.detach() for key, value in losses.items()}

    def state(self) -> dict:
        parts = {"model": self.model, "optimiser": self.optimiser, "schedule": self.schedule}
        return {name: part.state_dict() for name, part in parts.items()}

    def load(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])


def fit(
    model: nn.Module,
    settings: Optimisation,
    training: Training,
    losses_of: Callable[[nn.Module, Batch], Losses],
    validate: Callable[[], dict[str, float]],
    select: str,
    start: int,
    session: Session,
    resume: Resume,
) -> Progress:
    """Train, and keep the weights of the evaluation with the lowest `select`, a quantity that `validate` returns.

    losses_of: the losses of a batch, "loss" the one to minimise; their means since the last evaluation go into the
    history as train_*. start: iterations behind the initial weights. All that is random follows from the session's
    seed, the update and the clip, so a training that goes on from `resume` ends in the same bytes.
    """
    total = settings.epochs * len(training)
    due = {math.ceil(total * (i + 1) / settings.evaluations) for i in range(settings.evaluations)}
    learner = Learner(model, losses_of, settings, total, session)
    progress = restore(resume, learner, session.device)
    clock = time.monotonic() - progress.seconds
    batches = training.batches(progress.done, total)
    if session.device.type == "cuda":  # else the thread would only take the processor from the training
        batches = ahead(batches)
    with Monitor(session, training, settings.epochs, progress.done) as monitor:
        for batch in monitor.watch(batches):
            torch.manual_seed(stream(session.seed, progress.done, parallel.rank()))  # of dropout
            epoch, rate = 1 + progress.done // len(training), learner.schedule.get_last_lr()[0]
            progress.note(learner.update(batch))
            row = {"iteration": start + progress.done, "epoch": epoch, "learning_rate": rate}
            evaluated = progress.done in due
            if evaluated:
                progress.record(row, validate(), select, model)
            monitor.advance(progress.done, progress.history[-1] if evaluated else None)
            progress.seconds = time.monotonic() - clock
            progress.peak = max(progress.peak, peak_memory(session.device))
            if parallel.rank() == 0 and (evaluated or resume.age() > SAVE_SECONDS):
                resume.save(learner.state() | {"progress": vars(progress)})
    return progress


def restore(resume: Resume, learner: Learner, device: torch.device) -> Progress:
    """Put the learner where an unfinished training left it, if there is one -> how far it had come."""
    saved = resume.load()
    if saved is None:
        return Progress()
    learner.load(saved)
    progress = Progress(**saved["progress"])
    progress.recent = {key: [value.to(device) for value in values] for key, values in progress.recent.items()}
    return progress
