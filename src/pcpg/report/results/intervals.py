"""Intervals of what a table shows: a quantity of the metrics frame, told from the transcriptions behind it."""

from dataclasses import replace
from pathlib import Path

from pcpg.report.results.predictions import Evidence
from pcpg.report.results.stats import Estimate

# quantity -> measure of pcpg.report.results.predictions, decoder
SOURCES = {
    "greedy_cer": ("cer", "greedy"),
    "greedy_wer": ("wer", "greedy"),
    "beam_cer": ("cer", "beam"),
    "beam_wer": ("wer", "beam"),
    "beam_accuracy": ("wer", "beam"),
    "accuracy": ("error", "greedy"),
}


class Intervals:
    """Of the runs under `results`."""

    def __init__(self, results: Path, seeds: list[int]):
        self.evidence = Evidence(results, seeds)

    def rate(self, corpus: str, run: str, quantity: str) -> Estimate | None:
        """None where there is no run, or it has no transcriptions."""
        found = self.evidence.rate(corpus, run, *SOURCES[quantity]) if run else None
        return found and _turned(found, quantity, 100)

    def difference(self, corpus: str, run: str, against: str, quantity: str) -> Estimate | None:
        """run - against; None where one has no transcriptions, or they share no seed."""
        measure, decoder = SOURCES[quantity]
        found = self.evidence.difference(corpus, run, against, measure, (decoder, decoder)) if run else None
        return found and _turned(found, quantity, 0)

    def best(self, corpus: str, run: str, rivals: list[str], quantity: str) -> bool:
        """Whether the intervals of the differences to all rivals, of which there must be one, lie on the good side."""
        differences = [self.difference(corpus, run, rival, quantity) for rival in rivals if rival != run]
        return bool(differences) and all(found is not None and _good(found, quantity) for found in differences)


def _good(difference: Estimate, quantity: str) -> bool:
    return difference.low > 0 if quantity.endswith("accuracy") else difference.high < 0


def _turned(found: Estimate, quantity: str, whole: float) -> Estimate:
    """An accuracy is what an error leaves of the `whole`."""
    if not quantity.endswith("accuracy"):
        return found
    return replace(found, value=whole - found.value, low=whole - found.high, high=whole - found.low)
