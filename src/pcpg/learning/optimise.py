"""Optimisers and the course of their learning rates."""

import inspect

import torch
from torch import nn

from pcpg.settings.schema import Optimisation


def make_optimiser(parameters: list[nn.Parameter], settings: Optimisation) -> torch.optim.Optimizer:
    """Fused: the only one whose square roots come out alike on every processor, docs/reproducibility.md."""
    kind = torch.optim.Adam if settings.optimiser == "adam" else torch.optim.AdamW
    return uncompiled(kind)(parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True)


def uncompiled(kind: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """The same without torch's wrappers for its compiler, whose import alone takes each of a preset's jobs two seconds.

    Measured by `python -X importtime`; no longer needed once torch.optim imports torch._dynamo no more.
    """
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
