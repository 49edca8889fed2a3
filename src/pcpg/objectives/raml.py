"""Reward-augmented maximum likelihood: cross-entropy on references with random edits (Norouzi et al., 2016).

A text's probability falls as exp(- edits / tau) with its number of edits. As in the first author's code these are
substitutions and insertions, no deletions. tau is chosen by the mean number of edits, which the history has.
"""

import math
import random
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from pcpg.objectives.base import Context, Losses, Objective
from pcpg.objectives.cross_entropy import CrossEntropy
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader
from pcpg.reader.text import CHARACTERS, CLASSES, END, PAD
from pcpg.settings.keys import Positive

LETTERS = range(CLASSES - len(CHARACTERS), CLASSES)
PLAIN = CrossEntropy(label_smoothing=0.0, teacher_forcing=1.0, mask_padding=True)


class RAML(Objective):
    tau: Positive

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Any = None) -> Losses:
        """The edited text is both fed and scored, in "ce" too; "edited": the share of texts that changed."""
        targets = edited(batch, self.tau, 1)[:, 0]
        lengths = (targets != PAD).sum(dim=1)
        changed = replace(batch, targets=targets, target_lengths=lengths)
        same = min(targets.shape[1], batch.targets.shape[1])
        differ = (targets[:, :same] != batch.targets[:, :same]).any(dim=1) | (lengths != batch.target_lengths)
        edits = torch.tensor([mean_edits(length - 1, self.tau) for length in batch.target_lengths.tolist()]).mean()
        losses = PLAIN.losses(model, changed, context)
        return losses | {"edited": differ.float().mean(), "edits": edits.to(differ.device)}


def edited(batch: Batch, tau: float, texts: int) -> torch.Tensor:
    """References with random edits -> (N, texts, U): END last, then PAD; drawn from each clip's own random numbers."""
    rows = []
    for seed, target, length in zip(batch.seeds, batch.targets.tolist(), batch.target_lengths.tolist(), strict=True):
        draw = random.Random(seed)
        rows += [torch.tensor([*edit(target[: length - 1], tau, draw), END]) for _ in range(texts)]
    padded = pad_sequence(rows, batch_first=True, padding_value=PAD)
    return padded.unflatten(0, (-1, texts)).to(batch.targets.device)


def edit(text: list[int], tau: float, draw: random.Random) -> list[int]:
    """A number of edits, then which are substitutions, then where; a substitution may draw the same letter again."""
    size = len(text)
    [edits] = draw.choices(range(size + 1), of_edits(size, tau))
    [substitutions] = draw.choices(range(edits + 1), ways(size, edits))
    changed = list(text)
    places = set(draw.sample(range(size), substitutions))
    for place in sorted(places):
        changed[place] = draw.choice(LETTERS)
    insertions, gaps = edits - substitutions, [place for place in range(size + 1) if place not in places]
    for place in sorted(_multiset(gaps, insertions, draw), reverse=True):
        changed.insert(place, draw.choice(LETTERS))
    return changed


def _multiset(items: list[int], count: int, draw: random.Random) -> list[int]:
    """`count` of the items, with repetition; all such choices have the same probability (stars and bars)."""
    chosen = sorted(draw.sample(range(len(items) + count - 1), count)) if count else []
    return [items[place - number] for number, place in enumerate(chosen)]


def ways(size: int, edits: int) -> list[int]:
    """In how many ways s = 0 .. `edits` of the edits are substitutions of `size` letters, the others insertions."""
    return [math.comb(size, s) * math.comb(size + edits - 2 * s, edits - s) for s in range(edits + 1)]


@cache
def of_edits(size: int, tau: float) -> tuple[float, ...]:
    """q(e), not normalised, for e = 0 .. size edits of a text of `size` letters.

    log q(e) = log sum_s C(size, s) C(size + e - 2 s, e - s) + e log V - (e / tau) (1 + log V), V letters.
    """
    letters = math.log(len(LETTERS))
    logs = [math.log(sum(ways(size, e))) + e * letters - e / tau * (1 + letters) for e in range(size + 1)]
    return tuple(math.exp(log - max(logs)) for log in logs)


def mean_edits(size: int, tau: float) -> float:
    """How many edits q expects of a text of `size` letters."""
    weights = of_edits(size, tau)
    return sum(edits * weight for edits, weight in enumerate(weights)) / sum(weights)
