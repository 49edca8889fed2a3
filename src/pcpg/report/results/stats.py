"""How sure a rate or a difference is: the two-way layout of seeds and utterances, power, and Holm's correction.

Seeds are a sample of trainings, utterances one of what could be said; another study draws both anew. Every seed
transcribes every utterance, so the error of a mean is that of a crossed random-effects layout (Scheffe, The Analysis
of Variance, 1959, section 7.4), taken from its mean squares:

    SE^2 = s^2_seed / S + max(0, MS_utterance - MS_residual) / (S N),

s^2_seed being the variance of the S seed means, which holds the residual's share already. Student's t has S - 1
degrees of freedom. Where several speakers are tested, speakers take the place of utterances, since sentences of one
speaker are not independent; few speakers leave fewer degrees of freedom. So do sentences take the place of the
utterances that were cut from them. One seed, one utterance, or values that are all alike say nothing about chance:
there is no interval.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import stdtr, stdtrit  # Student's t: scipy.stats takes a second to import, and calls these

LEVEL = 0.95
POWER = 0.80
ROUNDING = 1e-18  # a variance in squared percentage points: what is less comes of values that are all alike


@dataclass(frozen=True)
class Errors:
    """Edits of one run on the test split, by seed and utterance."""

    seeds: tuple[int, ...]
    clips: tuple[str, ...]
    edits: np.ndarray  # (S, N)
    lengths: np.ndarray  # (N,) of the references
    speakers: tuple[str, ...]  # of the utterances; "" where the corpus does not name them
    wholes: tuple[str, ...] = ()  # the sentences that they were cut from; () where each is one of its own
    texts: tuple[str, ...] = ()  # what is said

    def rate(self) -> float:
        """Percent: edits over the whole test set by its reference length, mean over seeds."""
        return float(100 * self.edits.sum() / len(self.seeds) / self.lengths.sum())

    def rates(self) -> dict[int, float]:
        """The same of each seed."""
        return dict(zip(self.seeds, (100 * self.edits.sum(axis=1) / self.lengths.sum()).tolist(), strict=True))


@dataclass(frozen=True)
class Estimate:
    """A value in percent or percentage points, and the two parts of the variance of its error.

    of_seeds: s^2_seed / S, which falls with further seeds; of_utterances: the rest, which does not.
    units: how many utterances, or speakers or sentences in their place, the rest comes from; 0: there are none.
    of_residual: MS_residual / (S N), what of_seeds is expected to be at least.
    """

    value: float
    of_seeds: float
    of_utterances: float
    seeds: int
    utterances: int
    units: int = 0
    of_residual: float = 0.0

    @property
    def error(self) -> float:
        """Standard error; nan where nothing is known of chance."""
        variance = self.of_seeds + self.of_utterances
        return math.sqrt(variance) if self.seeds > 1 and variance > ROUNDING else math.nan

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return not math.isnan(self.error)

    @property
    def freedom(self) -> float:
        """Degrees of freedom: S - 1, or fewer where few speakers have most of the variance (Satterthwaite, 1946)."""
        if not self.of_utterances:
            return self.seeds - 1
        squares = self.of_seeds**2 / (self.seeds - 1) + self.of_utterances**2 / (self.units - 1)
        return min(self.seeds - 1, (self.of_seeds + self.of_utterances) ** 2 / squares)

    def reach(self, level: float = LEVEL) -> float:
        """Half the width of the two-sided interval; nan where there is none."""
        return float(stdtrit(self.freedom, (1 + level) / 2)) * self.error if self.known else math.nan

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Its two ends; nan each where there is none."""
        reach = self.reach(level)
        return self.value - reach, self.value + reach

    def explained(self) -> bool | None:
        """Whether chance explains a value that should be 0; None where nothing is known of chance."""
        return abs(self.value) <= self.reach() if self.known else None

    def below(self, border: float) -> float:
        """One-sided p of a true value that is not below the border; nan where nothing is known of chance."""
        return float(stdtr(self.freedom, (self.value - border) / self.error)) if self.known else math.nan

    def above(self, border: float) -> float:
        """One-sided p of a true value that is not above the border."""
        return float(stdtr(self.freedom, (border - self.value) / self.error)) if self.known else math.nan

    def apart(self) -> float:
        """Two-sided p of a true value of 0."""
        return 2 * min(self.below(0), self.above(0))

    def planned(self, seeds: int) -> "Estimate":
        """What as many seeds would have given: the seeds' part of the variance by their number."""
        share = self.seeds / seeds
        return replace(self, of_seeds=self.of_seeds * share, of_residual=self.of_residual * share, seeds=seeds)

    @cached_property
    def smallest(self) -> float:
        """The true difference from 0 that is found with probability POWER, two-sided at 5 % (noncentral t).

        Seed means that lie closer together than the residual lets expect do so by luck, which further runs would lack.
        """
        if not self.known:
            return math.nan
        from scipy.optimize import brentq
        from scipy.stats import nct

        critical = float(stdtrit(self.freedom, (1 + LEVEL) / 2))

        def lacking(shift: float) -> float:
            return POWER - nct.sf(critical, self.freedom, shift)

        error = math.sqrt(max(self.of_seeds, self.of_residual) + self.of_utterances)
        return float(brentq(lacking, 0.0, 4 * critical + 10)) * error


def estimate(value: float, points: np.ndarray, utterances: int) -> Estimate:
    """Of points (S, N) by seed and unit, whose mean is the value; the parts of the variance are nan for S or N of 1."""
    seeds, units = points.shape
    if min(seeds, units) < 2:
        return Estimate(value, math.nan, math.nan, seeds, utterances, units)
    mean, by_seed, by_unit = points.mean(), points.mean(axis=1), points.mean(axis=0)
    residual = points - by_seed[:, None] - by_unit + mean
    within = float((residual**2).sum()) / ((seeds - 1) * (units - 1))
    between = seeds * float(((by_unit - mean) ** 2).sum()) / (units - 1)
    of_seeds = float(((by_seed - mean) ** 2).sum()) / (seeds - 1) / seeds
    of_utterances = max(0.0, between - within) / (seeds * units)
    return Estimate(value, of_seeds, of_utterances, seeds, utterances, units, within / (seeds * units))


def by_unit(errors: Errors, values: np.ndarray) -> np.ndarray:
    """values (..., N) of the utterances -> (..., K): their sums over each thing that is drawn.

    A speaker where there are several, else a sentence where utterances were cut from it, else an utterance.
    """
    owners = errors.speakers if len(set(errors.speakers)) > 1 else errors.wholes
    places = {name: place for place, name in enumerate(dict.fromkeys(owners))}
    if len(places) in (0, len(owners)):
        return values
    sums = np.zeros((*values.shape[:-1], len(places)))
    np.add.at(sums, (..., [places[owner] for owner in owners]), values)
    return sums


def by_class(errors: Errors) -> Errors:
    """Utterances weighted so that every text counts alike, however many say it: the mean of the texts' error rates."""
    counts = Counter(errors.texts)
    weights = np.array([len(errors.texts) / len(counts) / counts[text] for text in errors.texts])
    return replace(errors, edits=errors.edits * weights, lengths=errors.lengths * weights)


def rate(errors: Errors) -> Estimate:
    """The error rate of one run: a ratio, so what varies is an utterance's edits less the rate times its length."""
    lengths, value = by_unit(errors, errors.lengths), errors.rate()
    surplus = by_unit(errors, errors.edits) - value / 100 * lengths
    return _of_edits(value, surplus, lengths, errors)


def difference(run: Errors, against: Errors) -> Estimate:
    """run - against in percentage points, over the seeds that both have; ValueError where there is none."""
    run, against = common(run, against)
    changed = by_unit(run, run.edits - against.edits)
    return _of_edits(run.rate() - against.rate(), changed, by_unit(run, run.lengths), run)


def _of_edits(value: float, edits: np.ndarray, lengths: np.ndarray, errors: Errors) -> Estimate:
    return estimate(value, 100 * edits * len(lengths) / lengths.sum(), len(errors.clips))


def of_numbers(values: Iterable[float]) -> Estimate | None:
    """The mean of one number a seed, with Student's interval: no utterances here; None where there is no number."""
    numbers = np.fromiter(values, float)
    if not len(numbers):
        return None
    spread = float(numbers.var(ddof=1)) / len(numbers) if len(numbers) > 1 else math.nan
    return Estimate(float(numbers.mean()), spread, 0.0, len(numbers), 0)


def independent(points: Sequence[np.ndarray]) -> float:
    """How many independent comparisons correlated ones are worth: (sum of eigenvalues)^2 / sum of their squares.

    Bretherton et al. (1999, Journal of Climate 12, eq. 5), of the correlation matrix; those that do not vary count 0.
    """
    moving = [one for one in points if np.ptp(one) > 0]
    if len(moving) < 2:
        return float(len(moving))
    values = np.linalg.eigvalsh(np.corrcoef(np.stack(moving)))
    return float(values.sum() ** 2 / (values**2).sum())


def common(*runs: Errors) -> tuple[Errors, ...]:
    """The runs over the seeds that all of them have; ValueError where there is none, or the clips differ."""
    shared = tuple(seed for seed in runs[0].seeds if all(seed in errors.seeds for errors in runs))
    if not shared or any(errors.clips != runs[0].clips for errors in runs):
        raise ValueError("runs that are compared must share a seed and have the same clips")
    rows = [[errors.seeds.index(seed) for seed in shared] for errors in runs]
    return tuple(replace(one, seeds=shared, edits=one.edits[of]) for one, of in zip(runs, rows, strict=True))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p (1979): the k-th smallest of m times m - k + 1, never below one before it, at most 1."""
    adjusted, most = [0.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda index: p[index])):
        most = max(most, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = most
    return adjusted
