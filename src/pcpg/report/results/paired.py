"""The difference of two runs that share seeds and utterances, and its standard error: a two-way layout.

SE^2 = s^2_seed / S + max(0, MS_utterance - MS_residual) / (S N), and Student's t with S - 1 degrees of freedom: seeds
are a sample of trainings, utterances one of what could be said, and both are drawn anew in another study.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats as scipy_stats


@dataclass(frozen=True)
class Difference:
    """In percentage points of error rate."""

    value: float
    error: float  # standard error; nan where one seed or one utterance tells nothing of the spread
    freedom: int  # degrees of freedom

    def reach(self, level: float = 0.95) -> float:
        """Half the width of the two-sided interval; nan where there is none."""
        if math.isnan(self.error):
            return math.nan
        return float(scipy_stats.t.ppf((1 + level) / 2, self.freedom)) * self.error

    def explained(self, level: float = 0.95) -> bool | None:
        """Whether chance explains the value; None where nothing is known of chance."""
        reach = self.reach(level)
        return None if math.isnan(reach) else abs(self.value) <= reach


def paired(edits: np.ndarray, against: np.ndarray, lengths: np.ndarray) -> Difference:
    """edits, against (S, N) of the same seeds and utterances, lengths (N,) of the references -> edits - against."""
    seeds, utterances = edits.shape
    points = 100 * (edits - against) * utterances / lengths.sum()  # (S, N); their mean is the difference of the rates
    value = float(points.mean())
    if min(seeds, utterances) < 2:
        return Difference(value, math.nan, max(seeds - 1, 0))
    by_seed, by_utterance = points.mean(axis=1), points.mean(axis=0)
    residual = points - by_seed[:, None] - by_utterance + value
    within = float((residual**2).sum()) / ((seeds - 1) * (utterances - 1))
    between = seeds * float(((by_utterance - value) ** 2).sum()) / (utterances - 1)
    of_seeds = float(((by_seed - value) ** 2).sum()) / (seeds - 1)
    variance = of_seeds / seeds + max(0.0, between - within) / (seeds * utterances)
    return Difference(value, math.sqrt(variance), seeds - 1)
