"""The seq2seq lip-reader of Section III-A: 3D stem, ResNet body, Bi-GRU encoder, attention GRU decoder.

Shape letters: N clips, M texts of each, R rows of the decoder (as many for each clip), T video frames, S encoder steps,
U or U' decoder steps (characters), C classes, F/E/D/A width of front-end/encoder/decoder/attention, L decoder layers.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from pcpg.reader.padding import within
from pcpg.reader.text import BEGIN, CLASSES, END


class Memory(NamedTuple):
    """What the decoder is given of N clips."""

    outputs: torch.Tensor  # (N, S, E), O_e of Eq. 1
    keys: torch.Tensor  # (N, S, A), outputs projected for the attention
    mask: torch.Tensor  # (N, S), True for real steps
    state: torch.Tensor  # (L, N, D), the decoder's first state, from h_e of Eq. 1


class Stem(nn.Conv3d):
    """A 3D convolution of grey frames, computed as a 2D convolution over stacked frames: same result, faster."""

    def __init__(self, channels: int, kernel: list[int], stride: list[int]):
        super().__init__(1, channels, tuple(kernel), tuple(stride), tuple(k // 2 for k in kernel), bias=False)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """frames (N, T, H, W) -> maps (N * S, channels, H', W'), channels last in memory, for speed."""
        reach = self.padding[0]
        stacks = F.pad(frames, (0, 0, 0, 0, reach, reach)).unfold(1, self.kernel_size[0], self.stride[0])
        stacks = stacks.flatten(0, 1).permute(0, 3, 1, 2)  # (N * S, kernel's frames, H, W)
        weight = self.weight[:, 0].contiguous(memory_format=torch.channels_last)
        return F.conv2d(stacks, weight, stride=self.stride[1:], padding=self.padding[1:])


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: the basic block of ResNet-18 (He et al., 2016, figure 5).

    The same numbers under the same names as torchvision's BasicBlock, whose import would cost each job two seconds.
    """

    def __init__(self, before: int, width: int, stride: int = 1):
        super().__init__()
        shortcut = None
        if stride != 1 or before != width:
            shortcut = nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        self.conv1 = nn.Conv2d(before, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = shortcut

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """maps (N, before, H, W) -> (N, width, H / stride, W / stride)."""
        inner = F.relu(self.bn1(self.conv1(maps)), inplace=True)
        shortcut = maps if self.downsample is None else self.downsample(maps)
        return F.relu(self.bn2(self.conv2(inner)) + shortcut, inplace=True)


class FrontEnd(nn.Module):
    """Conv3d stem, then residual stages on each time step.

    widths 64, 128, 256, 512 with 2 blocks are the body of ResNet-18.
    """

    def __init__(self, channels: int, kernel: list[int], stride: list[int], pool: bool, widths: list[int], blocks: int):
        super().__init__()
        self.time_stride = stride[0]
        self.stem = Stem(channels, kernel, stride)
        self.activation = nn.Sequential(
            nn.BatchNorm2d(channels), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1) if pool else nn.Identity()
        )
        stages, before = [], channels
        for index, width in enumerate(widths):
            first = ResidualBlock(before, width, stride=1 if index == 0 else 2)
            stages.append(nn.Sequential(first, *(ResidualBlock(width, width) for _ in range(blocks - 1))))
            before = width
        self.body = nn.Sequential(*stages)
        self.width = before

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """frames (N, T, H, W), lengths (N,) -> features (N, S, F), lengths (N,) in encoder steps."""
        features = self.body(self.activation(self.stem(frames))).mean(dim=(2, 3))  # (N * S, F)
        return features.view(len(frames), -1, self.width), (lengths + self.time_stride - 1) // self.time_stride


class Encoder(nn.Module):
    """Eq. 1: front-end and Bi-GRU, (h_e, O_e) = Encoder(X)."""

    def __init__(self, front_end: FrontEnd, layers: int, hidden: int, directions: str, dropout: float):
        super().__init__()
        self.front_end = front_end
        self.gru = nn.GRU(
            front_end.width, hidden, layers, batch_first=True, bidirectional=True, dropout=dropout if layers > 1 else 0
        )
        self.dropout = nn.Dropout(dropout)
        self.directions = directions
        self.width = hidden if directions == "sum" else 2 * hidden

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """frames (N, T, H, W), lengths (N,) -> outputs (N, S, E), mask (N, S), last layer's state (N, 2 * hidden)."""
        features, lengths = self.front_end(frames, lengths)
        steps = features.shape[1]
        packed = pack_padded_sequence(features, lengths.cpu(), batch_first=True, enforce_sorted=False)
        packed, state = self.gru(packed)
        outputs, _ = pad_packed_sequence(packed, batch_first=True, total_length=steps)
        if self.directions == "sum":
            forward, backward = outputs.chunk(2, dim=2)
            outputs = forward + backward
        mask = within(lengths, steps)
        return self.dropout(outputs), mask, torch.cat([state[-2], state[-1]], dim=1)


class Decoder(nn.Module):
    """Eq. 2: additive attention on the top hidden state, a GRU over [character; context], logits from both."""

    def __init__(
        self, memory: int, state: int, layers: int, hidden: int, embedding: int, attention: int, dropout: float
    ):
        super().__init__()
        self.bridge = nn.Linear(state, layers * hidden)
        self.embedding = nn.Embedding(CLASSES, embedding)
        self.key = nn.Linear(memory, attention, bias=False)
        self.query = nn.Linear(hidden, attention)
        self.energy = nn.Linear(attention, 1, bias=False)
        sizes = [embedding + memory] + [hidden] * (layers - 1)
        self.cells = nn.ModuleList(nn.GRUCell(size, hidden) for size in sizes)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden + memory, CLASSES)

    def remember(self, outputs: torch.Tensor, mask: torch.Tensor, state: torch.Tensor) -> Memory:
        """What all decoder steps share, from the encoder's outputs (N, S, E), mask (N, S), state (N, 2 * hidden)."""
        first = torch.tanh(self.bridge(state)).view(len(state), len(self.cells), -1).transpose(0, 1)
        return Memory(outputs, self.key(outputs), mask, first)

    def step(
        self, characters: torch.Tensor, state: torch.Tensor, memory: Memory
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """characters (R,), state (L, R, D) -> logits (R, C), state (L, R, D), attention weights (R, S).

        The R / N rows of a clip stand side by side and share its memory.
        """
        count = len(memory.outputs)
        query = self.query(state[-1]).view(count, len(characters) // count, 1, -1)
        energies = self.energy((memory.keys[:, None] + query).tanh_()).squeeze(3)  # (N, R / N, S)
        weights = energies.masked_fill(~memory.mask[:, None], -torch.inf).softmax(dim=2)
        context = torch.bmm(weights, memory.outputs).flatten(0, 1)  # (R, E)
        hidden, states = torch.cat([self.embedding(characters), context], dim=1), []
        for layer, cell in enumerate(self.cells):
            hidden = cell(hidden if layer == 0 else self.dropout(hidden), state[layer])
            states.append(hidden)
        logits = self.output(self.dropout(torch.cat([hidden, context], dim=1)))
        return logits, torch.stack(states), weights.flatten(0, 1)

    def unroll(
        self, memory: Memory, choose: Callable[[int, torch.Tensor], torch.Tensor], steps: int, rows_per_clip: int = 1
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Run up to `steps` steps; choose(u, logits (R, C)) -> the characters (R,) of step u, which step u + 1 is fed.

        Teacher forcing, greedy decoding and sampling differ only in `choose`. Stops once every row has emitted the end
        symbol. -> logits (R, U, C), characters (R, U).
        """
        character = torch.full((len(memory.outputs) * rows_per_clip,), BEGIN, device=memory.outputs.device)
        ended = torch.zeros_like(character, dtype=torch.bool)
        state, logits, characters = memory.state.repeat_interleave(rows_per_clip, 1), [], []
        check_every = 1 if ended.device.type == "cpu" else 8  # steps; reading a GPU result waits for the GPU
        for u in range(steps):
            step_logits, state, _ = self.step(character, state, memory)
            character = choose(u, step_logits)
            logits.append(step_logits)
            characters.append(character)
            ended = ended | (character == END)
            if u % check_every == check_every - 1 and bool(ended.all()):
                break
        emitted = torch.stack(characters, dim=1)
        unfinished = ~(emitted == END).cumsum(dim=1).bool().all(dim=0)  # (U,), after each step
        needed = min(int(unfinished.sum()) + 1, len(logits))
        return torch.stack(logits[:needed], dim=1), emitted[:, :needed]


class LipReader(nn.Module):
    """Encoder and decoder, from the sizes in params.yaml."""

    def __init__(
        self, *, stem_channels: int, stem_kernel: list[int], stem_stride: list[int], stem_pool: bool, widths: list[int],
        blocks: int, encoder_layers: int, encoder_hidden: int, directions: str, decoder_layers: int,
        decoder_hidden: int, embedding: int, attention: int, dropout: float,
    ):  # fmt: skip
        super().__init__()
        front_end = FrontEnd(stem_channels, stem_kernel, stem_stride, stem_pool, widths, blocks)
        self.encoder = Encoder(front_end, encoder_layers, encoder_hidden, directions, dropout)
        self.decoder = Decoder(
            self.encoder.width, 2 * encoder_hidden, decoder_layers, decoder_hidden, embedding, attention, dropout
        )

    def encode(self, frames: torch.Tensor, lengths: torch.Tensor) -> Memory:
        """frames (N, T, H, W) normalised, lengths (N,) -> the decoder's memory."""
        return self.decoder.remember(*self.encoder(frames, lengths))


def frozen(model: nn.Module) -> nn.Module:
    """A copy in eval mode that is not trained: an anchor or a mask policy."""
    copy = deepcopy(model).eval().requires_grad_(False)
    for module in copy.modules():
        if isinstance(module, nn.GRU):
            module.flatten_parameters()  # into one block of memory, as cuDNN needs them
    return copy


@contextmanager
def in_test(model: nn.Module) -> Iterator[None]:
    """Eval mode inside the `with` block; afterwards each module has its mode again."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


class Classifier(nn.Module):
    """Section IV-F: the encoder with a fully connected layer on the time-mean of its outputs."""

    def __init__(self, encoder: Encoder, classes: int):
        super().__init__()
        self.encoder = encoder
        self.output = nn.Linear(encoder.width, classes)

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """frames (N, T, H, W) normalised, lengths (N,) -> logits (N, classes)."""
        outputs, mask, _ = self.encoder(frames, lengths)
        mean = (outputs * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return self.output(mean)
