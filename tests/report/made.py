"""Made-up results in the layout of the pipeline: metrics, predictions and histories, a seed at a time."""

import csv
import json
from pathlib import Path

from pcpg.reader.metrics import error_rates
from pcpg.report.names import figure_names, table_names
from pcpg.report.results.results import Results
from pcpg.settings.load import load
from pcpg.settings.schema import Params
from pcpg.workspace.paths import Paths

ROOT = Path(__file__).parents[2]
HEADER = "iteration,epoch,train_loss,train_ce,val_ce,val_cer"


def settings_of(seeds=(1, 2, 3), preset: str = "mini", **changes) -> Params:
    """The preset mini with the GRID runs of grid-s1-cpu, which are all that the report knows, and every table."""
    mini, grid = load(ROOT / "params.yaml"), load(ROOT / "presets" / "grid-s1-cpu.yaml")
    named = {"tables": list(table_names()), "figures": list(figure_names(mini.corpus_names))}
    runs = {**mini.runs, "grid": grid.runs["grid"]}
    return mini.model_copy(update={"preset": preset, "seeds": list(seeds), "runs": runs, **named, **changes})


def with_runs(settings: Params, corpus: str, **runs) -> Params:
    """The settings with further runs of a corpus."""
    return settings.model_copy(update={"runs": {**settings.runs, corpus: {**settings.runs[corpus], **runs}}})


def paths_of(base: Path, preset: str = "mini") -> Paths:
    return Paths(preset, base)


def results_of(base: Path, seeds=(1, 2, 3), **changes) -> Results:
    return Results(paths_of(base), settings_of(seeds, **changes))


def put(base: Path, corpus: str, run: str, seed: int, score: dict, **changes) -> Path:
    """Add a seed to the metrics of a run; -> the file."""
    path = paths_of(base).metrics(corpus, run)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.loads(path.read_text()) if path.is_file() else {"seeds": {}}
    content |= {"corpus": corpus, "run": run, "split": "test", "clips": 40, **changes}
    content["seeds"][str(seed)] = score
    path.write_text(json.dumps(content))
    return path


def put_rates(base: Path, corpus: str, run: str, seed: int, cer: float, wer: float, beam=(0.5, 0.5), **changes) -> Path:
    greedy = {"cer": cer, "wer": wer, "mean_cer": 0.9, "mean_wer": 0.9}
    searched = {"cer": beam[0], "wer": beam[1], "mean_cer": 0.9, "mean_wer": 0.9}
    score = {"greedy": greedy, "beam": searched}
    return put(base, corpus, run, seed, score, **{"beam_size": 5, "protocol": "unseen", **changes})


def put_accuracy(base: Path, corpus: str, run: str, seed: int, accuracy: float, **changes) -> Path:
    return put(base, corpus, run, seed, {"accuracy": accuracy}, **changes)


def predict(base: Path, corpus: str, run: str, seed: int, rows: list[dict[str, str]], preset: str = "mini") -> Path:
    """Add a seed's rows, without their seed, to the predictions of a run, or replace them; -> the file."""
    path = paths_of(base, preset).predictions(corpus, run)
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = []
    if path.is_file():
        with open(path, newline="", encoding="utf-8") as file:
            kept = [row for row in csv.DictReader(file) if row["seed"] != str(seed)]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["seed", *rows[0]], lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            sorted([*kept, *({"seed": str(seed), **row} for row in rows)], key=lambda row: int(row["seed"]))
        )
    return path


def transcribed(base: Path, corpus: str, run: str, seed: int, hypotheses: list[str], reference="set blue now") -> Path:
    """Metrics and predictions of one seed, which agree; -> the metrics."""
    cer, wer = (error_rates([reference] * len(hypotheses), hypotheses)[name] for name in ("cer", "wer"))
    facts = [{"clip": str(number), "speaker": "s1", "reference": reference} for number in range(len(hypotheses))]
    predict(base, corpus, run, seed, [f | {"greedy": t, "beam": t} for f, t in zip(facts, hypotheses, strict=True)])
    return put_rates(base, corpus, run, seed, cer, wer, beam=(cer, wer))


def put_history(base: Path, corpus: str, run: str, seed: int, lines: list[str], header: str = HEADER) -> Path:
    path = paths_of(base).history(corpus, run, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines]) + "\n")
    return path
