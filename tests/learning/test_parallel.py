"""Two processes learn what one process learns from the same batches, whoever starts them, on one machine or two."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from test_cli import called

from pcpg.reader.checkpoint import load

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


# `srun`, without Slurm: the command once for each machine, of which all are this one
SRUN = """#!/bin/sh
while case "$1" in --*) true ;; *) false ;; esac; do shift; done
"$@" & other=$!
"$@"; first=$?
wait $other && exit $first
"""


def pcpg(folder: Path, *command: str, launcher: tuple[str, ...] = (), **environment: str):
    return subprocess.run(
        [sys.executable, *launcher, "-m", "pcpg.cli", *command, "--seed", "1"],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


def alone(folder: Path, *command: str) -> tuple[pd.DataFrame, dict]:
    """In the tests' own process."""
    return trained(folder, command, called(*command, "--seed", "1", cwd=folder))


def run(folder: Path, *command: str, **how) -> tuple[pd.DataFrame, dict]:
    return trained(folder, command, pcpg(folder, *command, **how))


def trained(folder: Path, command: tuple[str, ...], done) -> tuple[pd.DataFrame, dict]:
    _, corpus, name = command
    assert done.returncode == 0, done.stderr
    weights = load(folder / f"runs/smoke/{corpus}/{name}/seed1/model.pt")["model"]
    return pd.read_csv(folder / f"results/smoke/runs/{corpus}/{name}/history-seed1.csv"), weights


def assert_equal(one: tuple[pd.DataFrame, dict], two: tuple[pd.DataFrame, dict]) -> None:
    """The same losses and weights, but for the order in which floating-point numbers are added."""
    columns = [name for name in one[0] if name.startswith(("train_loss", "train_pcpg", "train_gradient", "val_"))]
    assert len(columns) >= 4 and len(one[0]) > 1
    for column in columns:
        assert two[0][column].to_list() == pytest.approx(one[0][column].to_list(), rel=2e-3, nan_ok=True), column
    assert two[1].keys() == one[1].keys()
    for name, value in one[1].items():
        assert torch.allclose(two[1][name].float(), value.float(), atol=2e-3), name


def test_two_processes_equal_one(toy):
    """The baseline, then a run whose samples, baseline and standardised returns must not know of the processes.

    Ten clips in batches of five: three in one process, two in the other. No dropout, which each process draws on its
    own. Adam hides the size of a wrong gradient but not its norm, which the history holds. Most of the test is imports.
    """
    params = toy / "params.yaml"
    text = params.read_text().replace("dropout: 0.2", "dropout: 0.0").replace("batch: 16", "batch: 5")
    text = text.replace("epochs: 1", "epochs: 2").replace("max_length: 32", "max_length: 12")
    params.write_text(
        text.replace("baseline: none", "baseline: greedy").replace("standardise: none", "standardise: batch")
    )
    one = alone(toy, "train", "grid", "ce")
    baseline = (toy / "runs/smoke/grid/ce/seed1/model.pt").read_bytes()
    tuned = alone(toy, "train", "grid", "k5s1")
    assert_equal(one, run(toy, "train", "grid", "ce", launcher=TORCHRUN))
    (toy / "runs/smoke/grid/ce/seed1/model.pt").write_bytes(baseline)
    params.write_text(params.read_text().replace("processes: 1", "processes: 2"))
    assert_equal(tuned, run(toy, "train", "grid", "k5s1"))
    assert processes(toy, "k5s1") == 2
    params.write_text(params.read_text().replace("nodes: 1", "nodes: 2"))
    srun = toy / "bin" / "srun"
    srun.parent.mkdir()
    srun.write_text(SRUN)
    srun.chmod(0o755)
    assert_equal(tuned, run(toy, "train", "grid", "k5s1", PATH=f"{srun.parent}:{os.environ['PATH']}"))
    assert processes(toy, "k5s1") == 2


def processes(folder: Path, name: str) -> int:
    """What a run says of itself; the record is removed, so that no other run's is read."""
    record = folder / f"logs/smoke/records/grid/{name}/seed1.json"
    count = json.loads(record.read_text())["processes"]
    record.unlink()
    return count


def test_what_all_processes_meet_is_told_once(toy, monkeypatch):
    """And the exit status is that of one process."""
    params = toy / "params.yaml"
    params.write_text(params.read_text().replace("processes: 1", "processes: 2"))
    failed = pcpg(toy, "train", "grid", "k5s1")
    assert failed.returncode == 2
    (line,) = failed.stderr.splitlines()
    assert "runs/smoke/grid/ce/seed1/model.pt" in line
    params.write_text(params.read_text().replace("nodes: 1", "nodes: 2"))
    monkeypatch.setenv("PATH", str(toy))
    failed = called("train", "grid", "k5s1", "--seed", "1", cwd=toy)
    assert failed.returncode == 2
    assert failed.stderr == "pcpg: nodes: 2 machines are for jobs of Slurm, and there is no srun here\n"
