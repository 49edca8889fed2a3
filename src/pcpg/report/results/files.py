"""The files of a run's results, checked: metrics.json and predictions.csv."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pcpg.corpora.about import whole_clip
from pcpg.reader.metrics import edits
from pcpg.report.paper import WORDS
from pcpg.report.results.stats import Errors
from pcpg.settings.keys import Count, Keys, NotNegative, Share
from pcpg.workspace.errors import InputError

FACTS = ("clip", "speaker", "reference")  # columns of predictions.csv beside the seed; every other one is a decoder


class Rates(Keys):
    cer: NotNegative
    wer: NotNegative
    mean_cer: NotNegative
    mean_wer: NotNegative


class Score(Keys):
    """Of one seed: of a lip-reader both decoders, of a classifier the accuracy; fractions."""

    greedy: Rates = None
    beam: Rates = None
    accuracy: Share = None


class Metrics(Keys):
    """A metrics.json."""

    corpus: str
    run: str
    protocol: str = ""
    beam_size: Count = None
    split: str
    clips: Count
    seeds: dict[str, Score]

    def kind(self, beam: bool, validation: bool = False) -> str:
        """On what the rates were measured; validation: those of histories."""
        protocol = f", protocol {self.protocol}" if self.protocol else ""
        if validation:
            return f"validation split{protocol}"
        searched = f", beam of {self.beam_size}" if beam and self.beam_size else ""
        return f"{self.split} split{protocol}, {self.clips} clip{'s'[: self.clips != 1]}{searched}"


def read_table(path: Path, *columns: str) -> list[dict[str, str]]:
    """Rows of a csv with at least such columns; InputError that names file and line where it is none."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            names, rows = reader.fieldnames or (), list(reader)
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(path, f"not a readable table: {error}") from None
    lacking = [column for column in columns if column not in names]
    if lacking:
        raise InputError(path, f"no column {', '.join(lacking)}")
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise InputError(f"{path}, line {number}", "has not as many cells as line 1")
    return rows


def read_predictions(path: Path, seeds: Sequence[int]) -> dict[int, list[dict[str, str]]]:
    """Rows of a predictions.csv by seed: FACTS, and one column or more of what was read."""
    rows = read_table(path, "seed", *FACTS)
    if not rows:
        raise InputError(path, "holds no prediction")
    if len(rows[0]) == 1 + len(FACTS):
        raise InputError(path, "has no decoder's column")
    by_seed: dict[str, list[dict[str, str]]] = {}
    for number, row in enumerate(rows, start=2):
        if not row["reference"].strip():
            raise InputError(f"{path}, line {number}", "no reference")
        by_seed.setdefault(row["seed"], []).append(row)
    clips = [[tuple(row[key] for key in FACTS) for row in of] for of in by_seed.values()]
    if len(set(clips[0])) < len(clips[0]):
        raise InputError(path, "lists a clip twice")
    for seed, shown in zip(by_seed, clips, strict=True):
        if shown != clips[0]:
            raise InputError(
                path, f"clips, speakers or references of seed {seed} are not those of {next(iter(by_seed))}"
            )
    return {seed: by_seed[str(seed)] for seed in seeds if str(seed) in by_seed}


def errors_of(corpus: str, by_seed: dict, column: str, measure: str) -> Errors:
    """Edits ("cer", "wer" or "error") in a column of the rows of a run, which are of the same clips in each seed."""
    counts = np.array([[edits(row["reference"], row[column], measure) for row in of] for of in by_seed.values()])
    clips, speakers, texts = (tuple(row.get(key, "") for row in next(iter(by_seed.values()))) for key in FACTS)
    wholes = tuple(map(whole_clip, clips)) if corpus == WORDS else ()
    return Errors(tuple(by_seed), clips, counts[..., 0], counts[0, :, 1], speakers, wholes, texts)
