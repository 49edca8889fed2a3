"""What was tried before a preset was written: each run's settings and its best score on validation."""

import csv
import io
from pathlib import Path

import pandas as pd

from pcpg.report.results import curves
from pcpg.settings.schema import Run, Transcription, to_plain

SCORES = ("val_cer", "val_ce", "iteration")


def table(baseline: Transcription, runs: dict[str, Run], results: Path, corpus: str, seeds: list[int]) -> str:
    """csv: one row a run (ce first) and seed with the evaluation of lowest validation CER, in percent, and the settings
    that differ between the runs. A run without history has no row.
    """
    settings = {"ce": to_plain(baseline)} | {name: to_plain(run) for name, run in runs.items()}
    keys = dict.fromkeys(key for one in settings.values() for key in one)
    varied = [key for key in keys if len({str(one[key]) for one in settings.values() if key in one}) > 1]
    text = io.StringIO()
    writer = csv.DictWriter(text, ["corpus", "run", "seed", *varied, *SCORES], lineterminator="\n")
    writer.writeheader()
    for name, values in settings.items():
        for seed in seeds:
            for history in curves.histories(results, corpus, name, [seed]):
                chosen = {key: _plain(values[key]) for key in varied if key in values}
                writer.writerow({"corpus": corpus, "run": name, "seed": seed} | chosen | _best(history))
    return text.getvalue()


def _plain(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _best(history: pd.DataFrame) -> dict[str, str]:
    learned = history[history["epoch"] > 0]  # the first row of a fine-tuned run is its start, no choice of its own
    row = learned.loc[learned["val_cer"].idxmin()]
    return {
        "val_cer": f"{100 * row['val_cer']:.3f}",
        "val_ce": f"{row['val_ce']:.4f}",
        "iteration": f"{row['iteration']:.0f}",
    }
