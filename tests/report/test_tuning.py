"""The table of what was tried, from histories on disk."""

import csv
import io

from made import ROOT, paths_of, put_history, settings_of

from pcpg.report.tables.tuning import tuning_table
from pcpg.settings.load import load


def history(base, run, rates, start=False):
    put_history(
        base, "grid", run, 1, [f"{10 * k},{k if start else k + 1},1,1,{k},{rate}" for k, rate in enumerate(rates)]
    )


def test_the_best_score_of_each_run_and_what_differs_between_them(tmp_path):
    history(tmp_path, "ce", [0.5, 0.25, 0.3])
    history(tmp_path, "k5s1", [0.1, 0.3, 0.2], start=True)  # starts at 0.1, which is not its own work
    ce, k5s1 = csv.DictReader(io.StringIO(tuning_table(settings_of([1]), paths_of(tmp_path), "grid")))
    assert (ce["run"], ce["val_cer"], ce["iteration"], ce["kernel"]) == ("ce", "25.000", "10", "")
    assert (k5s1["run"], k5s1["val_cer"], k5s1["val_ce"], k5s1["iteration"]) == ("k5s1", "20.000", "2.0000", "20")
    assert k5s1["kernel"] == "1/5 1/5 1/5 1/5 1/5" and k5s1["lambda_pg"] == "0.5"
    assert (ce["objective"], k5s1["objective"], ce["epochs"], k5s1["epochs"]) == ("cross_entropy", "pcpg", "60", "6")
    assert "teacher_forcing" not in k5s1  # the same in all runs


def test_two_settings_of_one_name_are_two_columns(tmp_path):
    settings = load(ROOT / "presets/grid-s1-objectives.yaml")
    run = settings.runs["grid"]["copg"]
    keys = run.objective["copg"]
    other = run.model_copy(update={"objective": {"copg": keys | {"edited": keys["edited"] | {"texts": 7}}}})
    for name in ("copg", "other"):
        history(tmp_path, name, [0.5, 0.4])
    runs = {"grid": {"copg": run, "other": other}}
    rows = csv.DictReader(io.StringIO(tuning_table(settings_of([1], runs=runs), paths_of(tmp_path), "grid")))
    assert [row["edited.texts"] for row in rows] == [str(keys["edited"]["texts"]), "7"]
