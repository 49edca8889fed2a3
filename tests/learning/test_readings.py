"""Every reading of the paper that a setting names trains to a checkpoint of its own."""

from dataclasses import replace
from fractions import Fraction

import pandas as pd
import pytest
import torch

from pcpg.learning.finetune import finetune
from pcpg.learning.session import Session
from pcpg.learning.train import train_baseline
from pcpg.reader.checkpoint import load as load_checkpoint
from pcpg.settings.load import load
from pcpg.workspace.errors import InputError

THIRDS = [Fraction(1, 3)] * 3
READINGS = {
    "k3s1, loss": {"kernel": THIRDS},
    "k3s1, return": {"kernel": THIRDS, "convolve": "return"},
    "k3s1, whole windows": {"kernel": THIRDS, "padding": "valid"},
    "even k": {"kernel": [Fraction(1, 2)] * 2},
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
    "teacher forcing": {"teacher_forcing": 0.3},
    "padding scored": {"mask_padding": False},
    "lambda": {"lambda_pg": Fraction(1)},
    "ce-continued": {"lambda_pg": Fraction(0)},
    "from scratch": {"init": "scratch"},
}


def session_of(folder, name: str) -> Session:
    where = folder / name
    return Session(name, 1, torch.device("cpu"), "float32", where / "model.pt", where, where / "events")


def test_every_reading_trains(toy):
    params, clips = load(toy / "params.yaml"), toy / "clips/smoke/grid"
    model, plain = params.model["grid"], replace(params.runs.grid["k1s1"], learning_rate=0.002)
    torch.manual_seed(1)
    train_baseline(clips, model, params.baselines["grid"], params.decoding, session_of(toy, "ce"))
    weights = {}
    for name, changes in {"plain": {}, **READINGS}.items():
        torch.manual_seed(2)
        session = session_of(toy, name)
        finetune(clips, toy / "ce/model.pt", model, replace(plain, **changes), params.decoding, session)
        history, content = pd.read_csv(session.outcome / "history.csv"), load_checkpoint(session.weights)
        assert history["iteration"].iloc[0] == (0 if name == "from scratch" else 1)
        assert content["iteration"] == history["iteration"].iloc[0] + 1
        assert history["train_loss"].iloc[1:].notna().all()
        weights[name] = torch.cat([value.flatten().float() for value in content["model"].values()])
        assert weights[name].isfinite().all()
    for name, found in weights.items():
        others = [other for other in weights if other != name and torch.equal(weights[other], found)]
        assert not others, f"{name} learns what {others} learn"


def test_a_missing_baseline_is_named(toy):
    params = load(toy / "params.yaml")
    with pytest.raises(InputError, match=r"ce/model\.pt: no such checkpoint"):
        finetune(toy / "clips/smoke/grid", toy / "ce/model.pt", params.model["grid"], params.runs.grid["k1s1"],
                 params.decoding, session_of(toy, "k1s1"))  # fmt: skip
