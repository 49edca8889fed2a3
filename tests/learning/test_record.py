"""A record says how long, on what and from which commit a run was trained; it never enters a result."""

import json
import subprocess

import pytest
import torch
from command import called

from pcpg.learning import record
from pcpg.settings.load import load
from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths


def test_a_training_records_what_it_took(toy):
    """In logs/, which neither git nor an engine knows; from there `pcpg costs` makes what the page shows."""
    for run in ("ce", "k5s1"):
        done = called("train", "grid", run, "--seed", "1", cwd=toy)
        assert done.returncode == 0, done.stderr
    settings, paths = load(toy / "params.yaml"), Paths("smoke", toy)
    first, second = (json.loads(paths.record("grid", run, 1).read_text()) for run in ("ce", "k5s1"))
    weights = torch.load(paths.weights("grid", "ce", 1), weights_only=True)["model"]
    trained = sum(value.numel() for name, value in weights.items() if "running_" not in name and "tracked" not in name)
    assert first["parameters"] == second["parameters"] == trained
    assert first["settings"]["network"] == settings.network["grid"].model_dump()
    assert first["settings"]["view"] == settings.view["grid"].model_dump()
    assert second["settings"]["run"]["objective"]["pcpg"]["kernel"] == ["1/5"] * 5
    assert 0 < first["seconds"] < 120 and first["processes"] == 1 and first["seed"] == 1
    assert 50 < first["peak_memory_mib"] < 20_000
    assert first["updates"] == settings.runs["grid"]["ce"].optimisation.epochs  # eight clips are one batch
    outputs = [path.relative_to(toy) for folder in paths.outputs for path in folder.rglob("*")]
    assert outputs and not any("record" in str(path) for path in outputs)
    done = called("costs", cwd=toy)
    assert done.returncode == 0, done.stderr
    costs = (toy / "results/smoke/costs.csv").read_text()
    assert "grid,ce,1," in costs and "grid,k5s1,1," in costs and str(first["peak_memory_mib"]) in costs
    assert (first["commit"] or "not recorded") in costs


@pytest.mark.parametrize("text", ["", "[]", '{"seconds": 1}', "\x00", b"\xff"])
def test_a_damaged_record_is_named(toy, text):
    from pcpg.report.costs import write_costs

    paths = Paths("smoke", toy)
    path = paths.record("grid", "ce", 1)
    path.parent.mkdir(parents=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=r"ce/seed1\.json: is not a record"):
        write_costs(load(toy / "params.yaml"), paths)


def test_without_a_record_there_are_no_costs(toy):
    done = called("costs", cwd=toy)
    assert done.returncode == 2 and "no training has left a record" in done.stderr


def test_the_commit_says_whether_the_sources_were_changed(tmp_path, monkeypatch):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t"]
    package = tmp_path / "src" / "pcpg"
    package.mkdir(parents=True)
    monkeypatch.setattr(record, "HERE", package)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert record.commit() is None
    (package / "a.py").write_text("1\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], check=True)
    head = record.commit()
    assert len(head) == 40
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "t.csv").write_text("a result is no change of the sources")
    assert record.commit() == head
    (package / "a.py").write_text("2\n")
    assert record.commit() == f"{head} + changes"
