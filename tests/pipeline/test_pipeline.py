"""The whole pipeline, small: every stage, by Snakemake, then DVC's record of it, then a changed parameter."""

import re
import resource

import pandas as pd
from smoke_clone import call, planned, run, run_cold

from pcpg.report.claims.claims import CLAIMS


def test_every_table_and_figure_is_there(smoke):
    for table in ("table1", "table2a", "table2b", "table3", "table4", "table5a", "table5b", "objectives"):
        for ending in ("csv", "md", "tex"):
            assert (smoke / f"results/smoke/{table}.{ending}").stat().st_size > 100
    for figure in ("verdicts", "fig5_coverage", "fig6_grid", "fig6_lrw", "fig6_lrw1000", "objectives_grid", "strip"):
        for ending in ("png", "svg"):
            assert (smoke / f"figures/smoke/{figure}.{ending}").stat().st_size > 1000
    claims = (smoke / "results/smoke/claims.md").read_text()
    assert len(re.findall(r"^\| C[1-8], (fine-tuned|at equal updates|from random weights) \|", claims, re.M)) == len(
        CLAIMS
    )
    assert "| C3, fine-tuned |" in claims and "not run" not in claims.split("| C3, fine-tuned |")[1].split("\n")[0]
    assert 100_000 < (smoke / "results/smoke/report.html").stat().st_size < 3_000_000
    table = pd.read_csv(smoke / "results/smoke/table1.csv")
    assert table[~table["control"]]["cer_mean"].notna().all()
    assert table[table["control"] & (table["corpus"] == "grid")]["cer_mean"].notna().all()


def test_a_second_run_has_nothing_to_do(smoke):
    """By processor time too: `python -m tests.bench.stages` has seconds."""
    before = worked()
    assert "Nothing to be done" in run_cold("snakemake", "--cores", "2", cwd=smoke)
    assert "Data and pipelines are up to date" in run_cold("dvc", "repro", cwd=smoke)
    assert worked() - before < 25


def worked() -> float:
    """Seconds that processors worked for the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_metrics_and_plots_are_known_to_dvc(smoke):
    assert "beam.cer" in run("dvc", "metrics", "show", cwd=smoke)
    run("dvc", "plots", "show", "--out", "plots", cwd=smoke)
    assert (smoke / "plots" / "index.html").stat().st_size > 10_000


def test_the_report_holds_tables_and_figures(smoke):
    run("snakemake", "--report", "report.zip", cwd=smoke)
    assert (smoke / "report.zip").stat().st_size > 100_000


def test_a_changed_parameter_reruns_what_depends_on_it_in_both_engines(smoke):
    """k5s5 of LRW-1000 alone: one run, its evaluation, and the tables and figures."""
    params = smoke / "params.yaml"
    text = params.read_text()
    changed = text.replace("k5s5: *word_k5s5", "k5s5: {<<: *word_k5s5, objective: {pcpg: {<<: *k5s5, gamma: 0.9}}}", 1)
    assert changed != text
    params.write_text(changed)
    try:
        jobs = planned(smoke)
        run("pcpg", "plan", cwd=smoke)
        status = run("dvc", "status", cwd=smoke)
        difference = run("dvc", "params", "diff", cwd=smoke)
        assert jobs == {"train": 1, "evaluate": 1, "tables": 8, "claims": 1, "figures": 7, "page": 1, "all": 1}
        # what reads all runs shows their settings; what only reads the run's outputs waits for them
        touched = {name.partition("@")[0] for name in re.findall(r"^(\S+):$", status, re.M)}
        assert touched == {"train_from_run", "tables", "claims", "figures", "page", "plan"}
        assert re.findall(r"^(train\S+):$", status, re.M) == ["train_from_run@lrw1000-k5s5-1"]
        assert re.search(r"runs\.lrw1000\.k5s5\.objective\.pcpg\.gamma +0\.95 +0\.9\b", difference)
    finally:
        params.write_text(text)


def test_a_lost_shard_is_made_again_alone(smoke):
    """By both engines: the other shards stay."""
    clips = smoke / "clips/smoke/lrw"
    lost = [clips / "shards/1", clips / "store.json"]
    for path in lost:
        path.rename(smoke / path.name)
    try:
        target = "clips/smoke/lrw/store.json"  # asked for by name: Snakemake misses no file whose users are finished
        assert planned(smoke, target) == {"shard": 1, "store": 1}
        status = run("dvc", "status", cwd=smoke)
        changed = {stage for stage in re.findall(r"^(\S+):$", status, re.M) if stage.startswith(("shard", "raw"))}
        assert changed == {"shard@lrw-1"}
    finally:
        for path in lost:
            (smoke / path.name).rename(path)


def test_the_same_parameters_give_the_same_bytes(smoke):
    """Train again what is there: weights, history and predictions do not change."""
    folder = smoke / "results/smoke/runs/lrw/k5s1"
    names = [folder / name for name in ("history-seed1.csv", "predictions.csv", "metrics.json")]
    names.append(smoke / "runs/smoke/lrw/k5s1/seed1/model.pt")
    before = [path.read_bytes() for path in names]
    run("pcpg", "train", "lrw", "k5s1", "--seed", "1", cwd=smoke)
    run("pcpg", "evaluate", "lrw", "k5s1", cwd=smoke)
    assert [path.read_bytes() for path in names] == before


def test_no_record_of_a_training_is_an_engines_output(smoke):
    """Nor in git: it differs from machine to machine."""
    records = list((smoke / "logs/smoke/records").rglob("seed1.json"))
    assert len(records) == len(list((smoke / "runs").rglob("model.pt")))
    assert "records" not in (smoke / "dvc.lock").read_text() and "logs" not in run("git", "ls-files", cwd=smoke)


def test_snakemake_does_not_take_for_right_what_dvc_made_of_other_values(smoke):
    """Of a file that DVC has made it has no record, or an old one, and would say "Nothing to be done"."""
    params = smoke / "params.yaml"
    text = params.read_text()
    run("dvc", "repro", "--force", "--single-item", "evaluate@grid-ce", cwd=smoke)
    assert planned(smoke) == {}
    params.write_text(text.replace("beam: 2", "beam: 3", 1))
    try:
        refused = call("snakemake", "--dry-run", "--cores", "1", cwd=smoke)
        said = "params.yaml: DVC ran evaluate grid ce with other values or code"
        assert refused.returncode and said in refused.stdout + refused.stderr
        params.write_text(text)
        run("snakemake", "--touch", "--forceall", "--cores", "1", cwd=smoke)
        assert "Nothing to be done" in run("snakemake", "--dry-run", "--cores", "1", cwd=smoke)
        params.write_text(text.replace("beam: 2", "beam: 3", 1))
        assert planned(smoke)["evaluate"] > 1  # Snakemake has a record now
    finally:
        params.write_text(text)
