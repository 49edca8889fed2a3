"""Objectives side by side: which runs stand in their table and picture, told apart how, with which numbers."""

import csv
import math

import pandas as pd
import pytest
from made import put_history, results_of, settings_of, transcribed, with_runs
from scipy.stats import t as student

from pcpg.report.costs import COLUMNS
from pcpg.report.figures.objectives import OURS, _apart, draw_objectives
from pcpg.report.figures.style import house_style
from pcpg.report.results.quantities import TRAINED
from pcpg.report.runs import describe, objective_runs, told_apart
from pcpg.report.tables.write import write_table
from pcpg.workspace.paths import Paths
from pcpg.workspace.rows import write_csv

HEADER = "iteration,epoch,train_loss,train_ce,val_ce,val_cer,policy_greedy,policy_kl,train_ratio_sd"
KEYS = {"cross_entropy": {}, "samples": 5}


def family():
    settings = settings_of()
    plain = settings.runs["grid"]["ce-continued"]

    def run(name, **keys):
        return plain.model_copy(update={"objective": {name: KEYS | keys}})

    rloo, grpo = run("rloo", scale="none"), run("rloo", scale="group")
    short = rloo.model_copy(update={"optimisation": rloo.optimisation.model_copy(update={"epochs": 2})})
    return with_runs(settings, "grid", rloo=rloo, grpo=grpo, short=short, ocd=run("ocd"))


def results(tmp_path):
    """Three seeds of four sentences; ocd reads one more of them, and training says so."""
    for seed in (1, 2, 3):
        for run, right in (("ce-continued", 1), ("rloo", 1), ("ocd", 2)):
            read = ["set blue now"] * right + ["set red now"] * (4 - right)
            read[-1] = "set red" if seed == 2 else read[-1]
            transcribed(tmp_path, "grid", run, seed, read)
            kl = "" if run == "ce-continued" else "0.5"
            rows = ["0,0,,,2,0.5,0.4,0,", f"5,1,1,1,1,0.3,0.{6 + right},{kl},0.1", f"9,2,1,1,1,0.4,0.1,{kl},0.1"]
            put_history(tmp_path, "grid", run, seed, rows, HEADER)
    return results_of(tmp_path, runs=family().runs)


def test_other_objectives_stand_beside_the_papers_plain_and_windowed_one():
    settings = family()
    assert list(objective_runs(settings, "grid")) == ["k1s1", "k5s1", "ce-continued", "rloo", "grpo", "short", "ocd"]
    assert objective_runs(settings_of(), "grid") == {}


def test_ratios_of_steps_and_of_texts_are_two_columns():
    history = pd.DataFrame({"train_ratio_sd": [0.05, 3.0], "train_clipped": [0.01, math.nan]})
    drawn = _apart(history)
    assert drawn["step_ratio"].dropna().to_dict() == {0: 0.05} and drawn["text_ratio"].dropna().to_dict() == {1: 3.0}


def test_runs_are_told_apart_by_what_differs_from_the_first_of_their_kind():
    runs = family().runs["grid"]
    labels = told_apart({name: runs[name] for name in ("rloo", "grpo", "short", "ocd")})
    assert labels == {"rloo": "rloo", "grpo": "rloo, scale group", "short": "rloo, epochs 2", "ocd": "ocd"}


def test_a_section_that_one_of_two_lacks_is_told_by_its_keys():
    rloo = family().runs["grid"]["rloo"]
    pulled = {"rloo": KEYS | {"scale": "none", "kl": {"weight": 0.02, "form": "exact"}, "clip": None}}
    free = {"rloo": KEYS | {"scale": "none", "kl": None, "clip": 0.1}}
    runs = {name: rloo.model_copy(update={"objective": keys}) for name, keys in (("a", free), ("b", pulled))}
    assert told_apart(runs)["b"] == "rloo, kl.weight 0.02, kl.form exact, clip none"


def test_a_run_is_described_by_what_differs_from_its_like():
    runs = family().runs["grid"]
    slow = {"optimisation": runs["k1s1"].optimisation.model_copy(update={"learning_rate": 0.25})}
    runs |= {f"{name}-slow": runs[name].model_copy(update=slow) for name in ("k1s1", "ce-continued")}
    assert describe(runs, "k1s1-slow") == "pcpg as k1s1 but learning_rate 0.25"
    assert describe(runs, "ce-continued-slow") == "cross_entropy as ce-continued but learning_rate 0.25"


def test_the_reward_in_training_is_that_of_the_weights_that_were_kept(tmp_path):
    """The evaluation with the lowest validation CER, neither the start nor the last."""
    found = results(tmp_path)
    assert found.quantity("grid", "ocd", TRAINED) == {1: 80.0, 2: 80.0, 3: 80.0}
    assert found.gap("grid", "ocd", "ce-continued", TRAINED).value == pytest.approx(10)
    assert found.quantity("grid", "grpo", TRAINED) == {}


def test_a_seed_that_was_trained_but_not_tested_counts_nowhere(tmp_path):
    results(tmp_path)
    for run in ("ocd", "grpo"):
        put_history(tmp_path, "grid", run, 4, ["0,0,,,2,0.5,0.4,,", "5,1,1,1,1,0.3,0.2,,"], HEADER)
    found = results_of(tmp_path, (1, 2, 3, 4), runs=family().runs)
    assert list(found.quantity("grid", "ocd", TRAINED)) == [1, 2, 3]
    assert list(found.histories("grid", "grpo")) == [4]  # of this run no seed was tested; its curve can be drawn


def test_the_table_has_differences_to_cross_entropy_continued(tmp_path):
    results(tmp_path)
    write_table("objectives", family(), Paths("mini", tmp_path))
    with open(tmp_path / "results/mini/objectives.csv", newline="") as file:
        rows = {row["run"]: row for row in csv.DictReader(file)}
    assert float(rows["ocd"]["wer_delta_mean"]) < 0 == float(rows["rloo"]["wer_delta_mean"])
    assert rows["ce-continued"]["wer_delta_mean"] == "" and rows["grpo"]["seeds"] == "0"
    text = (tmp_path / "results/mini/objectives.md").read_text()
    assert "Δ to CE continued" in text and "not run" in text


def test_differences_are_corrected_over_the_rows(tmp_path):
    """Holm: of two rows with an interval the smaller p counts twice. Two-sided, 2 degrees of freedom."""
    results(tmp_path)
    for seed in (1, 2, 3):
        right = 2 if seed == 3 else 1
        transcribed(tmp_path, "grid", "grpo", seed, ["set blue now"] * right + ["set red now"] * (4 - right))
    found = results_of(tmp_path, runs=family().runs)
    gaps = {run: found.gap("grid", run, "ce-continued", "greedy_wer") for run in ("grpo", "ocd")}
    p = {run: 2 * student.sf(abs(gap.value / gap.error), 2) for run, gap in gaps.items()}
    low, high = sorted(p, key=p.get)
    expected = {low: min(1, 2 * p[low]), high: max(min(1, 2 * p[low]), p[high])}
    corrected = found.apart("grid", ["rloo", "grpo", "ce-continued", "ocd"], "ce-continued", "greedy_wer")
    assert corrected == pytest.approx(expected)
    write_table("objectives", family(), Paths("mini", tmp_path))
    with open(tmp_path / "results/mini/objectives.csv", newline="") as file:
        column = {row["run"]: row["wer_delta_p_holm"] for row in csv.DictReader(file)}
    assert column["rloo"] == column["short"] == column["ce-continued"] == ""
    assert float(column["ocd"]) == pytest.approx(expected["ocd"], abs=1e-4)


def test_the_table_has_epochs_updates_and_seconds_of_the_committed_trainings(tmp_path):
    results(tmp_path)
    write_table("objectives", family(), Paths("mini", tmp_path))
    assert "| – | – | – |\n" in (tmp_path / "results/mini/objectives.md").read_text()
    row = {"corpus": "grid", "run": "ocd", "seeds": 3, "updates": 20, "seconds": 5.0, "peak_memory_mib": 900}
    row |= {"device": "cpu", "processes": 1, "commit": "0"}
    write_csv(tmp_path / "results/mini/costs.csv", COLUMNS, [row])
    write_table("objectives", family(), Paths("mini", tmp_path))
    lines = (tmp_path / "results/mini/objectives.md").read_text().splitlines()
    epochs = family().runs["grid"]["ocd"].optimisation.epochs
    assert [line.split("|")[-4:-1] for line in lines if "| ocd |" in line] == [[f" {epochs} ", " 20 ", " 0.25 "]]
    with open(tmp_path / "results/mini/objectives.csv", newline="") as file:
        assert {row["run"]: row["seconds_an_update"] for row in csv.DictReader(file)} == {
            "k1s1": "", "k5s1": "", "ce-continued": "", "rloo": "", "grpo": "", "short": "", "ocd": "0.2500",
        }  # fmt: skip


def test_costs_may_name_a_run_that_is_gone(tmp_path):
    row = {"corpus": "grid", "run": "ce-continued", "seeds": 3, "updates": 20, "seconds": 5.0, "peak_memory_mib": 900}
    write_csv(tmp_path / "results/mini/costs.csv", COLUMNS, [row | {"device": "cpu", "processes": 1, "commit": "0"}])
    write_table("objectives", settings_of(runs={"grid": {"ce": family().runs["grid"]["ce"]}}), Paths("mini", tmp_path))
    assert "| ce-continued |" in (tmp_path / "results/mini/objectives.md").read_text()


def test_the_picture_has_a_row_a_run_and_a_column_a_quantity(tmp_path):
    with house_style():
        figure = draw_objectives("grid", results(tmp_path))
    forest, greedy, kl, _ = figure.axes  # no column of what no history has
    assert forest.get_title(loc="left") == "GRID, 3 seeds"
    assert [label.get_text() for label in forest.get_yticklabels()] == list(objective_runs(family(), "grid"))
    dots = [line for line in forest.lines if line.get_marker() in ("o", "x")]
    places = {float(line.get_ydata()[0]): float(line.get_xdata()[0]) for line in dots}
    assert places[3] == 0 and places[6] == pytest.approx(-100 / 12)  # one word of twelve
    ends = {float(line.get_ydata()[0]): float(line.get_xdata()[0]) for line in greedy.lines if line.get_marker() == "o"}
    assert ends == pytest.approx({2: 0.7, 3: 0.7, 6: 0.8})
    assert {float(line.get_ydata()[0]) for line in kl.lines if line.get_marker() == "o"} == {3, 6}
    assert all(line.get_color() == OURS for line in dots)
    assert {float(line.get_ydata()[0]): line.get_marker() for line in dots}[3] == "x"  # nothing is known of chance


def test_a_row_with_fewer_seeds_says_so(tmp_path):
    results(tmp_path)
    put_history(tmp_path, "grid", "grpo", 1, ["0,0,,,2,0.5,0.4,0,", "5,1,1,1,1,0.3,0.6,,"], HEADER)
    with house_style():
        figure = draw_objectives("grid", results_of(tmp_path, runs=family().runs))
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["k1s1", "k5s1", "ce-continued", "rloo", "grpo (1 of 3 seeds)", "short", "ocd"]
    assert figure.axes[0].get_title(loc="left").endswith("unless noted")


def test_nothing_run_is_said(tmp_path):
    with house_style():
        figure = draw_objectives("grid", results_of(tmp_path, runs=family().runs))
    assert [text.get_text() for text in figure.texts] == ["not run"]
