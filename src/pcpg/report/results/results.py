"""The one reader of results: metrics, predictions and histories of a preset's runs, and intervals of their rates."""

import json
import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pandas as pd

from pcpg.report.results import stats
from pcpg.report.results.files import Metrics, Score, errors_of, read_predictions
from pcpg.report.results.histories import COLUMNS, read_history
from pcpg.report.results.quantities import OF_HISTORIES, QUANTITIES, READ, Quantity
from pcpg.report.results.stats import Errors, Estimate
from pcpg.settings.keys import build
from pcpg.settings.schema import Params
from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths


@dataclass(frozen=True)
class Summary:
    """Mean and sample standard deviation over `n` seeds; nan where there is nothing to take them of."""

    mean: float
    sd: float
    n: int


def summarise(values: Iterable[float]) -> Summary:
    numbers = list(values)
    mean = math.fsum(numbers) / len(numbers) if numbers else math.nan
    return Summary(mean, statistics.stdev(numbers) if len(numbers) > 1 else math.nan, len(numbers))


class Results:
    """Of the runs and seeds that the parameter file names; other results, of earlier settings, are not read.

    Each file is read once. None or an empty mapping means that a run has not been made; a malformed file, or one that
    contradicts another, is an InputError of one line that names it.
    """

    def __init__(self, paths: Paths, settings: Params):
        self.paths, self.settings, self.seeds = paths, settings, tuple(settings.seeds)
        self.metrics = cache(self._metrics)
        self.predictions = cache(self._predictions)
        self.errors = cache(self._errors)
        self.gap = cache(self._gap)
        self.history = cache(read_history)

    def _file(self, path: Path, corpus: str, run: str) -> Path | None:
        return path if run in self.settings.trainings(corpus) and path.is_file() else None

    def _metrics(self, corpus: str, run: str) -> Metrics | None:
        path = self._file(self.paths.metrics(corpus, run), corpus, run)
        if path is None:
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:  # also an encoding that is not UTF-8
            raise InputError(path, f"not valid JSON: {error}") from None
        metrics = build(Metrics, content, path)
        if (metrics.corpus, metrics.run) != (corpus, run):
            raise InputError(path, f"is of {metrics.corpus}/{metrics.run}")
        return metrics

    def quantity(self, corpus: str, run: str, name: str) -> dict[int, float]:
        """One of QUANTITIES or OF_HISTORIES by seed.

        InputError where metrics.json and predictions.csv contradict each other.
        """
        if name in OF_HISTORIES:
            column, evaluation, _ = OF_HISTORIES[name]
            frames = self.histories(corpus, run, () if column in COLUMNS else (column,))
            values = {seed: 100 * float(evaluation(frame)[column]) for seed, frame in frames.items()}
            return {seed: value for seed, value in values.items() if not math.isnan(value)}
        metrics, shown = self.metrics(corpus, run), QUANTITIES[name]
        if shown.decoder == READ:  # metrics.json does not tell it
            errors = self._of(corpus, run, shown)
            return errors.rates() if errors else {}
        scores = metrics.seeds if metrics else {}
        values = {seed: _percent(scores[str(seed)], shown) for seed in self.seeds if str(seed) in scores}
        values = {seed: value for seed, value in values.items() if value is not None}
        errors = self._of(corpus, run, shown) if values else None
        for seed, rate in (errors.rates() if errors else {}).items():
            predicted = 100 - rate if shown.turned else rate
            if seed in values and not math.isclose(values[seed], predicted, abs_tol=1e-6):
                problem = f"seed {seed} has {name} {values[seed]:.4f}, predictions.csv beside it {predicted:.4f}"
                raise InputError(self.paths.metrics(corpus, run), problem)
        return values

    def _of(self, corpus: str, run: str, shown: Quantity) -> Errors | None:
        errors = self.errors(corpus, run, shown.measure, shown.decoder)
        return stats.by_class(errors) if errors and shown.by_class else errors

    def described(self, corpus: str, runs: Iterable[str], beam: bool = False, validation: bool = False) -> str:
        """On what the runs were measured, "" where none has been; InputError where they were on different data."""
        known = filter(None, (self.metrics(corpus, run) for run in dict.fromkeys(runs)))
        kinds = list(dict.fromkeys(metrics.kind(beam, validation) for metrics in known))
        if len(kinds) > 1:
            where = self.paths.results / "runs" / corpus
            raise InputError(where, f"runs of one table were tested on different data: {'; '.join(kinds)}")
        return "".join(kinds)

    def _predictions(self, corpus: str, run: str) -> dict[int, list[dict[str, str]]]:
        """Rows of predictions.csv by seed, in the order of the parameter file; of the seeds that metrics.json has."""
        path, metrics = self._file(self.paths.predictions(corpus, run), corpus, run), self.metrics(corpus, run)
        found = read_predictions(path, self.seeds) if path else {}
        measured = [seed for seed in self.seeds if metrics and str(seed) in metrics.seeds]
        if found and metrics and list(found) != measured:
            raise InputError(path, f"has the seeds {list(found)}, metrics.json beside it {measured}")
        return found

    def _errors(self, corpus: str, run: str, measure: str, decoder: str = "greedy") -> Errors | None:
        """Edits of characters ("cer"), words ("wer") or whole words of a classifier ("error") on the test split."""
        by_seed = self.predictions(corpus, run)
        if not by_seed:
            return None
        rows = next(iter(by_seed.values()))
        column = "classified" if measure == "error" else decoder
        if decoder == READ and column not in rows[0]:
            column = "greedy"
        if column not in rows[0]:
            raise InputError(self.paths.predictions(corpus, run), f"no column {column}")
        return errors_of(corpus, by_seed, column, measure)

    def rate(self, corpus: str, run: str, quantity: str) -> Estimate | None:
        """A quantity with its interval; None without predictions."""
        if quantity in OF_HISTORIES:
            return stats.of_numbers(self.quantity(corpus, run, quantity).values())
        shown = QUANTITIES[quantity]
        errors = self._of(corpus, run, shown)
        return errors and _turn(stats.rate(errors), shown.turned, 100)

    def _gap(self, corpus: str, run: str, against: str, quantity: str) -> Estimate | None:
        """run - against, of a quantity; None where one has no predictions, or they share no seed."""
        if quantity in OF_HISTORIES:
            ours, theirs = (self.quantity(corpus, name, quantity) for name in (run, against))
            return stats.of_numbers(ours[seed] - theirs[seed] for seed in ours if seed in theirs)
        shown, runs = QUANTITIES[quantity], (run, against)
        return _turn(self.difference(corpus, runs, *(self._of(corpus, name, shown) for name in runs)), shown.turned, 0)

    def difference(self, corpus: str, runs: tuple, one: Errors | None, other: Errors | None) -> Estimate | None:
        """Of two runs' errors; None as above, InputError unless of the same clips, speakers and references."""
        if one is None or other is None or not set(one.seeds) & set(other.seeds):
            return None
        if (one.clips, one.speakers, one.lengths.tolist()) != (other.clips, other.speakers, other.lengths.tolist()):
            problem = f"not the same clips, speakers and references as those of {corpus}/{runs[0]}"
            raise InputError(self.paths.predictions(corpus, runs[1]), problem)
        return stats.difference(one, other)

    def best(self, corpus: str, run: str, rivals: Iterable[str], quantity: str) -> bool:
        """Whether the intervals of the differences to all rivals, of which there must be one, lie on the good side."""
        others = [rival for rival in rivals if rival != run]
        higher = OF_HISTORIES[quantity][2] if quantity in OF_HISTORIES else QUANTITIES[quantity].turned
        gaps = (self.gap(corpus, run, rival, quantity) for rival in others)  # up to the first that is not good
        return bool(others) and all(gap and gap.explained() is False and (gap.value > 0) == higher for gap in gaps)

    def apart(self, corpus: str, runs: Iterable[str], against: str, quantity: str) -> dict[str, float]:
        """By run, two-sided p of the difference to `against` after Holm's correction; none where chance is unknown."""
        gaps = {run: self.gap(corpus, run, against, quantity) for run in runs if run != against}
        known = {run: gap.apart() for run, gap in gaps.items() if gap is not None and gap.known}
        return dict(zip(known, stats.holm(list(known.values())), strict=True))

    def histories(self, corpus: str, run: str, more: tuple[str, ...] = ()) -> dict[int, pd.DataFrame]:
        """By seed; of a run that was tested, of the tested seeds alone; `more`: see read_history.

        So a seed that is still in training moves no row whose other numbers are without it.
        """
        metrics = self.metrics(corpus, run)
        seeds = [seed for seed in self.seeds if metrics is None or str(seed) in metrics.seeds]
        paths = {seed: self._file(self.paths.history(corpus, run, seed), corpus, run) for seed in seeds}
        return {seed: self.history(path, more) for seed, path in paths.items() if path}


def _turn(estimate: Estimate | None, turned: bool, whole: float) -> Estimate | None:
    """An accuracy is what an error leaves of the `whole`."""
    return replace(estimate, value=whole - estimate.value) if estimate and turned else estimate


def _percent(score: Score, shown: Quantity) -> float | None:
    """None where there is none, as a classifier has no CER."""
    if shown.measure == "error":
        return None if score.accuracy is None else 100 * score.accuracy
    rates = getattr(score, shown.decoder)
    if rates is None:
        return None
    rate = 100 * getattr(rates, shown.measure)
    return 100 - rate if shown.turned else rate
