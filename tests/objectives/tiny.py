"""A decoder so small that all its transcriptions can be counted: for exact gradients, shared by tests of objectives.

The real decoder cut down to the classes "a", "b" and end, over at most three steps: fifteen transcriptions.
"""

import torch
from rapidfuzz.distance import Levenshtein
from torch import nn

from pcpg.objectives.base import Context, Objective
from pcpg.reader.batches import Batch
from pcpg.reader.network import Decoder, Memory
from pcpg.reader.text import BEGIN, END, encode, to_batch

STEPS, ALPHABET = 3, [*encode("ab"), END]


class Tiny(nn.Module):
    """A decoder that sees the same clip in every row; all but three classes are impossible."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.decoder = Decoder(memory=4, state=4, layers=2, hidden=5, embedding=3, attention=4, dropout=0.0)
        with torch.no_grad():
            for parameter in self.decoder.parameters():
                parameter.mul_(3)  # far from uniform
            closed = [c for c in range(40) if c not in ALPHABET]
            self.decoder.output.weight[closed] = 0
            self.decoder.output.bias[closed] = -1e4
        self.outputs, self.state = torch.randn(1, 6, 4), torch.randn(1, 4)

    def encode(self, frames: torch.Tensor, lengths: torch.Tensor) -> Memory:
        outputs, state = self.outputs.expand(len(frames), -1, -1), self.state.expand(len(frames), -1)
        return self.decoder.remember(outputs, torch.ones(len(frames), 6, dtype=torch.bool), state)

    def gradient(self, loss: torch.Tensor) -> torch.Tensor:
        found = torch.autograd.grad(loss, list(self.decoder.parameters()))
        return torch.cat([part.flatten() for part in found])


def all_transcriptions() -> list[list[int]]:
    found = []

    def extend(prefix: list[int]) -> None:
        if len(prefix) == STEPS or prefix[-1:] == [END]:
            found.append(prefix)
        else:
            for character in ALPHABET:
                extend([*prefix, character])

    extend([])
    assert len(found) == 15
    return found


def log_policy(tiny: Tiny, sequence: list[int], temperature: float) -> torch.Tensor:
    """log p (U, C) of every step of one transcription, one step after the other."""
    memory, rows = tiny.encode(torch.zeros(1), torch.ones(1)), []
    state, before = memory.state, BEGIN
    for character in sequence:
        logits, state, _ = tiny.decoder.step(torch.tensor([before]), state, memory)
        rows.append((logits[0] / temperature).log_softmax(dim=0))
        before = character
    return torch.stack(rows)


def plain_rewards(sequence: list[int], reference: list[int]) -> list[int]:
    text = [c for c in sequence if c != END]
    distances = [Levenshtein.distance(text[:u], reference) for u in range(len(text) + 1)]
    earned = [distances[u] - distances[u + 1] for u in range(len(text))]
    return earned + [0] * (len(sequence) - len(text))


def batch_of_tiny(count: int, first_seed: int = 0) -> Batch:
    """So many times the clip of "ab", each with draws of its own."""
    targets, lengths = to_batch(["ab"] * count)
    full, rows = torch.ones(count), list(range(count))
    return Batch(full, full, targets, lengths, full, rows, [""] * count, [first_seed + row for row in rows])


def estimates(tiny: Tiny, objective: Objective, draws: int) -> torch.Tensor:
    """(draws, parameters): the gradient of that many independent updates, of 300 clips each."""
    context = Context(STEPS)
    losses = (objective.losses(tiny, batch_of_tiny(300, 1000 * number), context) for number in range(draws))
    return torch.stack([tiny.gradient(each["loss"]) for each in losses])
