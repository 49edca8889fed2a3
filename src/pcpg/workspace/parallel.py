"""Data-parallel training under torchrun: every process takes its share of each batch, the first one writes."""

import atexit
import os
import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from pcpg.workspace.errors import SettingError


def begin(device: torch.device) -> None:
    """Join the other processes where torchrun started this one; alone, nothing happens."""
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if local_rank() >= count:
            raise SettingError("processes", f"more processes on this machine than GPUs ({count})")
        torch.cuda.set_device(device)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        atexit.register(dist.destroy_process_group)


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    """Number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def local_rank() -> int:
    """Number of this process on its machine, which is the number of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def gather(share: Any) -> list:
    """The shares of all processes, in the order of their ranks; every process gets the list."""
    if world() == 1:
        return [share]
    shares = [None] * world()
    dist.all_gather_object(shares, share)
    return shares


def add(values: torch.Tensor) -> torch.Tensor:
    """The sum of `values` over the processes, the same shape in each; no gradient passes."""
    if world() == 1:
        return values
    total = values.detach().clone()
    dist.all_reduce(total)
    return total


def means(values: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The mean of each scalar over the processes, the same in each, by one exchange."""
    if world() == 1:
        return values
    total = add(torch.stack([value.float() for value in values.values()])) / world()
    return dict(zip(values, total, strict=True))


def wrap(module: nn.Module) -> nn.Module:
    """A module whose gradients are averaged over the processes and whose batch statistics are those of all."""
    if world() == 1:
        return module
    _synchronise(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of the argument's new name, which torch 2.11 does not know
        return DistributedDataParallel(module, broadcast_buffers=False)


def alone(module: nn.Module) -> AbstractContextManager:
    """A context in which a wrapped module's gradients are not exchanged, but added up in each process."""
    return module.no_sync() if isinstance(module, DistributedDataParallel) else nullcontext()


class _Sum(torch.autograd.Function):
    """The sum over all processes, also of the gradients, since every process' loss depends on every share."""

    @staticmethod
    def forward(_, values: torch.Tensor) -> torch.Tensor:
        return add(values)

    @staticmethod
    def backward(_, gradient: torch.Tensor) -> torch.Tensor:
        return add(gradient)


class SyncBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation over the batches of all processes; torch's own of this name works on GPUs only."""

    def _check_input_dim(self, input: torch.Tensor) -> None:
        pass

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """maps (N, C, ...) -> the same shape."""
        if not self.training:
            return super().forward(maps)
        dims = [0, *range(2, maps.dim())]
        wide = maps.float()
        count = wide.new_tensor([maps.numel() / maps.shape[1]])
        sums = _Sum.apply(torch.cat([wide.sum(dims), wide.square().sum(dims), count]))
        total = sums[-1]
        mean, square = (sums[:-1] / total).chunk(2)
        variance = (square - mean.square()).clamp(min=0)
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * total / (total - 1), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        shape = [1, -1] + [1] * (maps.dim() - 2)
        return (wide * scale.view(shape) + (self.bias - mean * scale).view(shape)).to(maps.dtype)


def _synchronise(module: nn.Module) -> None:
    """Put a SyncBatchNorm in the place of each BatchNorm2d, with its own parameters: what is fixed stays fixed."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            replacement = SyncBatchNorm(child.num_features, child.eps, child.momentum)
            replacement.load_state_dict(child.state_dict())
            replacement.weight, replacement.bias = child.weight, child.bias
            setattr(module, name, replacement.to(child.weight.device).train(child.training))
        else:
            _synchronise(child)
