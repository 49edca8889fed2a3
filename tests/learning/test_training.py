"""The training loop: what it keeps, where it stops, and that a broken-off training ends in the same bytes."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar
from unittest.mock import Mock

import pytest
import torch
from command import called
from torch import nn

from pcpg.learning import evaluate, loop
from pcpg.learning.epochs import Training
from pcpg.learning.loop import fit
from pcpg.learning.resume import Resume, fingerprint
from pcpg.learning.session import Session
from pcpg.mouths.store import ClipStore
from pcpg.objectives.base import Context, Objective
from pcpg.reader.checkpoint import Content, read, save
from pcpg.reader.network import Classifier, LipReader
from pcpg.reader.view import View
from pcpg.settings.load import load
from pcpg.settings.training import Optimisation
from pcpg.workspace.errors import InputError, refusal
from tests.bench.objectives import learners

SETTINGS = Optimisation(
    epochs=5, batch=10, accumulate=1, augment=True, optimiser="adam", momentum=None, learning_rate=0.1,
    schedule="cosine", weight_decay=0.0, clip_norm=1.0, evaluations=5, stop=None,
)  # fmt: skip
VIEW = View(crop=64, shift=4, pool=2, flip=True, repeat=0.1, mean=0.5, std=0.5)
CPU = torch.device("cpu")


def session_in(folder: Path) -> Session:
    files = [folder / name for name in ("model.pt", "history.csv", "record.json", "events")]
    return Session("t", 1, CPU, "float32", "code", *files)


class Given(Objective):
    """A loss that a test hands over as a function of model and batch."""

    function: Callable

    def losses(self, model: nn.Module, batch, context: Context, drawn=None) -> dict[str, torch.Tensor]:
        return {"loss": self.function(model, batch)}


def run_fit(toy: Path, scores: list[float], objective: Objective) -> tuple[list[float], dict, list[dict]]:
    """-> the weight at each evaluation, the checkpoint, and the history."""
    store, model, scores = ClipStore(toy / "clips/smoke/grid"), nn.Linear(1, 1), iter(scores)
    states = []

    def validate() -> dict[str, float]:
        states.append(model.weight.item())
        return {"val_cer": next(scores)}

    session = session_in(toy)
    fit(
        model, objective, Context(1), SETTINGS,
        Training(store, store.select("train"), SETTINGS.batch, VIEW, CPU, 1),
        validate=validate, select="val_cer", session=session, sections={}, content={"iteration": 100},
    )  # fmt: skip
    with open(session.history, newline="") as file:
        return states, read(session.weights), [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def test_the_best_evaluation_is_kept_and_the_earliest_of_equals(toy):
    states, best, history = run_fit(toy, [0.9, 0.3, 0.5, 0.3, 0.7], Given(function=lambda model, _: model.weight.sum()))
    assert best["model"]["weight"].item() == states[1] and best["iteration"] == 102
    losses = [row["train_loss"] for row in history]
    assert losses[1:] == pytest.approx(states[:-1], rel=1e-5)  # of one update each, not of all
    assert [row["iteration"] for row in history] == [101, 102, 103, 104, 105]
    assert [row["val_cer"] for row in history] == [0.9, 0.3, 0.5, 0.3, 0.7]
    assert [row["train_gradient_norm"] for row in history] == [1.0] * 5
    assert [row["learning_rate"] for row in history] == pytest.approx([0.1, 0.0905, 0.0655, 0.0345, 0.0095], abs=1e-4)


def test_nan_stops_with_the_clips_named(toy):
    with pytest.raises(InputError, match=r"clips s1/clip\d, .*: the loss is nan"):
        run_fit(toy, [0.5] * 5, Given(function=lambda model, _: model.weight.sum() * float("nan")))


def test_weights_that_have_become_nan_stop_every_objective_with_the_clips_named(root):
    family, smoke = load(root / "presets/grid-s1-objectives.yaml"), load(root / "tests/smoke.params.yaml")
    for _, _, learner, batch in learners(smoke, family, 2, CPU):
        learner.model.decoder.output.bias.data.fill_(float("nan"))
        with pytest.raises(InputError, match="clips 0, 1: the loss is nan"):
            learner.learn(batch, 0)


class Killed(Exception):
    pass


def train(folder: Path, toy: Path, stop_after: int | None = None) -> list[bytes]:
    """A small net with dropout and batch statistics, on two batches an epoch; broken off after some updates.

    -> the bytes of weights and history.
    """
    torch.manual_seed(0)
    store = ClipStore(toy / "clips/smoke/grid")
    model = nn.Sequential(nn.Linear(32, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
    settings = SETTINGS.model_copy(update={"epochs": 3, "batch": 6, "evaluations": 2, "schedule": "one_cycle"})
    done = 0

    def loss(model: nn.Module, batch) -> torch.Tensor:
        nonlocal done
        if done == stop_after:
            raise Killed
        done += 1
        return (model(batch.frames.mean(dim=(1, 2))) - batch.uniforms(1)).square().mean()

    session = session_in(folder)
    fit(
        model, Given(function=loss), Context(1), settings, Training(store, store.select("train"), 6, VIEW, CPU, 1),
        validate=lambda: {"val_cer": model[3].weight.sum().item()}, select="val_cer",
        session=session, sections={}, content={"iteration": 0},
    )  # fmt: skip
    return [session.weights.read_bytes(), session.history.read_bytes()]


@pytest.mark.parametrize("seconds", [-1.0, 1e9])  # saves after every update, or after evaluations alone
def test_a_training_broken_off_after_any_update_ends_in_the_same_bytes(toy, tmp_path, monkeypatch, seconds):
    monkeypatch.setattr(loop, "SAVE_SECONDS", seconds)
    wanted = train(tmp_path / "unbroken", toy)
    for stop in range(6):
        folder = tmp_path / f"broken{stop}"
        with pytest.raises(Killed):
            train(folder, toy, stop)
        assert (folder / "resume.pt").is_file() == (stop > 0 if seconds < 0 else stop >= 3)
        assert train(folder, toy) == wanted


def test_time_and_memory_are_those_of_all_parts_of_a_broken_training(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SAVE_SECONDS", -1.0)
    with pytest.raises(Killed):
        train(tmp_path, toy, 3)
    content = read(tmp_path / "resume.pt")
    assert 0 < content["state"]["progress"]["seconds"] < 60
    content["state"]["progress"] |= {"seconds": 1000.0, "peak": 2**50}
    save(tmp_path / "resume.pt", content)
    train(tmp_path, toy)
    record = json.loads((tmp_path / "record.json").read_text())
    assert 1000 <= record["seconds"] < 1060 and record["peak_memory_mib"] == 2**30


def test_only_the_same_training_goes_on(tmp_path, capsys):
    """And another begins anew, with a line that says why."""
    Resume(tmp_path / "model.pt", "one").save({"done": 1})
    assert Resume(tmp_path / "model.pt", "one").load() == {"done": 1}
    assert capsys.readouterr().err == ""
    begun = [(Resume(tmp_path / "model.pt", "another").load(), capsys.readouterr().err)]
    save(tmp_path / "resume.pt", ["a list"])
    begun.append((Resume(tmp_path / "model.pt", "one").load(), capsys.readouterr().err))
    (tmp_path / "resume.pt").write_bytes((tmp_path / "resume.pt").read_bytes()[:-40])
    begun.append((Resume(tmp_path / "model.pt", "one").load(), capsys.readouterr().err))
    for (state, line), problem in zip(begun, ("other settings", "not the saved state", "not a readable"), strict=True):
        assert state is None and line.count("\n") == 1 and problem in line
        assert line.startswith(f"{tmp_path}/resume.pt: ") and line.endswith("; the training begins anew\n")
    left = tmp_path / f".resume.pt.{socket.gethostname()}-4194305.partial"
    left.write_bytes(b"cut")
    Resume(tmp_path / "model.pt", "one").save({"done": 2})
    assert not left.exists()


def test_a_state_for_which_memory_is_short_is_kept(tmp_path, monkeypatch):
    """Torch says so by a RuntimeError: no reason to begin anew."""
    Resume(tmp_path / "model.pt", "one").save({"done": 1})
    short = RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to")
    with monkeypatch.context() as patch, pytest.raises(RuntimeError) as raised:
        patch.setattr(torch, "load", Mock(side_effect=short))
        Resume(tmp_path / "model.pt", "one").load()
    assert refusal(raised.value).startswith("out of memory: ")
    assert Resume(tmp_path / "model.pt", "one").load() == {"done": 1}


def test_a_training_of_other_settings_clips_code_start_or_numerics_is_another(toy, monkeypatch):
    store, session, start = ClipStore(toy / "clips/smoke/grid"), session_in(toy), toy / "start.pt"
    others = [replace(session, **change) for change in ({"seed": 2}, {"precision": "bfloat16"}, {"code": "another"})]
    seen = [fingerprint(one, ["settings"], store) for one in (session, *others)]
    seen += [
        fingerprint(session, ["other settings"], store),
        fingerprint(session, ["settings"], Mock(text="other clips")),
    ]
    for content in (b"one", b"two"):
        start.write_bytes(content)
        seen.append(fingerprint(session, ["settings"], store, start))
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    seen.append(fingerprint(session, ["settings"], store))
    assert len(set(seen)) == len(seen)


class Told(Objective):
    """Keeps what share of the training it was told to lie behind."""

    heard: ClassVar[list[float]] = []

    def losses(self, model: nn.Module, batch, context: Context, drawn=None) -> dict[str, torch.Tensor]:
        self.heard.append(context.done)
        return {"loss": sum(parameter.sum() for parameter in model.parameters()) * 0.0}


def test_an_objective_is_told_what_share_of_the_training_lies_behind(toy):
    run_fit(toy, [0.5] * 5, Told())
    assert Told.heard == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])


def test_a_class_without_a_clip_is_no_word(toy, monkeypatch):
    """A classifier may choose it, for labels are places in the list of all words."""
    store = ClipStore(toy / "clips/smoke/grid")
    network = load(toy / "params.yaml").network["grid"]
    model = Classifier(LipReader(**network.model_dump()).encoder, 9)
    content = {"network": network.model_dump(), "classes": 9, "model": model.state_dict()}
    monkeypatch.setattr(evaluate.checkpoint, "load", lambda path, region: Content(content))
    monkeypatch.setattr(evaluate.checkpoint, "view_of", lambda content: None)
    rows = store.select("test")
    monkeypatch.setattr(evaluate, "classify_clips", lambda *_: dict.fromkeys(rows, 8))
    assert 8 not in {clip.label for clip in store.index}
    predicted, scores = evaluate.classify_test(toy, store, CPU)
    assert {row["classified"] for row in predicted} == {""} and scores == {"accuracy": 0.0}


def test_sigkill_in_a_stage_changes_no_byte(toy):
    """Killed once it has saved something, again after that, then run to its end: the bytes are those of one run."""
    params = toy / "params.yaml"
    text = params.read_text().replace("max_length: 32", "max_length: 12")
    text = text.replace("epochs: 1\n        batch: 16", "epochs: 20\n        batch: 4", 1)
    params.write_text(text.replace("evaluations: 1", "evaluations: 20", 1))
    weights, history = toy / "runs/smoke/grid/ce/seed1/model.pt", toy / "results/smoke/runs/grid/ce/history-seed1.csv"
    resume, command = weights.with_name("resume.pt"), ("train", "grid", "ce", "--seed", "1")
    assert called(*command, cwd=toy).returncode == 0
    wanted = [weights.read_bytes(), history.read_bytes()]
    assert history.read_text().count("\n") == 22
    weights.unlink()
    history.unlink()
    done = [0]
    for moment in (0.0, 0.2):  # seconds
        before = resume.read_bytes() if resume.exists() else b""
        process = subprocess.Popen([sys.executable, "-m", "pcpg.cli", *command], cwd=toy, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while (not resume.exists() or resume.read_bytes() == before) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(moment)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL and not weights.exists()
        done.append(read(resume)["state"]["progress"]["done"])
    assert done[0] < done[1] < done[2] < 40
    assert called(*command, cwd=toy).returncode == 0
    assert [weights.read_bytes(), history.read_bytes()] == wanted
    assert not resume.exists()


def test_no_job_waits_for_torchs_compiler(toy):
    """Its import takes two seconds, and a preset has hundreds of jobs."""
    code = """
import sys
from pcpg import cli
for stage in ("train grid ce --seed 1", "evaluate grid ce"):
    sys.argv[1:] = stage.split()
    assert cli.main() == 0 and "torch._dynamo" not in sys.modules, stage
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=toy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
