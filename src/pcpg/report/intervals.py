"""Intervals of what a table shows: a quantity of the metrics frame, told from the transcriptions behind it."""

from dataclasses import replace
from functools import cache
from pathlib import Path

from pcpg import stats
from pcpg.report import evidence
from pcpg.stats import Errors, Estimate

# quantity -> measure of pcpg.report.evidence, decoder
SOURCES = {
    "greedy_cer": ("cer", "greedy"),
    "greedy_wer": ("wer", "greedy"),
    "beam_cer": ("cer", "beam"),
    "beam_wer": ("wer", "beam"),
    "beam_accuracy": ("wer", "beam"),
    "accuracy": ("error", "greedy"),
}


class Intervals:
    """Of the runs under `results`; each run's file is read once."""

    def __init__(self, results: Path, seeds: list[int]):
        self.errors = cache(lambda corpus, run, *source: evidence.errors(results, corpus, run, seeds, *source))

    def rate(self, corpus: str, run: str, quantity: str) -> Estimate | None:
        """None where the run has no transcriptions."""
        found = self._errors(corpus, run, quantity)
        return found and _turned(stats.rate(found), quantity, 100)

    def difference(self, corpus: str, run: str, against: str, quantity: str) -> Estimate | None:
        """run - against; None where one has no transcriptions, or they share no seed."""
        pair = [self._errors(corpus, name, quantity) for name in (run, against)]
        if None in pair or not set(pair[0].seeds) & set(pair[1].seeds):
            return None
        return _turned(stats.difference(*pair), quantity, 0)

    def best(self, corpus: str, run: str, rivals: list[str], quantity: str) -> bool:
        """Whether the intervals of the differences to all rivals, of which there must be one, lie on the good side."""
        differences = [self.difference(corpus, run, rival, quantity) for rival in rivals if rival != run]
        return bool(differences) and all(found is not None and _good(found, quantity) for found in differences)

    def _errors(self, corpus: str, run: str, quantity: str) -> Errors | None:
        return self.errors(corpus, run, *SOURCES[quantity]) if run else None


def _good(difference: Estimate, quantity: str) -> bool:
    return difference.low > 0 if quantity.endswith("accuracy") else difference.high < 0


def _turned(found: Estimate, quantity: str, whole: float) -> Estimate:
    """An accuracy is what an error leaves of the `whole`."""
    if not quantity.endswith("accuracy"):
        return found
    return replace(found, value=whole - found.value, low=whole - found.high, high=whole - found.low)
