"""Every reading of the paper that a setting names, and every objective, trains to a checkpoint of its own."""

import pandas as pd
import pytest
import torch
from command import called

from pcpg.learning.evaluate import transcribe_test
from pcpg.learning.session import Session
from pcpg.learning.train import train
from pcpg.mouths.store import ClipStore
from pcpg.reader.checkpoint import load as load_checkpoint
from pcpg.settings.load import load
from pcpg.settings.schema import Params
from pcpg.settings.training import Run
from pcpg.workspace.errors import InputError

THIRDS = ["1/3"] * 3
READINGS = {
    "k3s1, loss": {"kernel": THIRDS},
    "k3s1, return": {"kernel": THIRDS, "convolve": "return"},
    "k3s1, whole windows": {"kernel": THIRDS, "padding": "valid"},
    "even k": {"kernel": ["1/2"] * 2},
    "discount from the step": {"discount_from": "step"},
    "gamma": {"gamma": 0.5},
    "not divided by length": {"divide_by_length": False},
    "standardised by sequence": {"standardise": "sequence"},
    "standardised by batch": {"standardise": "batch"},
    "mean baseline": {"baseline": "mean"},
    "self-critical": {"baseline": "greedy"},
    "entropy": {"entropy": 0.1},
    "temperature": {"temperature": 0.5},
    "argmax": {"sampling": "argmax", "samples": 1},
    "teacher forcing": {"cross_entropy": {"teacher_forcing": 0.3}},
    "padding scored": {"cross_entropy": {"mask_padding": False}},
    "no label smoothing": {"cross_entropy": {"label_smoothing": 0.0}},
    "lambda": {"lambda_pg": 1},
}
RUNS = ("ce-continued", "mwer", "ocd", "rloo", "k1s1-scaled")  # of the smoke preset


def session_of(folder, name: str) -> Session:
    where = folder / name
    files = [where / each for each in ("model.pt", "history.csv", "record.json", "events")]
    return Session(name, 1, torch.device("cpu"), "float32", "code", *files)


def reading(params: Params, changes: dict) -> Run:
    """k1s1 with some keys of its objective changed, those of its cross-entropy one by one."""
    plain = params.runs["grid"]["k1s1"]
    keys = plain.objective["pcpg"]
    inner = {"cross_entropy": keys["cross_entropy"] | changes.get("cross_entropy", {})}
    return faster(plain.model_copy(update={"objective": {"pcpg": keys | changes | inner}}))


def faster(run: Run) -> Run:
    return run.model_copy(update={"optimisation": run.optimisation.model_copy(update={"learning_rate": 0.002})})


def learn(toy, params: Params, run: Run, name: str, seed: int) -> Session:
    torch.manual_seed(seed)
    session = session_of(toy, name)
    start = None if run.start == "scratch" else toy / "ce/model.pt"
    where = params.view["grid"], params.network["grid"]
    train(toy / "clips/smoke/grid", start, *where, run, params.max_length, session)
    return session


def test_every_reading_trains(toy):
    params = load(toy / "params.yaml").model_copy(update={"max_length": 12})  # as the longest text needs
    runs = {"plain": reading(params, {})} | {name: reading(params, changes) for name, changes in READINGS.items()}
    runs |= {name: faster(params.runs["grid"][name]) for name in RUNS}
    runs["from scratch"] = runs["plain"].model_copy(update={"start": "scratch"})
    learn(toy, params, params.runs["grid"]["ce"], "ce", 1)
    weights = {}
    for name, run in runs.items():
        session = learn(toy, params, run, name, 2)
        history, content = pd.read_csv(session.history), load_checkpoint(session.weights)
        assert history["iteration"].iloc[0] == (0 if name == "from scratch" else 1)
        assert content["iteration"] == history["iteration"].iloc[0] + 1
        assert history["train_loss"].iloc[1:].notna().all()
        weights[name] = torch.cat([value.flatten().float() for value in content["model"].values()])
        assert weights[name].isfinite().all()
    for name, found in weights.items():
        others = [other for other in weights if other != name and torch.equal(weights[other], found)]
        assert not others, f"{name} learns what {others} learn"


def test_every_history_begins_with_the_start(toy):
    """That of the baseline too: random weights, at iteration and epoch 0, with nothing learned before."""
    params = load(toy / "params.yaml")
    histories = {}
    for name in ("ce", "k5s1"):
        learn(toy, params, params.runs["grid"][name], name, 1)
        histories[name] = pd.read_csv(toy / name / "history.csv")
    for history, iteration in ((histories["ce"], 0), (histories["k5s1"], 1)):
        first = history.iloc[0]
        assert (first["iteration"], first["epoch"]) == (iteration, 0) and len(history) == 2
        learned = [name for name in history if name.startswith("train_") or name == "learning_rate"]
        assert len(learned) >= 5 and first[learned].isna().all() and history.iloc[1][learned].notna().all()
        assert history[["val_ce", "val_cer"]].notna().all(axis=None)
    last, first = histories["ce"].iloc[-1], histories["k5s1"].iloc[0]
    assert (last["val_ce"], last["val_cer"]) == (first["val_ce"], first["val_cer"])  # one begins where the other ends


def test_texts_that_would_be_cut_off_are_refused(toy):
    """By training and by test: the longest text of the toy corpus has 11 characters."""
    params, run = load(toy / "params.yaml"), load(toy / "params.yaml").runs["grid"]["ce"]
    learn(toy, params.model_copy(update={"max_length": 12}), run, "ce", 1)
    short = r"^max_length: must be at least 12, for the text of clip s1/clip3 and the end symbol; it is 11$"
    with pytest.raises(InputError, match=short):
        learn(toy, params.model_copy(update={"max_length": 11}), run, "other", 1)
    store, weights = ClipStore(toy / "clips/smoke/grid"), toy / "ce/model.pt"
    with pytest.raises(InputError, match=short):
        transcribe_test(weights, store, params.decoding, 11, torch.device("cpu"))
    (toy / "params.yaml").write_text((toy / "params.yaml").read_text().replace("max_length: 32", "max_length: 11"))
    done = called("train", "grid", "ce", "--seed", "1", cwd=toy)
    assert done.returncode == 2 and done.stderr.startswith("pcpg: params.yaml: max_length: must be at least 12, ")


def test_a_missing_baseline_is_named(toy):
    params = load(toy / "params.yaml")
    with pytest.raises(InputError, match=r"ce/model\.pt: no such checkpoint"):
        learn(toy, params, params.runs["grid"]["k1s1"], "k1s1", 1)
