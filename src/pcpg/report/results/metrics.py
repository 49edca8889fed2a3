"""Reads the metrics of runs and probes into one data frame, and summarises a quantity over seeds."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pcpg.workspace.errors import InputError

DECODERS = ("greedy", "beam")
RATES = ("cer", "wer", "mean_cer", "mean_wer")
QUANTITIES = (*(f"{decoder}_{rate}" for decoder in DECODERS for rate in RATES), "beam_accuracy", "accuracy")
COLUMNS = ("corpus", "run", "seed", "split", "protocol", "clips", "beam_size", *QUANTITIES)


@dataclass(frozen=True)
class Summary:
    """Mean and sample standard deviation over `n` seeds; nan where there is nothing to take them of."""

    mean: float
    sd: float
    n: int


def load(results: Path, pairs: Iterable[tuple[str, str]], seeds: list[int]) -> pd.DataFrame:
    """One row for each metrics.json that exists for the given (corpus, run) pairs and seeds; COLUMNS, in percent.

    A file that does not exist has no row. A quantity that a file does not hold (a probe has no CER) is nan.
    """
    rows = []
    for corpus, run in dict.fromkeys(pairs):
        for seed in seeds:
            path = results / "runs" / corpus / run / f"seed{seed}" / "metrics.json"
            if path.is_file():
                rows.append(_row(path, {"corpus": corpus, "run": run, "seed": seed}))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(path: Path, expected: dict) -> dict:
    metrics = _json(path)
    for key, value in expected.items():
        if metrics.get(key) != value:
            raise InputError(path, f"{key} is {metrics.get(key)!r}, but the folder says {value!r}")
    named = {key: str(metrics.get(key) or "") for key in ("split", "protocol")}
    counts = {"clips": _count(path, "clips", metrics.get("clips"))}
    counts["beam_size"] = _count(path, "beam_size", metrics["beam_size"]) if "beam_size" in metrics else 0
    return {**expected, **named, **counts, **_quantities(path, metrics)}


def _count(path: Path, key: str, value: object) -> int:
    if type(value) is not int or value < 1:
        raise InputError(path, f"{key} is {value!r}, not a positive whole number")
    return value


def _json(path: Path) -> dict:
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # also an encoding that is not UTF-8
        raise InputError(path, f"not valid JSON: {error}") from None
    if not isinstance(metrics, dict):
        raise InputError(path, "not a JSON object")
    return metrics


def _quantities(path: Path, metrics: dict) -> dict[str, float]:
    """Percentages of a probe (accuracy) or of a run (both decoders)."""
    if "accuracy" in metrics:
        return {"accuracy": _percent(path, "accuracy", metrics["accuracy"], most=1.0)}
    found = {}
    for decoder in DECODERS:
        rates = metrics.get(decoder)
        if not isinstance(rates, dict):
            raise InputError(path, f"no {decoder} section")
        for rate in RATES:
            found[f"{decoder}_{rate}"] = _percent(path, f"{decoder}.{rate}", rates.get(rate))
    return found | {"beam_accuracy": 100 - found["beam_wer"]}


def _percent(path: Path, key: str, value: object, most: float = math.inf) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value <= most:
        raise InputError(path, f"{key} is {value!r}, not a fraction")
    return 100 * value


def by_seed(frame: pd.DataFrame, corpus: str, run: str, quantity: str) -> pd.Series:
    """One quantity of one run, indexed by seed."""
    rows = frame[(frame["corpus"] == corpus) & (frame["run"] == run)]
    return rows.set_index("seed")[quantity].astype(float).dropna()


def summarise(values: pd.Series) -> Summary:
    """Mean and spread of one value a seed."""
    return Summary(float(values.mean()), float(values.std(ddof=1)), len(values))


def paired(values: pd.Series, baseline: pd.Series) -> Summary:
    """Mean and spread of the per-seed differences values - baseline, over the seeds that both have."""
    return summarise((values - baseline).dropna())
