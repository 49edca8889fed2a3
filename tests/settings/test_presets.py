"""The presets for a GPU, each checked by one update at its own network, size and precision on a few clips of noise."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import store_of

from pcpg.corpora.base import Clip
from pcpg.learning.finetune import mixed_losses
from pcpg.learning.loop import Learner
from pcpg.learning.session import Session
from pcpg.learning.train import forced_losses, new_lip_reader
from pcpg.mouths.store import ClipStore
from pcpg.reader.batches import Training
from pcpg.settings import load as params

CPU = torch.device("cpu")
FRAMES = 8  # of 75, to be quick; all else is the preset's


@pytest.fixture
def store(tmp_path) -> ClipStore:
    texts = ["bin blue at f four please", "set red in a one now"]
    clips = [Clip(f"s1/{i}", "", "s1", "train", text, -1, 0, 0) for i, text in enumerate(texts)]
    noise = np.random.default_rng(0).integers(0, 256, (2, FRAMES, 96, 96), dtype=np.uint8)
    return ClipStore(store_of(tmp_path, clips, list(noise)))


@pytest.mark.parametrize("preset", ["grid-s1", "paper"])
def test_one_update_of_each_kind(root, store, preset):
    """The weights move by both losses, and the loss stays a number, in the preset's precision."""
    settings = params.load(root / "presets" / f"{preset}.yaml")
    torch.manual_seed(1)
    model, view = new_lip_reader(store, settings.model["grid"], CPU)
    session = Session("test", 1, CPU, settings.precision, *[Path()] * 3)
    run, length = settings.runs.grid["k5s1"], settings.decoding.max_length
    objectives = [(settings.baselines["grid"], partial(forced_losses, settings.baselines["grid"]))]
    objectives += [(run, partial(mixed_losses, run, length))]
    (batch,) = Training(store, [0, 1], 2, view, CPU, 1).epoch(0)
    assert batch.frames.shape == (2, FRAMES, view.crop // view.pool, view.crop // view.pool)
    for optimisation, losses_of in objectives:
        before = torch.nn.utils.parameters_to_vector(model.parameters()).detach().clone()
        losses = Learner(model, losses_of, optimisation, 10, session).update(batch)
        after = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
        assert all(torch.isfinite(value).all() for value in losses.values())
        assert torch.isfinite(after).all() and not torch.equal(before, after)
    assert losses["pcpg"] != 0 and losses["entropy"] > 0
