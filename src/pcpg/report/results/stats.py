"""How sure a rate or a difference is: a bootstrap over seeds and utterances together, and Holm's correction.

A test set is a small sample of what could be said, and three seeds are a small sample of trainings. Both are drawn
anew in every replicate, independently of one another, since every seed transcribes every utterance (Owen and Eckles
2012, "Bootstrapping data arrays of arbitrary order"). Where several speakers are tested, speakers are drawn first and
then the utterances of each: two sentences of one mouth are no two mouths. From n seeds, speakers or utterances n - 1
are drawn, which makes the variance of a mean the unbiased s^2 / n (McCarthy and Snowden 1985); with three seeds the
plain bootstrap is a third too small.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

REPLICATES = 10_000
LEVEL = 0.95
CHUNK = 500  # replicates at once: memory stays flat however many utterances there are


@dataclass(frozen=True)
class Errors:
    """Edits of one run on the test split, by seed and utterance."""

    seeds: tuple[int, ...]
    clips: tuple[str, ...]
    edits: np.ndarray  # (S, N)
    lengths: np.ndarray  # (N,) of the references
    speakers: tuple[str, ...]  # of the utterances; "" where the corpus does not name them

    def rate(self) -> float:
        """Percent: edits over the whole test set by its reference length, mean over seeds."""
        return float(100 * self.edits.sum() / len(self.seeds) / self.lengths.sum())

    def rates(self) -> dict[int, float]:
        """The same of each seed."""
        return dict(zip(self.seeds, (100 * self.edits.sum(axis=1) / self.lengths.sum()).tolist(), strict=True))


@dataclass(frozen=True)
class Estimate:
    """A value in percent or percentage points, its interval, and how likely so far from zero is by chance."""

    value: float
    low: float
    high: float
    p: float  # two-sided
    seeds: int
    utterances: int


def bootstrap(runs: Mapping[str, Errors], replicates: int = REPLICATES, random_state: int = 0) -> dict[str, np.ndarray]:
    """Rate of each run in each replicate, percent, (replicates,) each.

    All runs are drawn alike, so that the difference of two is that of pairs. They must have the same seeds and clips,
    else ValueError. The result depends on `random_state` and on how many seeds, clips and speakers there are.
    """
    first = next(iter(runs.values()))
    if any((errors.seeds, errors.clips) != (first.seeds, first.clips) for errors in runs.values()):
        raise ValueError("runs that are compared must have the same seeds and the same clips")
    edits = np.stack([errors.edits for errors in runs.values()]).astype(float)  # (R, S, N)
    generator = np.random.default_rng(random_state)
    rates = []
    for seeds, utterances in _draws(generator, len(first.seeds), first.speakers, replicates):
        wrong = np.einsum("bs,rsb->rb", seeds / seeds.sum(axis=1, keepdims=True), edits @ utterances.T)
        rates.append(100 * wrong / (utterances @ first.lengths.astype(float)))
    return dict(zip(runs, np.concatenate(rates, axis=1), strict=True))


def _draws(
    generator: np.random.Generator, seeds: int, speakers: Sequence[str], replicates: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """How often each seed (b, S) and each utterance (b, N) is drawn, for b replicates at a time."""
    names = np.array(speakers)
    groups = [np.flatnonzero(names == name) for name in dict.fromkeys(speakers)]
    for start in range(0, replicates, CHUNK):
        count = min(CHUNK, replicates - start)
        drawn = _counts(generator, len(groups), count)
        utterances = np.zeros((count, len(names)))
        for group, times in zip(groups, drawn.T, strict=True):
            utterances[:, group] = _counts(generator, len(group), count, times)
        yield _counts(generator, seeds, count), utterances


def _counts(generator: np.random.Generator, n: int, replicates: int, times: np.ndarray | None = None) -> np.ndarray:
    """How often each of n things is drawn in n - 1 draws, (replicates, n); in `times` as many, (replicates,), if given.

    One thing alone is always drawn once: nothing is known of its kind's spread.
    """
    times = np.ones(replicates, int) if times is None else times
    draws = times * max(n - 1, 1)
    rows = np.repeat(np.arange(replicates), draws)
    picked = generator.integers(0, n, len(rows))
    return np.bincount(rows * n + picked, minlength=replicates * n).reshape(replicates, n)


def estimate(value: float, replicates: np.ndarray, errors: Errors) -> Estimate:
    """The percentile interval of LEVEL, and the two-sided p of a value that is zero by chance."""
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    beyond = min((replicates <= 0).sum(), (replicates >= 0).sum())
    p = min(1.0, 2 * (beyond + 1) / (len(replicates) + 1))
    return Estimate(value, float(low), float(high), float(p), len(errors.seeds), len(errors.clips))


def rate(errors: Errors, replicates: int = REPLICATES, random_state: int = 0) -> Estimate:
    """The error rate of one run."""
    return estimate(errors.rate(), bootstrap({"": errors}, replicates, random_state)[""], errors)


def difference(run: Errors, against: Errors, replicates: int = REPLICATES, random_state: int = 0) -> Estimate:
    """run - against in percentage points, over the seeds that both have; ValueError where there is none."""
    run, against = common(run, against)
    drawn = bootstrap({"run": run, "against": against}, replicates, random_state)
    return estimate(run.rate() - against.rate(), drawn["run"] - drawn["against"], run)


def common(*runs: Errors) -> tuple[Errors, ...]:
    """The runs over the seeds that all of them have; ValueError where there is none."""
    shared = tuple(seed for seed in runs[0].seeds if all(seed in errors.seeds for errors in runs))
    if not shared:
        raise ValueError("the runs share no seed")
    return tuple(_only(errors, shared) for errors in runs)


def _only(errors: Errors, seeds: tuple[int, ...]) -> Errors:
    rows = [errors.seeds.index(seed) for seed in seeds]
    return Errors(seeds, errors.clips, errors.edits[rows], errors.lengths, errors.speakers)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p (1979): the k-th smallest of m times m - k + 1, never below one before it, at most 1."""
    adjusted, most = [0.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda index: p[index])):
        most = max(most, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = most
    return adjusted
