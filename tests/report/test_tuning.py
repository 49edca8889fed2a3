"""The table of what was tried, from histories on disk."""

import csv
import io
from pathlib import Path

from pcpg.report.tables.tuning import table
from pcpg.settings import load as params

SMOKE = Path(__file__).parents[1] / "smoke.params.yaml"


def history(results, run, rates, start=False):
    folder = results / "runs/grid" / run / "seed1"
    folder.mkdir(parents=True)
    lines = ["iteration,epoch,train_loss,train_ce,val_ce,val_cer"]
    lines += [f"{10 * k},{k if start else k + 1},1,1,{k},{rate}" for k, rate in enumerate(rates)]
    (folder / "history.csv").write_text("\n".join(lines) + "\n")


def test_the_best_score_of_each_run_and_what_differs_between_them(tmp_path):
    settings = params.load(SMOKE)
    history(tmp_path, "ce", [0.5, 0.25, 0.3])
    history(tmp_path, "k5s1", [0.1, 0.3, 0.2], start=True)  # starts at 0.1, which is not its own work
    text = table(settings.baselines["grid"], settings.runs.grid, tmp_path, "grid", [1])
    ce, k5s1 = csv.DictReader(io.StringIO(text))
    assert (ce["run"], ce["val_cer"], ce["iteration"], ce["kernel"]) == ("ce", "25.000", "10", "")
    assert (k5s1["run"], k5s1["val_cer"], k5s1["val_ce"], k5s1["iteration"]) == ("k5s1", "20.000", "2.0000", "20")
    assert k5s1["kernel"] == "1/5 1/5 1/5 1/5 1/5" and k5s1["lambda_pg"] == "1/2"
    assert "gamma" not in k5s1  # the same in all runs
