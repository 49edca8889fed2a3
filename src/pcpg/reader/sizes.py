"""What the network costs: its parameters, and the FLOPs of a clip's forward pass, by part."""

from typing import NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pcpg.reader.network import LipReader
from pcpg.settings.training import Network, ViewKeys
from pcpg.workspace.errors import InputError

# not counted: normalisation, activations, softmax and pooling
RULE = "One multiply-add is 2 FLOPs; convolutions and matrix products are counted, what works element by element not."
PARTS = {
    "stem": ("encoder.front_end.stem", "encoder.front_end.activation"),
    "residual body": ("encoder.front_end.body",),
    "encoder GRU": ("encoder.gru",),
    "attention": ("decoder.key", "decoder.query", "decoder.energy"),
    "decoder GRU": ("decoder.bridge", "decoder.cells"),  # the bridge makes its first state
    "embedding and output": ("decoder.embedding", "decoder.output"),
}


class Size(NamedTuple):
    parameters: int
    flops: int  # of one clip's forward pass


class _Clip(nn.Module):
    """A clip's forward pass as one module: the counter names parts relative to the outermost module."""

    def __init__(self, model: LipReader):
        super().__init__()
        self.model = model

    def forward(self, clip: torch.Tensor, characters: int) -> None:
        memory = self.model.encode(clip, torch.tensor([clip.shape[1]]))
        self.model.decoder.unroll(memory, lambda u, logits: torch.zeros(1, dtype=torch.long), characters)


@torch.no_grad()
def measure(view: ViewKeys, network: Network, frames: int, characters: int) -> dict[str, Size]:
    """Part -> its size, for a clip of `frames` video frames and `characters` decoder steps, the end symbol counted.

    One forward pass on the CPU is run and counted: seconds at the paper's size. InputError where a number is below 1.
    """
    for name, value in (("frames", frames), ("characters", characters)):
        if value < 1:
            raise InputError(name, f"{value} is not at least 1")
    model = LipReader(**network.model_dump()).eval()
    pixels = view.crop // view.pool
    with FlopCounterMode(display=False) as counter:
        _Clip(model)(torch.zeros(1, frames, pixels, pixels), characters)
    modules = [name for name, module in model.named_modules() if not list(module.children())]
    counted = counter.get_flop_counts()
    counts = {name: sum(counted.get(f"_Clip.model.{name}", {}).values()) for name in modules}
    flops = {part: sum(counts[name] for name in modules if name.startswith(of)) for part, of in PARTS.items()}
    flops["attention"] += counter.get_total_flops() - sum(counts.values())  # the weighted sum is not a module
    return {part: Size(_parameters(model, of), flops[part]) for part, of in PARTS.items()}


def _parameters(model: LipReader, modules: tuple[str, ...]) -> int:
    return sum(values.numel() for name, values in model.named_parameters() if name.startswith(modules))


def describe(view: ViewKeys, network: Network, frames: int, characters: int) -> str:
    """The sizes as a Markdown table; arguments and errors are those of `measure`."""
    sizes = measure(view, network, frames, characters)
    total = Size(*(sum(column) for column in zip(*sizes.values(), strict=True)))
    pixels = view.crop // view.pool
    lines = ["| part | parameters | forward GFLOP a clip | share |", "| --- | ---: | ---: | ---: |"]
    for part, size in [*sizes.items(), ("total", total)]:
        lines.append(f"| {part} | {size.parameters:,} | {size.flops / 1e9:.3f} | {size.flops / total.flops:.1%} |")
    lines += ["", f"A clip: {frames} frames of {pixels} x {pixels} pixels, {characters} decoder steps.", RULE]
    return "\n".join(lines)
