"""One pass of encoder and decoder that serves a forced text and freely sampled ones (Eq. 9-10)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F

from pcpg.objectives.cross_entropy import teacher
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader, Memory
from pcpg.reader.text import END


class Rollout(NamedTuple):
    """What one pass over a batch of N clips gives; the M samples of a clip stand side by side."""

    forced: torch.Tensor  # (N, U, C) logits under teacher forcing
    log_probs: torch.Tensor  # (N * M, U', C) of the policy where the samples went
    sampled: torch.Tensor  # (N * M, U') characters
    greedy: torch.Tensor  # (N, U') the likeliest characters; (0, U') where nobody asked for them

    @property
    def chosen(self) -> torch.Tensor:
        """(N * M, U'): log p of the sampled characters."""
        return self.log_probs.gather(2, self.sampled[:, :, None]).squeeze(2)


def sample(
    model: LipReader,
    memory: Memory,
    batch: Batch,
    max_length: int,
    *,
    samples: int,
    temperature: float = 1.0,
    sampling: str = "multinomial",
    greedy: bool = False,
    teacher_forcing: float = 1.0,
) -> Rollout:
    """One decoder pass over `memory`: of a clip's rows the first is teacher-forced, the next M = `samples` are drawn.

    The policy is the softmax of logits / temperature; sampling "argmax" takes its likeliest character. With `greedy`
    one row more takes the likeliest character.
    """
    count, longest = batch.targets.shape
    steps, drawn = max(longest, max_length), slice(1, 1 + samples)
    each = 1 + samples + greedy
    uniforms = batch.uniforms(1 + samples, steps)  # (N, 1 + M, U')
    force = teacher(F.pad(batch.targets, (0, steps - longest)), teacher_forcing, uniforms[:, 0])

    def choose(u: int, logits: torch.Tensor) -> torch.Tensor:
        logits = logits.detach().view(count, each, -1)
        chosen = logits.argmax(dim=2)
        chosen[:, 0] = force(u, logits[:, 0])
        if sampling == "multinomial":
            policy = (logits[:, drawn].float() / temperature).softmax(dim=2)
            chosen[:, drawn] = draw(policy, uniforms[:, 1:, u])
        return chosen.flatten()

    logits, characters = model.decoder.unroll(memory, choose, steps, each)
    logits, characters = logits.unflatten(0, (count, each)), characters.unflatten(0, (count, each))
    log_probs = (logits[:, drawn].float() / temperature).log_softmax(dim=3).flatten(0, 1)
    likeliest = characters[:, 1 + samples :].flatten(0, 1)
    return Rollout(logits[:, 0, :longest], log_probs, characters[:, drawn].flatten(0, 1), likeliest)


def draw(probabilities: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """probabilities (..., C), uniforms (...) in [0, 1) -> classes (...), by inversion of the distribution function."""
    cumulative = probabilities.double().cumsum(dim=-1)
    thresholds = uniforms.double()[..., None] * cumulative[..., -1:]
    return torch.searchsorted(cumulative, thresholds, right=True).squeeze(-1)


def steps_taken(characters: torch.Tensor) -> torch.Tensor:
    """characters (N, U) -> (N,): steps up to and with the first end symbol, U where there is none."""
    return (~(characters == END).cumsum(dim=1).bool()).sum(dim=1).add(1).clamp(max=characters.shape[1])


def before_end(characters: torch.Tensor) -> torch.Tensor:
    """characters (N, U) -> (N,): how many stand before the end symbol."""
    taken = steps_taken(characters)
    return taken - (characters.gather(1, (taken - 1)[:, None]).squeeze(1) == END).long()


def score(model: LipReader, memory: Memory, characters: torch.Tensor) -> torch.Tensor:
    """log p (N * M, U, C) of every step of given texts, the M = rows / N texts of a clip side by side."""
    rows, steps = characters.shape
    logits, _ = model.decoder.unroll(memory, lambda u, _: characters[:, u], steps, rows // len(memory.outputs))
    return logits.float().log_softmax(dim=2)
