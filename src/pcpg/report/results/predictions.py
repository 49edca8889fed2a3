"""Reads the transcriptions of runs, utterance by utterance, and compares them by pcpg.report.results.stats."""

import csv
from functools import cache
from pathlib import Path

import numpy as np

from pcpg.reader.metrics import edits
from pcpg.report.results import stats
from pcpg.report.results.stats import Errors, Estimate
from pcpg.workspace.errors import InputError

FACTS = ("clip", "speaker", "reference")  # columns of predictions.csv; every other one is a way of decoding


def errors(
    results: Path, corpus: str, run: str, seeds: list[int], measure: str, decoder: str = "greedy"
) -> Errors | None:
    """Edits of `run` on the test split, over those of `seeds` that have predictions; None where none has.

    measure: characters ("cer"), words ("wer"), or whole words of a classifier ("error"). decoder: "greedy" or "beam".
    InputError where a file is malformed or two seeds transcribed different clips.
    """
    column = "classified" if measure == "error" else decoder
    found, rows = {}, []
    for seed in seeds:
        path = results / "runs" / corpus / run / f"seed{seed}" / "predictions.csv"
        if not path.is_file():
            continue
        seen, rows = rows, read(path)
        if seen and [(row["clip"], row["reference"]) for row in seen] != [(r["clip"], r["reference"]) for r in rows]:
            raise InputError(path, "its clips or references are not those of the seeds before")
        if column not in rows[0]:
            raise InputError(path, f"no column {column}")
        found[seed] = [edits(row["reference"], row[column], measure) for row in rows]
    if not found:
        return None
    return Errors(
        seeds=tuple(found),
        clips=tuple(row["clip"] for row in rows),
        edits=np.array([[wrong for wrong, _ in pairs] for pairs in found.values()]),
        lengths=np.array([length for _, length in next(iter(found.values()))]),
        speakers=tuple(row["speaker"] for row in rows),
    )


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a predictions.csv: FACTS, and one column or more of what was read."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(path, f"not a readable table: {error}") from None
    if not rows:
        raise InputError(path, "holds no prediction")
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values() or not set(FACTS) < row.keys():
            raise InputError(f"{path}, line {number}", f"expected the columns {', '.join(FACTS)} and a decoder's")
        if not row["reference"].strip():
            raise InputError(f"{path}, line {number}", "no reference")
    return rows


class Evidence:
    """The runs under `results`; each run's files are read once."""

    def __init__(self, results: Path, seeds: list[int]):
        self.results = results
        self.errors = cache(lambda corpus, run, *source: errors(results, corpus, run, seeds, *source))

    def rate(self, corpus: str, run: str, measure: str, decoder: str) -> Estimate | None:
        """None where the run has no transcriptions."""
        found = self.errors(corpus, run, measure, decoder)
        return found and stats.rate(found)

    def difference(
        self, corpus: str, run: str, against: str, measure: str, decoders: tuple[str, str]
    ) -> Estimate | None:
        """run - against; None where one has no transcriptions, or they share no seed; InputError if of other clips."""
        pair = [self.errors(corpus, name, measure, way) for name, way in zip((run, against), decoders, strict=True)]
        if None in pair or not set(pair[0].seeds) & set(pair[1].seeds):
            return None
        one, other = ((errors.clips, errors.speakers, errors.lengths.tolist()) for errors in pair)
        if one != other:
            where = f"{self.results}/runs/{corpus}, predictions.csv of {run} and of {against}"
            raise InputError(where, "not the same clips, speakers and references")
        return stats.difference(*pair)
