"""Reads the transcriptions of a run, utterance by utterance, as what pcpg.stats computes with."""

import csv
from pathlib import Path

import numpy as np

from pcpg.errors import InputError
from pcpg.metrics import edits
from pcpg.stats import Errors

MEASURES = ("cer", "wer", "error")  # error: a word classified wrongly


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
        seen, rows = rows, read(path, column)
        if seen and [(row["clip"], row["reference"]) for row in seen] != [(r["clip"], r["reference"]) for r in rows]:
            raise InputError(path, "its clips or references are not those of the seeds before")
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


def read(path: Path, column: str) -> list[dict[str, str]]:
    """The rows of a predictions.csv, with clip, speaker, reference and `column` at least."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(path, f"not a readable table: {error}") from None
    if not rows:
        raise InputError(path, "holds no prediction")
    for number, row in enumerate(rows, start=2):
        absent = [key for key in ("clip", "speaker", "reference", column) if row.get(key) is None]
        if absent or not row["reference"].strip():
            raise InputError(f"{path}, line {number}", f"no {absent[0] if absent else 'reference'}")
    return rows
