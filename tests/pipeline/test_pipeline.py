"""The whole pipeline, small: every stage, by Snakemake, then DVC's record of it, then a changed parameter."""

import os
import re
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def smoke(root, tmp_path_factory) -> Path:
    """A copy of the project whose active preset is smoke, after one run of everything."""
    folder = tmp_path_factory.mktemp("smoke")
    for name in ("src", "profiles"):
        shutil.copytree(root / name, folder / name)
    for name in ("Snakefile", "dvc.yaml", ".gitignore"):
        shutil.copy(root / name, folder / name)
    shutil.copy(root / "tests" / "smoke.params.yaml", folder / "params.yaml")
    run("git", "init", "--quiet", cwd=folder)
    run("dvc", "init", "--quiet", "--force", cwd=folder)
    shutil.copy(root / ".dvcignore", folder / ".dvcignore")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run("snakemake", "--cores", "2", cwd=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    (folder / "seconds").write_text(str(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    run("dvc", "commit", "--force", "--quiet", "--no-relink", cwd=folder)
    run("git", "add", ".", cwd=folder)
    run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "smoke", cwd=folder)
    return folder


def jobs_of(output: str) -> dict[str, int]:
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", output, re.M) if name != "total"}


def test_it_takes_two_cores_two_minutes_at_most(smoke):
    """By the time that processors worked: whatever else the machine does does not count."""
    assert float((smoke / "seconds").read_text()) < 2 * 120


def test_every_table_and_figure_is_there(smoke):
    for table in ("table1", "table2a", "table2b", "table3", "table4", "table5a", "table5b"):
        for ending in ("csv", "md", "tex"):
            assert (smoke / f"results/smoke/{table}.{ending}").stat().st_size > 100
    for figure in ("fig5_coverage", "fig6_grid", "fig6_lrw", "fig6_lrw1000", "strip"):
        for ending in ("png", "svg"):
            assert (smoke / f"figures/smoke/{figure}.{ending}").stat().st_size > 1000
    assert (smoke / "results/smoke/claims.md").read_text().count("\n| C") == 8
    assert "not run" not in (smoke / "results/smoke/claims.md").read_text().split("| C7 |")[0].split("| C3 |")[0]
    assert 100_000 < (smoke / "results/smoke/report.html").stat().st_size < 3_000_000
    table = pd.read_csv(smoke / "results/smoke/table1.csv")
    assert table[~table["control"]]["cer_mean"].notna().all()
    assert table[table["control"] & (table["corpus"] == "grid")]["cer_mean"].notna().all()


def test_a_second_run_has_nothing_to_do(smoke):
    started = time.monotonic()
    assert "Nothing to be done" in run("snakemake", "--cores", "2", cwd=smoke)
    assert "up to date" in run("dvc", "status", cwd=smoke)
    assert "Data and pipelines are up to date" in run("dvc", "repro", cwd=smoke)
    assert time.monotonic() - started < 30


def test_metrics_and_plots_are_known_to_dvc(smoke):
    assert "beam.cer" in run("dvc", "metrics", "show", cwd=smoke)
    run("dvc", "plots", "show", "--out", "plots", cwd=smoke)
    assert (smoke / "plots" / "index.html").stat().st_size > 10_000


def test_the_report_holds_tables_and_figures(smoke):
    run("snakemake", "--report", "report.zip", cwd=smoke)
    assert (smoke / "report.zip").stat().st_size > 100_000


def test_a_changed_parameter_reruns_what_depends_on_it_in_both_engines(smoke):
    """k5s5 of LRW alone: one run, its evaluation, and the tables and figures."""
    params = smoke / "params.yaml"
    text = params.read_text()
    changed = text.replace("    k5s5: {<<: *word_policy,", "    k5s5: {<<: *word_policy, gamma: 0.9,", 1)
    assert changed != text
    params.write_text(changed)
    try:
        jobs = jobs_of(run("snakemake", "--dry-run", "--quiet", "rules", "--cores", "2", cwd=smoke))
        status = run("dvc", "status", cwd=smoke)
        difference = run("dvc", "params", "diff", cwd=smoke)
        assert jobs == {"finetune": 1, "evaluate": 1, "tables": 7, "claims": 1, "figures": 5, "page": 1, "all": 1}
        assert re.findall(r"^(\S+):$", status, re.M) == ["finetune_lrw@k5s5-1"]
        assert re.search(r"runs\.lrw\.k5s5\.gamma +0\.95 +0\.9\b", difference)
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
        jobs = jobs_of(run("snakemake", "--dry-run", "--quiet", "rules", "--cores", "2", target, cwd=smoke))
        assert jobs == {"shard": 1, "store": 1}
        status = run("dvc", "status", cwd=smoke)
        changed = {stage for stage in re.findall(r"^(\S+):$", status, re.M) if stage.startswith(("shard", "raw"))}
        assert changed == {"shard@lrw-1"}
    finally:
        for path in lost:
            (smoke / path.name).rename(path)


def test_the_same_parameters_give_the_same_bytes(smoke):
    """Train again what is there: weights, history and predictions do not change."""
    names = [f"{kind}/smoke/{path}" for kind, path in (
        ("runs", "lrw/k5s1/seed1/model.pt"),
        ("results", "runs/lrw/k5s1/seed1/history.csv"),
        ("results", "runs/lrw/k5s1/seed1/predictions.csv"),
        ("results", "runs/lrw/k5s1/seed1/metrics.json"),
    )]  # fmt: skip
    before = [(smoke / name).read_bytes() for name in names]
    run("pcpg", "finetune", "lrw", "k5s1", "--seed", "1", cwd=smoke)
    run("pcpg", "evaluate", "lrw", "k5s1", "--seed", "1", cwd=smoke)
    assert [(smoke / name).read_bytes() for name in names] == before
