"""Where a new objective is put in: one file and one line of YAML, and what the training loop promises it."""

import csv
import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from command import called
from torch import nn

from pcpg.learning import loop, probe, train
from pcpg.learning.session import Session
from pcpg.mouths.store import ClipStore
from pcpg.objectives import base
from pcpg.objectives.base import Context, Losses, Objective
from pcpg.objectives.cross_entropy import per_character
from pcpg.objectives.ppo import PPO
from pcpg.objectives.rollout import Rollout, sample, score, steps_taken
from pcpg.reader.batches import Batch
from pcpg.reader.checkpoint import load as load_checkpoint
from pcpg.reader.network import Decoder, LipReader
from pcpg.settings.keys import NotNegative
from pcpg.settings.load import load
from pcpg.settings.plan import Plan
from pcpg.settings.training import Run
from pcpg.workspace import code
from pcpg.workspace.errors import InputError
from tests.conftest import ROOT, toy_in

FILE = '''\
"""So many times the cross-entropy."""

from pcpg.objectives.base import Context, Losses, Objective
from pcpg.objectives.cross_entropy import CrossEntropy
from pcpg.settings.keys import Positive


class Louder(Objective):
    factor: Positive

    def losses(self, model, batch, context: Context, drawn=None) -> Losses:
        plain = CrossEntropy(label_smoothing=0.0, teacher_forcing=1.0, mask_padding=True)
        found = plain.losses(model, batch, context)
        return found | {"loss": self.factor * found["loss"]}
'''
LINE = "    louder: {start: scratch, optimisation: *short, objective: {louder: {factor: 2.0}}}\n"


@pytest.fixture
def extended(root, toy, monkeypatch) -> Path:
    """The toy project with a copy of the package that has one objective more, and a run of it."""
    shutil.copytree(root / "src" / "pcpg", toy / "src" / "pcpg", ignore=shutil.ignore_patterns("__pycache__"))
    (toy / "src/pcpg/objectives/louder.py").write_text(FILE)
    params = toy / "params.yaml"
    params.write_text(params.read_text().replace("    ocd: {start: ce", f"{LINE}    ocd: {{start: ce", 1))
    return toy


def pcpg(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(cwd / "src")}
    command = [sys.executable, "-m", "pcpg.cli", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def test_one_file_and_one_line_train(extended):
    done = pcpg("train", "grid", "louder", "--seed", "1", cwd=extended)
    assert done.returncode == 0, done.stderr
    assert (extended / "runs/smoke/grid/louder/seed1/model.pt").is_file()
    history = (extended / "results/smoke/runs/grid/louder/history-seed1.csv").read_text().splitlines()
    row = dict(zip(history[0].split(","), history[-1].split(","), strict=True))
    assert float(row["train_loss"]) > 0 and float(row["train_ce"]) > 0


def test_it_is_among_the_names_that_a_wrong_one_is_told(extended, monkeypatch):
    params = extended / "params.yaml"
    params.write_text(params.read_text().replace("{louder: {factor", "{lauder: {factor"))
    names = ", ".join(sorted([*base.names(), "louder"]))
    monkeypatch.setattr(base, "FOLDER", extended / "src/pcpg/objectives")
    monkeypatch.setattr(base, "names", base.names.__wrapped__)  # nothing kept
    done = called("params", "check", "params.yaml", cwd=extended)
    assert done.stderr == f"pcpg: params.yaml: runs.grid.louder.objective: 'lauder' is not one of {names}\n"
    assert done.returncode == 2


def all_code(params, package: Path, monkeypatch) -> dict:
    monkeypatch.setattr(code, "PACKAGE", package)
    for function in (code.of_stage, code._text, code._tree, code._data, code._imports, code._content):
        function.cache_clear()
    return Plan(params).as_mapping()["code"]


def test_it_changes_the_code_of_no_other_run(root, extended, monkeypatch):
    params = load(extended / "params.yaml")
    after = all_code(params, extended / "src/pcpg", monkeypatch)
    before = all_code(SMOKE, root / "src/pcpg", monkeypatch)
    assert after["train"].pop("louder") not in before["train"].values()
    assert after == before


# What the loop promises: several passes over what was drawn once, an anchor, parameters of one's own.


class Near(Objective):
    """A ratio of probabilities times the reward over a learned value, near the start: all that the seam has."""

    anchored: ClassVar[bool] = True
    pull: NotNegative
    watch: ClassVar = staticmethod(lambda **given: None)  # a test's ear

    @property
    def passes(self) -> int:
        return 3

    def own_parameters(self, model: LipReader) -> nn.Module:
        return nn.Linear(1, 1)

    def draw(self, model: LipReader, batch: Batch, context: Context) -> Rollout:
        assert not torch.is_grad_enabled() and model.training
        return sample(model, model.encode(batch.frames, batch.lengths), batch, context.max_length, samples=1)

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Any) -> Losses:
        memory = model.encode(batch.frames, batch.lengths)
        rollout = score(model, memory, batch, drawn.sampled)
        with torch.no_grad():
            anchor_memory = context.anchor.encode(batch.frames, batch.lengths)
            anchor_log_p = score(context.anchor, anchor_memory, batch, drawn.sampled).sampled_log_p
        chosen = rollout.sampled_log_p
        ratio = (chosen - drawn.sampled_log_p).exp()
        lengths = steps_taken(drawn.sampled)
        value = context.own(lengths[:, None].float() / 10).squeeze(1)
        reward = lengths.float() / context.max_length
        taken = torch.arange(ratio.shape[1]) < lengths[:, None]
        gain = (ratio * (reward - value.detach())[:, None] * taken).sum(dim=1)
        apart = ((chosen - anchor_log_p).square() * taken).sum(dim=1)
        self.watch(ratio=ratio.detach(), anchor=context.anchor, own=context.own)
        loss = (self.pull * apart - gain + (value - reward).square()).mean()
        return {"loss": loss, "ce": per_character(rollout.forced, batch)}


class Killed(Exception):
    pass


@pytest.fixture
def near(monkeypatch):
    monkeypatch.setattr(train, "of_run", lambda run: Near(pull=0.1))
    monkeypatch.setattr(loop, "SAVE_SECONDS", -1.0)
    return monkeypatch


@pytest.fixture(scope="module")
def start(tmp_path_factory) -> Path:
    """Weights to begin with, not trained: random ones."""
    toy = toy_in(tmp_path_factory.mktemp("start"))
    learn(toy, toy / "start", None)
    return toy / "start" / "model.pt"


SMOKE = load(ROOT / "tests/smoke.params.yaml")
PLACE = (SMOKE.view["grid"], SMOKE.network["grid"])
LENGTH = 12  # decoder steps, as many as the longest text of the toy corpus needs


def learn(toy: Path, folder: Path, start: Path | None, accumulate: int = 1, run: Run | None = None) -> Session:
    """Two epochs of two batches."""
    changes = {"batch": 5, "epochs": 2, "accumulate": accumulate, "learning_rate": 0.01, "evaluations": 1}
    if start is None:
        changes |= {"batch": 16, "epochs": 1, "learning_rate": 1e-9}
    run = run or SMOKE.runs["grid"]["ce" if start is None else "k1s1"]
    run = run.model_copy(update={"optimisation": run.optimisation.model_copy(update=changes)})
    files = [folder / name for name in ("model.pt", "history.csv", "record.json", "events")]
    session = Session("t", 1, torch.device("cpu"), "float32", "code", *files)
    torch.manual_seed(1)
    train.train(toy / "clips/smoke/grid", start, *PLACE, run, LENGTH, session)
    return session


def watching(monkeypatch, ear) -> None:
    monkeypatch.setattr(Near, "watch", staticmethod(ear))


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_first_pass_finds_what_was_drawn_and_the_others_have_moved(toy, start, near, accumulate):
    """Exactly, though there is dropout: every pass draws the same. In parts of a batch too."""
    ratios = []
    watching(near, lambda ratio, **_: ratios.append(ratio))
    learn(toy, toy / "near", start, accumulate)
    assert len(ratios) == 4 * 3 * accumulate
    passes = [ratios[first : first + accumulate] for first in range(0, len(ratios), accumulate)]
    for number, parts in enumerate(passes):
        moved = max((ratio - 1).abs().max().item() for ratio in parts)
        assert moved == 0 if number % 3 == 0 else moved > 1e-4, number


def test_the_anchor_is_the_start_and_never_moves(toy, start, near):
    wanted, seen = load_checkpoint(start)["model"], []

    def look(anchor, own, **_) -> None:
        state = anchor.state_dict()
        seen.append(all(torch.equal(state[name], value) for name, value in wanted.items()))
        assert not anchor.training and not any(weights.requires_grad for weights in anchor.parameters())
        values.append(own.weight.item())

    values: list[float] = []
    watching(near, look)
    session = learn(toy, toy / "near", start)
    assert seen == [True] * 12 and len(set(values)) == 12  # its own parameters learn at every update
    trained = load_checkpoint(session.weights)["model"]
    assert not all(torch.equal(trained[name], value) for name, value in wanted.items())


def test_broken_off_anywhere_it_ends_in_the_same_bytes(toy, start, near):
    """After any of four batches, or within one: of its three updates the first or the second was the last."""
    updates = count()

    def look(**_) -> None:
        """Keep what a training that is killed now would leave."""
        if (number := next(updates)) in (1, 3, 8, 9):
            shutil.copytree(toy / "unbroken", toy / f"broken{number}")

    watching(near, look)
    unbroken = learn(toy, toy / "unbroken", start)
    wanted = [unbroken.weights.read_bytes(), unbroken.history.read_bytes()]
    for stop in (1, 3, 8, 9):
        assert (toy / f"broken{stop}/resume.pt").is_file() == (stop >= 3)
        went_on = count()
        watching(near, lambda went_on=went_on, **_: next(went_on))
        session = learn(toy, toy / f"broken{stop}", start)
        assert next(went_on) == 12 - stop // 3 * 3  # with the batch that was broken off
        assert [session.weights.read_bytes(), session.history.read_bytes()] == wanted


RUNS = load(ROOT / "presets/grid-s1-objectives.yaml").runs["grid"]
FAMILY = {run.objective_name: run for run in RUNS.values()} | {"npg_igt": RUNS["rloo-igt"]}


@pytest.mark.parametrize("name", FAMILY)
def test_every_objective_goes_on_in_the_same_bytes(toy, start, monkeypatch, name):
    """Broken off behind the second of four batches, where what it holds beside weights must not be lost."""
    monkeypatch.setattr(loop, "SAVE_SECONDS", -1.0)
    plain, learned = loop.Learner.learn, []

    def look(self, batch, number):
        """Keep what a training that is killed before its third batch would leave."""
        if number == 2 and not learned[2:]:
            shutil.copytree(toy / "unbroken", toy / "broken")
        learned.append(number)
        return plain(self, batch, number)

    monkeypatch.setattr(loop.Learner, "learn", look)
    unbroken = learn(toy, toy / "unbroken", start, run=FAMILY[name])
    session = learn(toy, toy / "broken", start, run=FAMILY[name])
    assert learned == [0, 1, 2, 3, 2, 3]
    assert session.weights.read_bytes() == unbroken.weights.read_bytes()
    assert session.history.read_bytes() == unbroken.history.read_bytes()


def test_a_pass_has_the_dropout_of_its_draw_in_each_part_of_a_batch(toy, start, monkeypatch):
    """Also where a draw uses more random numbers, as on a GPU, where it runs on to a multiple of 8 steps."""
    plain, unroll, spreads = PPO.losses, Decoder.unroll, []

    def watched(*given):
        losses = plain(*given)
        spreads.append(losses["ratio_sd"].item())
        return losses

    def longer(*given):
        unrolled = unroll(*given)
        if not torch.is_grad_enabled():
            torch.rand(1)
        return unrolled

    monkeypatch.setattr(PPO, "losses", watched)
    monkeypatch.setattr(Decoder, "unroll", longer)
    learn(toy, toy / "ppo", start, accumulate=2, run=RUNS["ppo"])
    passes = torch.tensor(spreads).view(4, base.of_run(RUNS["ppo"]).passes, 2)  # of each batch, of its parts
    assert passes[:, 0].max() < 1e-5 and passes[:, 1:].min() > 1e-4


def learn_plainly(toy: Path, folder: Path, start: Path, **changes) -> tuple[Session, list[dict]]:
    """Two epochs of two batches of cross-entropy, evaluated after each batch; -> the history as well."""
    run = SMOKE.runs["grid"]["ce-continued"]
    optimisation = {"batch": 5, "epochs": 2, "learning_rate": 0.01, "evaluations": 4} | changes
    run = run.model_copy(update={"optimisation": run.optimisation.model_copy(update=optimisation)})
    files = [folder / name for name in ("model.pt", "history.csv", "record.json", "events")]
    session = Session("t", 1, torch.device("cpu"), "float32", "code", *files)
    train.train(toy / "clips/smoke/grid", start, *PLACE, run, LENGTH, session)
    with open(session.history, newline="") as file:
        return session, list(csv.DictReader(file))


def validated(monkeypatch, errors: list[float]) -> None:
    """One validation CER after the other, the start's first; the last for all that follow."""
    coming = iter(errors)
    rate = [1.0]

    def validate(*_) -> dict[str, float]:
        rate[0] = next(coming, rate[0])
        return {"val_ce": 1.0, "val_cer": rate[0]}

    monkeypatch.setattr(train, "validate", validate)


def test_a_training_ends_at_the_first_error_that_is_low_enough(toy, start, monkeypatch):
    """And the weights kept are those of it; without `stop` it goes on."""
    errors = [0.9, 0.8, 0.3, 0.2, 0.1]
    validated(monkeypatch, errors)
    stopped, rows = learn_plainly(toy, toy / "stopped", start, stop=0.3)
    assert [row["val_cer"] for row in rows] == ["0.9", "0.8", "0.3"]
    validated(monkeypatch, errors)
    _, rows = learn_plainly(toy, toy / "whole", start, stop=None)
    assert len(rows) == 5
    validated(monkeypatch, [0.9, 0.8, 0.3, 0.9, 0.9])
    best, _ = learn_plainly(toy, toy / "best", start, stop=None)
    ends = [load_checkpoint(one.weights) for one in (stopped, best)]
    assert all(torch.equal(ends[0]["model"][name], value) for name, value in ends[1]["model"].items())
    assert ends[0]["iteration"] == ends[1]["iteration"] == int(rows[2]["iteration"])  # of the weights, not of the end


def test_weights_are_chosen_on_the_validation_split_alone(toy, monkeypatch):
    read: dict[str, list[int]] = {}

    def listening(module, name: str) -> None:
        plain = getattr(module, name)

        def heard(model, store, rows, *rest):
            read.setdefault(name, []).extend(rows)
            return plain(model, store, rows, *rest)

        monkeypatch.setattr(module, name, heard)

    listening(train, "validate")
    listening(probe, "classify")
    clips = toy / "clips/smoke/grid"
    files = [toy / name for name in ("model.pt", "history.csv", "record.json", "events")]
    session = Session("t", 1, torch.device("cpu"), "float32", "code", *files)
    train.train(clips, None, *PLACE, SMOKE.runs["grid"]["ce"], LENGTH, session)
    probe.train_classifier(clips, None, *PLACE, SMOKE.classifiers["lrw"]["scratch"], session)
    splits = {name: {ClipStore(clips).index[row].split for row in rows} for name, rows in read.items()}
    assert splits == {"validate": {"val"}, "classify": {"val"}}


def test_killed_behind_its_last_evaluation_a_stopped_training_does_not_go_on(toy, start, monkeypatch):
    validated(monkeypatch, [0.9, 0.3])
    unbroken, rows = learn_plainly(toy, toy / "unbroken", start, stop=0.3)
    assert len(rows) == 2

    def kill(*_, **__):
        raise Killed

    validated(monkeypatch, [0.9, 0.3])
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(loop, "write_history", kill)
        learn_plainly(toy, toy / "broken", start, stop=0.3)
    assert (toy / "broken/resume.pt").is_file()
    validated(monkeypatch, [0.9])
    session, _ = learn_plainly(toy, toy / "broken", start, stop=0.3)
    for one, other in ((session.weights, unbroken.weights), (session.history, unbroken.history)):
        assert one.read_bytes() == other.read_bytes()


def test_without_augmentation_clips_are_seen_as_they_are(toy, start, monkeypatch):
    """Every epoch the same pixels, those of a test; with it, others."""
    seen: dict[bool, list[dict[int, torch.Tensor]]] = {}
    plain = loop.Learner.learn
    for augment in (True, False):
        pixels = seen.setdefault(augment, [])

        def learn(self, batch, number, pixels=pixels):
            pixels.append(dict(zip(batch.rows, batch.frames.clone(), strict=True)))
            return plain(self, batch, number)

        monkeypatch.setattr(loop.Learner, "learn", learn)
        learn_plainly(toy, toy / f"augment{augment}", start, augment=augment)
    first, second = ({row: clip for part in seen[False][i : i + 2] for row, clip in part.items()} for i in (0, 2))
    moved, _ = ({row: clip for part in seen[True][i : i + 2] for row, clip in part.items()} for i in (0, 2))
    shortest = {row: min(first[row].shape[0], second[row].shape[0]) for row in first}
    assert all(torch.equal(first[row][:size], second[row][:size]) for row, size in shortest.items())
    differ = [not torch.equal(first[row][:5], moved[row][:5]) for row in first]
    assert sum(differ) > len(differ) / 2


def test_random_weights_are_no_anchor(monkeypatch):
    run = SMOKE.runs["grid"]["k1s1"]
    lost = SMOKE.model_copy(update={"runs": {"grid": {"mine": run.model_copy(update={"start": "scratch"})}}})
    base.check(lost, "mine.yaml")
    monkeypatch.setattr(base, "of_run", lambda *_: Near(pull=0.1))
    base.check(SMOKE.model_copy(update={"runs": {"grid": {"mine": run}}}), "mine.yaml")
    with pytest.raises(InputError, match=r"^mine\.yaml: runs\.grid\.mine\.start: pcpg compares with trained weights"):
        base.check(lost, "mine.yaml")
