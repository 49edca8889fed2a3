"""The training loop that baseline, policy-gradient runs and probes share."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import nn
from tqdm import tqdm

from pcpg.batches import Batch
from pcpg.errors import InputError
from pcpg.params import Optimisation

Losses = dict[str, torch.Tensor]


def make_optimiser(parameters: list[nn.Parameter], settings: Optimisation) -> torch.optim.Optimizer:
    kind = torch.optim.Adam if settings.optimiser == "adam" else torch.optim.AdamW
    return kind(parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)


def make_schedule(optimiser: torch.optim.Optimizer, settings: Optimisation, updates: int):
    """The learning rate as a function of the update; nothing is ever lowered by hand."""
    if settings.schedule == "one_cycle":
        return torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, total_steps=updates + 1)
    if settings.schedule == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=updates)
    return torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)


def update(model: nn.Module, optimiser: torch.optim.Optimizer, losses: Losses, clip_norm: float, batch: Batch) -> None:
    """One step down the gradient of losses["loss"], its norm clipped; stops with the batch's rows on NaN."""
    optimiser.zero_grad(set_to_none=True)
    losses["loss"].backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    if not torch.isfinite(norm):
        raise InputError(f"clips {batch.rows}", f"the loss is {losses['loss'].item()} and its gradient not finite")
    optimiser.step()


def fit(
    model: nn.Module,
    settings: Optimisation,
    epoch: Callable[[], Iterator[Batch]],
    updates_per_epoch: int,
    losses_of: Callable[[Batch], Losses],
    validate: Callable[[], dict[str, float]],
    select: str,
    start: int,
    name: str,
) -> tuple[dict, list[dict]]:
    """Train, and keep the weights of the evaluation with the lowest `select`, a quantity that `validate` returns.

    losses_of: the losses of a batch, "loss" the one to minimise; their means since the last evaluation go into the
    history as train_*. start: iterations behind the initial weights. -> best state_dict, history.
    """
    total = settings.epochs * updates_per_epoch
    due = {math.ceil(total * (i + 1) / settings.evaluations) for i in range(settings.evaluations)}
    optimiser = make_optimiser([p for p in model.parameters() if p.requires_grad], settings)
    schedule = make_schedule(optimiser, settings, total)
    history, best, best_state, sums, done = [], math.inf, None, {}, 0
    with tqdm(total=total, desc=name, unit="update", mininterval=5.0) as bar:
        for number in range(settings.epochs):
            for batch in epoch():
                model.train()
                losses = losses_of(batch)
                update(model, optimiser, losses, settings.clip_norm, batch)
                schedule.step()
                done += 1
                bar.update()
                for key, value in losses.items():
                    sums.setdefault(f"train_{key}", []).append(value.detach())
                if done in due:
                    row = {"iteration": start + done, "epoch": number + 1}
                    row |= {key: float(torch.stack(values).mean()) for key, values in sums.items()}
                    row |= validate()
                    history.append(row)
                    sums = {}
                    bar.set_postfix({select: f"{row[select]:.3f}"})
                    if row[select] < best:
                        best, best_state = row[select], copy_state(model)
    return best_state, history


def copy_state(model: nn.Module) -> dict:
    return {key: value.detach().cpu().clone() for key, value in model.state_dict().items()}
