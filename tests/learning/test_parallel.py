"""Two processes learn what one process learns from the same batches, whoever starts them, on one machine or two."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from command import called
from torch import nn

from pcpg.reader.checkpoint import load
from pcpg.settings.yaml_file import read_yaml
from pcpg.workspace import parallel
from tests.conftest import ROOT, noise_store, toy_in

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
    start = load(toy / "runs/smoke/grid/ce/seed1/model.pt")["model"]
    tuned = alone(toy, "train", "grid", "k5s1")
    assert_equal(one, run(toy, "train", "grid", "ce", launcher=TORCHRUN))
    (toy / "runs/smoke/grid/ce/seed1/model.pt").write_bytes(baseline)
    params.write_text(params.read_text().replace("processes: 1", "processes: 2"))
    two = run(toy, "train", "grid", "k5s1")
    assert_equal(tuned, two)
    learned = [name for name in start if "running" not in name and "num_batches" not in name]
    ours, theirs = (torch.cat([(of[name] - start[name]).flatten() for name in learned]) for of in (tuned[1], two[1]))
    assert (ours - theirs).norm() < 0.01 * ours.norm()  # of so few updates the weights themselves would tell little
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
    assert failed.stderr == "pcpg: params.yaml: nodes: 2 machines are for jobs of Slurm, and there is no srun here\n"


def test_batch_normalisation_over_all_processes_keeps_its_parameters():
    """Those of a fixed encoder, or of a frozen copy, learn nothing."""
    module = nn.Sequential(nn.BatchNorm2d(3), nn.Sequential(nn.BatchNorm2d(2).requires_grad_(False).eval()))
    before = list(module.parameters())
    parallel._synchronise(module)
    assert all(one is other for one, other in zip(module.parameters(), before, strict=True))
    assert [parameter.requires_grad for parameter in module.parameters()] == [True, True, False, False]
    assert (module[0].training, module[1][0].training) == (True, False)
    assert type(module[1][0]) is parallel.SyncBatchNorm


# What each of two processes does, one training after the other; the second is broken off and goes on
TRAININGS = """
import shutil, sys
from pcpg import cli
from pcpg.learning import loop
import torch.distributed as dist

def train(*command):
    sys.argv[1:] = [*command, "--seed", "1"]
    status = cli.main()
    dist.barrier()
    return status

def broken(self, batch, number):
    if number == 2:
        raise KeyboardInterrupt
    return learn(self, batch, number)

assert train("train", "grid", "k5s1") == 0
if dist.get_rank() == 0:
    shutil.move("results/smoke/runs/grid/k5s1/history-seed1.csv", "unbroken.csv")
learn, loop.Learner.learn, loop.SAVE_SECONDS = loop.Learner.learn, broken, -1.0
assert train("train", "grid", "k5s1") == 130
loop.Learner.learn = learn
for command in (("train", "grid", "k5s1"), ("train", "grid", "nlpo"), ("probe", "lrw", "ce-fe_tc")):
    assert train(*command) == 0
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> Path:
    """The folder in which two processes have trained."""
    folder = toy_in(tmp_path_factory.mktemp("pair"))
    noise_store(folder / "clips/smoke/lrw")
    params = read_yaml(folder / "params.yaml") | {"max_length": 12}
    runs, probe = params["runs"]["grid"], params["classifiers"]["lrw"]["ce-fe_tc"]
    nlpo = read_yaml(ROOT / "presets/grid-s1-objectives.yaml")["runs"]["grid"]["nlpo"]
    nlpo["objective"]["nlpo"]["updates"] = 2
    short = runs["k5s1"]["optimisation"] | {"batch": 2, "learning_rate": 0.01}  # four updates
    params["runs"]["grid"] = {name: run | {"optimisation": short} for name, run in (runs | {"nlpo": nlpo}).items()}
    params["classifiers"]["lrw"]["ce-fe_tc"] = probe | {"optimisation": short}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    for corpus in ("grid", "lrw"):
        assert called("train", corpus, "ce", "--seed", "1", cwd=folder).returncode == 0
    with socket.socket() as free:
        free.bind(("", 0))
        place = {"MASTER_ADDR": "localhost", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", TRAININGS],
            cwd=folder,
            env=os.environ | place | {"RANK": rank, "LOCAL_RANK": rank},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in "01"
    ]
    said = [process.communicate(timeout=300)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert [text.count("device: cpu") for text in said] == [5, 0]
    return folder


def test_a_broken_training_of_two_processes_ends_in_the_same_history(pair):
    """Of the losses since the last evaluation each process had its own share."""
    broken = pair / "results/smoke/runs/grid/k5s1/history-seed1.csv"
    assert broken.read_text() == (pair / "unbroken.csv").read_text()
    assert broken.read_text().count("\n") == 3


def test_a_fixed_encoder_is_fixed_in_two_processes(pair):
    start, probed = (load(pair / f"runs/smoke/lrw/{name}/seed1/model.pt")["model"] for name in ("ce", "ce-fe_tc"))
    fixed = [name for name in probed if name.startswith("encoder.")]
    assert sum("running_mean" in name for name in fixed) > 3
    assert all(torch.equal(probed[name], start[name]) for name in fixed)


def test_nlpo_trains_in_two_processes(pair):
    """Its mask policy learns nothing, and torch would wait for a gradient of what may learn."""
    assert (pair / "runs/smoke/grid/nlpo/seed1/model.pt").is_file()
