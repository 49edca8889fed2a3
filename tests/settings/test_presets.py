"""Presets, each checked by one update of each kind at its own network, size and precision on a few clips of noise."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from pcpg import parameters
from pcpg.corpora.base import Clip
from pcpg.learning.epochs import Training
from pcpg.learning.loop import Learner
from pcpg.learning.session import Session
from pcpg.mouths.store import ClipStore
from pcpg.objectives.base import Context, names, of_run
from pcpg.objectives.stored import draw_texts
from pcpg.reader.checkpoint import begin
from pcpg.reader.network import frozen
from pcpg.settings.load import load
from pcpg.settings.plan import Plan
from tests.conftest import store_of

CPU = torch.device("cpu")
SECTIONS = ("corpora", "view", "network", "runs", "classifiers")
FRAMES, STEPS = 2, 6  # of 75 frames and 40 characters, to be quick; all else is the preset's


@pytest.fixture
def store(tmp_path) -> ClipStore:
    texts = ["now", "set"]
    clips = [Clip(f"s1/{i}", "", "s1", "train", text, -1, 0, 0) for i, text in enumerate(texts)]
    noise = np.random.default_rng(0).integers(0, 256, (2, FRAMES, 96, 96), dtype=np.uint8)
    return ClipStore(store_of(tmp_path, clips, list(noise)))


FILES = ("presets/grid-s1.yaml", "presets/paper.yaml", "presets/grid-s1-objectives.yaml", "tests/smoke.params.yaml")


def test_every_objective_is_in_one_of_the_files(root):
    runs = [run for file in FILES for run in load(root / file).runs["grid"].values()]
    assert {run.objective_name for run in runs} == set(names())


@pytest.mark.parametrize("file", FILES)
def test_one_update_of_each_kind(root, store, file):
    """The weights move by every objective of GRID's runs, and the loss stays a number, in the preset's precision."""
    settings = load(root / file)
    torch.manual_seed(1)
    model, view, _ = begin(store, None, settings.view["grid"], settings.network["grid"], CPU)
    session = Session("test", 1, CPU, settings.precision, "", *[Path()] * 4)
    kinds = {(run.objective_name, run.optimisation.optimiser): run for run in settings.runs["grid"].values()}
    assert {"cross_entropy", "pcpg"} <= {name for name, _ in kinds}
    start = frozen(model)
    (batch,) = Training(store, [0, 1], 2, view, CPU, 1).epoch(0)
    assert batch.frames.shape == (2, FRAMES, view.crop // view.pool, view.crop // view.pool)
    for (name, _), run in kinds.items():
        before = torch.nn.utils.parameters_to_vector(model.parameters()).detach().clone()
        objective = of_run(run)
        texts = draw_texts(start, [batch], 1, STEPS, objective.stored, 1.0) if objective.stored else None
        context = Context(STEPS, start if objective.anchored else None, objective.own_parameters(model), texts)
        losses = Learner(model, objective, context, run.optimisation, 10, session).learn(batch, 0)
        after = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
        assert all(torch.isfinite(value).all() for value in losses.values())
        assert torch.isfinite(after).all() and not torch.equal(before, after), name
        assert name != "pcpg" or (losses["pcpg"] != 0 and losses["entropy"] > 0)


def without(corpus: str, text: str) -> str:
    """A parameter file of three corpora without what is named after one of them."""
    kept, section, inside = [], "", False
    for line in text.splitlines():
        if line[:1].isalpha():
            section = line.partition(":")[0]
        indent = len(line) - len(line.lstrip())
        if line.strip() and indent <= 2:
            inside = section in SECTIONS and line.startswith(f"  {corpus}:")
        if not inside:
            kept.append(re.sub(rf"\w+_{corpus}\b,? ?", "", line) if section == "figures" else line)
    return "\n".join(kept)


@pytest.mark.parametrize("corpus", ["grid", "lrw", "lrw1000"])
def test_a_corpus_that_one_has_not_can_be_taken_out_of_the_preset_of_the_paper(root, tmp_path, corpus):
    file = tmp_path / "mine.yaml"
    file.write_text(without(corpus, (root / "presets/paper.yaml").read_text()))
    params, whole = parameters.read(file), parameters.read(root / "presets/paper.yaml")
    assert set(params.corpus_names) == set(whole.corpus_names) - {corpus}
    for name in params.corpus_names:
        for section in ("view", "network", "runs", "classifiers"):
            assert getattr(params, section).get(name) == getattr(whole, section).get(name)
    jobs, of_whole = Plan(params).as_mapping(), Plan(whole).as_mapping()
    assert "templates" not in Plan(params).values
    assert (
        jobs["evaluate"] == {name: job for name, job in of_whole["evaluate"].items() if job["corpus"] != corpus} != {}
    )
