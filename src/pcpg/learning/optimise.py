"""Optimisers and learning rate schedules."""

import inspect
import math

import torch
from torch import nn

from pcpg.settings.training import Optimisation

ADAM = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def make_optimiser(parameters: list[nn.Parameter], settings: Optimisation) -> torch.optim.Optimizer:
    """The optimiser that `settings` name. Adam is fused: only then its square roots are the same on every processor.

    docs/reproducibility.md says more.
    """
    rate, decay, momentum = settings.learning_rate, settings.weight_decay, settings.momentum
    if settings.optimiser in ADAM:
        return uncompiled(ADAM[settings.optimiser])(parameters, lr=rate, weight_decay=decay, fused=True)
    if settings.optimiser == "sgd":
        return uncompiled(torch.optim.SGD)(parameters, lr=rate, weight_decay=decay, momentum=momentum)
    return uncompiled(NormalisedMomentum)(parameters, rate, momentum, looks_ahead=settings.optimiser == "npg_igt")


class NormalisedMomentum(torch.optim.Optimizer):
    """Steps as long as the learning rate, down a mean of gradients, d <- momentum d + (1 - momentum) g.

    looks_ahead: N-PG-IGT (Fatkhullin et al., 2023, Algorithm 1). Samples are drawn and the gradient is taken at
    theta + momentum / (1 - momentum) (theta - theta before), for which d is the exact gradient of a quadratic.
    """

    def __init__(self, parameters, lr: float, momentum: float, looks_ahead: bool):
        super().__init__(parameters, {"lr": lr})
        self.momentum, self.looks_ahead = momentum, looks_ahead

    @torch.no_grad()
    def look_ahead(self) -> None:
        """Call before each gradient: moves to where it is to be taken; `step` moves back first."""
        (group,) = self.param_groups
        for parameter in group["params"]:
            state = self.state[parameter]
            state["here"] = parameter.detach().clone()
            if self.looks_ahead and "before" in state:
                parameter += self.momentum / (1 - self.momentum) * (parameter - state["before"])

    @torch.no_grad()
    def step(self) -> None:
        (group,) = self.param_groups
        means = []
        for parameter in group["params"]:
            state = self.state[parameter]
            parameter.copy_(state.pop("here"))
            gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            first = "mean" not in state
            state["mean"] = gradient.clone() if first else state["mean"].lerp(gradient, 1 - self.momentum)
            state["before"] = parameter.detach().clone()
            means.append(state["mean"])
        length = math.sqrt(sum(float(mean.double().square().sum()) for mean in means))
        for parameter, mean in zip(group["params"], means, strict=True):
            parameter -= group["lr"] / max(length, 1e-12) * mean


def uncompiled(kind: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """The same class without the wrappers for torch's compiler, whose import alone takes two seconds in every job.

    Measured by `python -X importtime`; no longer needed once torch.optim imports torch._dynamo no more.
    """
    wrapped = ("add_param_group", "zero_grad", "state_dict", "load_state_dict", "step")
    bare = {name: inspect.unwrap(getattr(kind, name)) for name in wrapped}
    return type(kind.__name__, (kind,), bare | {"step": torch.no_grad()(bare["step"])})  # one wrapper did that too


def make_schedule(optimiser: torch.optim.Optimizer, settings: Optimisation, updates: int):
    """The schedule that `settings` name, over `updates` optimiser steps; call its `step` after each of them."""
    if settings.schedule == "one_cycle":
        cycled = {} if settings.optimiser in ADAM else {"cycle_momentum": False}
        return torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, total_steps=updates + 1, **cycled)
    if settings.schedule == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=updates)
    return torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)
