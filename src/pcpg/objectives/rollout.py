"""One pass of encoder and decoder over the teacher-forced reference and over sampled (Eq. 9-10) or given texts."""

from typing import NamedTuple

import torch
import torch.nn.functional as F

from pcpg.objectives.cross_entropy import teacher
from pcpg.objectives.policy import NEVER, draw, log_policy, nucleus
from pcpg.reader.batches import Batch
from pcpg.reader.network import Decoder, LipReader, Memory
from pcpg.reader.padding import within
from pcpg.reader.text import BEGIN, END


class Rollout(NamedTuple):
    """What one pass over a batch of N clips gives; the M samples of a clip stand side by side."""

    forced: torch.Tensor  # (N, U, C) logits under teacher forcing
    log_probs: torch.Tensor  # (N * M, U', C) of the policy at each step of the samples
    sampled: torch.Tensor  # (N * M, U') characters
    greedy: torch.Tensor  # (N, U') the likeliest characters; (0, U') where not asked for
    kept: torch.Tensor | None  # (N * M, U', C) the characters that could be drawn; None: all

    @property
    def sampled_log_p(self) -> torch.Tensor:
        """(N * M, U'): log p of the sampled characters."""
        return self.log_probs.gather(2, self.sampled[:, :, None]).squeeze(2)

    @property
    def log_p(self) -> torch.Tensor:
        """(N * M, U'): the same up to the end symbol, its step included; 0 after it."""
        return self.sampled_log_p.masked_fill(~taken(self.sampled), 0.0)


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
    top_p: float = 1.0,
    mask_policy: "MaskPolicy | None" = None,
    prefix: int = 0,
) -> Rollout:
    """One decoder pass over `memory`: of a clip's rows the first is teacher-forced, the next M = `samples` are drawn.

    The policy is that of `log_policy` over the nucleus of `top_p`: that of the policy itself, or of `mask_policy`.
    sampling "argmax" takes its likeliest character. With `greedy` one row more takes the likeliest character. The first
    `prefix` characters of the samples are those of the reference.
    """
    count, longest = batch.targets.shape
    steps, drawn = max(longest, max_length), slice(1, 1 + samples)
    rows_per_clip = 1 + samples + greedy
    uniforms = batch.uniforms(1 + samples, steps)  # (N, 1 + M, U')
    targets = F.pad(batch.targets, (0, steps - longest))
    force = teacher(targets, teacher_forcing, uniforms[:, 0])
    nuclei: list[torch.Tensor] = []

    def choose(u: int, logits: torch.Tensor) -> torch.Tensor:
        logits = logits.detach().view(count, rows_per_clip, -1)
        policy = log_policy(logits, temperature)
        chosen = policy.argmax(dim=2)
        chosen[:, 0] = force(u, logits[:, 0])
        if top_p < 1:
            masking = log_policy(mask_policy.step(), temperature).view_as(policy) if mask_policy else policy
            nuclei.append(nucleus(masking[:, drawn], top_p))
            policy[:, drawn] = policy[:, drawn].masked_fill(~nuclei[-1], NEVER)
        if sampling == "multinomial":
            chosen[:, drawn] = draw(policy[:, drawn].exp(), uniforms[:, 1:, u])
        if u < prefix:
            chosen[:, drawn] = targets[:, u, None]
        if mask_policy:
            mask_policy.last = chosen.flatten()
        return chosen.flatten()

    logits, characters = model.decoder.unroll(memory, choose, steps, rows_per_clip)
    logits = logits.unflatten(0, (count, rows_per_clip))
    characters = characters.unflatten(0, (count, rows_per_clip))
    kept = torch.stack(nuclei[: logits.shape[2]], dim=2).flatten(0, 1) if nuclei else None
    log_probs = log_policy(logits[:, drawn].flatten(0, 1), temperature, kept)
    likeliest = characters[:, 1 + samples :].flatten(0, 1)
    return Rollout(logits[:, 0, :longest], log_probs, characters[:, drawn].flatten(0, 1), likeliest, kept)


class MaskPolicy:
    """Another decoder that is fed the texts as they are sampled; without gradient.

    memory of N clips; R = N * rows_per_clip rows in the order of `sample`, which sets `last` after each step.
    """

    def __init__(self, decoder: Decoder, memory: Memory, rows_per_clip: int):
        self.decoder, self.memory = decoder, memory
        self.state = memory.state.repeat_interleave(rows_per_clip, 1)  # (L, R, D)
        self.last = torch.full((self.state.shape[1],), BEGIN, device=self.state.device)  # (R,) characters

    def step(self) -> torch.Tensor:
        """Logits (R, C) of the character after `last`."""
        logits, self.state, _ = self.decoder.step(self.last, self.state, self.memory)
        return logits


def score(
    model: LipReader,
    memory: Memory,
    batch: Batch,
    texts: torch.Tensor,
    temperature: float = 1.0,
    kept: torch.Tensor | None = None,
    teacher_forcing: float = 1.0,
) -> Rollout:
    """Log p of given texts (N * M, U), the M of a clip side by side, in one pass with the teacher-forced reference.

    The rows are ordered as in `sample`, so that the same weights give the same numbers to the last bit. kept
    (N * M, U, C): the characters that could be drawn; None: all.
    """
    count, longest = batch.targets.shape
    rows_per_clip, steps = 1 + len(texts) // count, max(longest, texts.shape[1])
    targets = F.pad(batch.targets, (0, steps - longest))
    given = F.pad(texts, (0, steps - texts.shape[1]), value=END).unflatten(0, (count, -1))
    coins = batch.uniforms(rows_per_clip, steps)[:, 0] if teacher_forcing < 1 else None
    force = teacher(targets, teacher_forcing, coins)

    def choose(u: int, logits: torch.Tensor) -> torch.Tensor:
        forced = force(u, logits.view(count, rows_per_clip, -1)[:, 0])
        return torch.cat([forced[:, None], given[:, :, u]], dim=1).flatten()

    logits, _ = model.decoder.unroll(memory, choose, steps, rows_per_clip)
    logits = F.pad(logits, (0, 0, 0, max(0, texts.shape[1] - logits.shape[1])))
    logits = logits.unflatten(0, (count, rows_per_clip))
    scored = logits[:, 1:, : texts.shape[1]].flatten(0, 1)
    return Rollout(logits[:, 0, :longest], log_policy(scored, temperature, kept), texts, texts[:0], kept)


def steps_taken(characters: torch.Tensor) -> torch.Tensor:
    """characters (N, U) -> (N,): steps up to and including the first end symbol, U where there is none."""
    return (before_end(characters) + 1).clamp(max=characters.shape[1])


def taken(characters: torch.Tensor) -> torch.Tensor:
    """characters (N, U) -> bool (N, U): the steps up to and including the end symbol."""
    return within(steps_taken(characters), characters.shape[1])


def before_end(characters: torch.Tensor) -> torch.Tensor:
    """characters (N, U) -> (N,): how many come before the first end symbol, U where there is none."""
    return ((characters == END).cumsum(dim=1) == 0).sum(dim=1)
