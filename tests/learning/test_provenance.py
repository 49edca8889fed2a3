"""provenance.json says how long, on what and from which commit a run was trained; it never enters a result."""

import json
import subprocess
from pathlib import Path

import pytest
import torch
from test_cli import pcpg

from pcpg.learning import record as provenance
from pcpg.report.page import trainings
from pcpg.settings import load as params
from pcpg.settings.schema import to_plain
from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths


def record_of(folder: Path, run: str) -> dict:
    return json.loads((folder / "results/smoke/runs/grid" / run / "seed1/provenance.json").read_text())


def test_a_training_records_what_it_took(toy):
    for command in (["train", "grid"], ["finetune", "grid", "k5s1"]):
        done = pcpg(*command, "--seed", "1", cwd=toy)
        assert done.returncode == 0, done.stderr
    settings = params.load(toy / "params.yaml")
    first, second = record_of(toy, "ce"), record_of(toy, "k5s1")
    weights = torch.load(toy / "runs/smoke/grid/ce/seed1/model.pt", weights_only=True)["model"]
    trained = sum(value.numel() for name, value in weights.items() if "running_" not in name and "tracked" not in name)
    assert first["parameters"] == second["parameters"] == trained
    assert first["settings"]["Model"] == json.loads(json.dumps(to_plain(settings.model["grid"]), default=str))
    assert second["settings"]["Run"]["kernel"] == ["1/5"] * 5
    assert 0 < first["seconds"] < 120 and first["processes"] == 1 and first["seed"] == 1
    assert 50 < first["peak_memory_mib"] < 20_000
    assert first["updates"] == settings.baselines["grid"].epochs  # eight clips are one batch
    found = trainings.recorded(settings, Paths("smoke", toy))
    shown = trainings.cost(found)
    assert "GRID ce" in shown and "GRID k5s1" in shown and f"{first['peak_memory_mib']:,} MiB" in shown
    assert first["commit"] is None or first["commit"] in trainings.commits(found)


@pytest.mark.parametrize("text", ["", "[]", '{"seconds": 1}', "\x00"])
def test_a_damaged_record_is_named(toy, text):
    path = toy / "results/smoke/runs/grid/ce/seed1/provenance.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(InputError, match="provenance.json: is not a record"):
        trainings.recorded(params.load(toy / "params.yaml"), Paths("smoke", toy))


def test_the_commit_says_whether_the_sources_were_changed(tmp_path, monkeypatch):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t"]
    package = tmp_path / "src" / "pcpg"
    package.mkdir(parents=True)
    monkeypatch.setattr(provenance, "HERE", package)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.commit() is None
    (package / "a.py").write_text("1\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], check=True)
    head = provenance.commit()
    assert len(head) == 40
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "t.csv").write_text("a result is no change of the sources")
    assert provenance.commit() == head
    (package / "a.py").write_text("2\n")
    assert provenance.commit() == f"{head} + changes"


def test_runs_without_a_record_are_named_as_such():
    assert "not recorded" in trainings.cost({})
    old = {"commit": None, "device": "CPU", "processes": 1, "updates": 5, "seconds": 61.0, "peak_memory_mib": None}
    shown = trainings.cost({("grid", "ce"): [old]})
    assert "1:01" in shown and "not recorded" in shown
