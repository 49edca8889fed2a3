"""A checkpoint knows which mouths it was trained on, and is refused for others."""

import shutil
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest
import torch
from command import called

from pcpg.corpora.base import Clip
from pcpg.learning.evaluate import classify_test
from pcpg.learning.probe import train_classifier
from pcpg.learning.session import Session
from pcpg.mouths.store import ClipStore, Region
from pcpg.reader import checkpoint
from pcpg.settings.load import load
from pcpg.workspace.errors import InputError
from tests.conftest import REGION, store_of


def test_what_was_trained_on_one_kind_of_mouth_is_refused_for_another(toy):
    """By every stage that takes a trained run; the same kind, whoever found the landmarks, is taken."""
    assert called("train", "grid", "ce", "--seed", "1", cwd=toy).returncode == 0
    weights = toy / "runs/smoke/grid/ce/seed1/model.pt"
    assert (
        checkpoint.load(weights)["region"] == vars(REGION) == {"kind": "landmarks", "landmarks": "sidecar", "size": 96}
    )
    store = ClipStore(toy / "clips/smoke/grid")
    words = sorted({word for row in store.select("train") for word in store.index[row].text.split()})
    stages = [["train", "grid", "k5s1", "--seed", "1"], ["evaluate", "grid", "ce"]]
    for region in (
        Region(kind="landmarks", landmarks="mediapipe", size=96),
        Region(kind="frame", landmarks=None, size=96),
        Region(kind="landmarks", landmarks="sidecar", size=80),
    ):
        restored(toy, region)
        for stage in stages:
            done = called(*stage, cwd=toy)
            if region.kind == "landmarks" and region.size == 96:
                assert done.returncode == 0, done.stderr
                continue
            wanted = f"was trained on mouths of another kind (landmarks, 96 x 96 pixels) than these clips ({region})"
            assert (done.returncode, done.stderr.splitlines()[-1]) == (2, f"pcpg: {weights.relative_to(toy)}: {wanted}")
        with pytest.raises(InputError) if region.kind == "frame" or region.size == 80 else nullcontext():
            classify(toy, weights)
    for made in (toy / "runs/smoke/grid/k5s1/seed1/model.pt", toy / "classifier/model.pt"):  # of the first
        content = checkpoint.read(made)
        assert content["region"]["size"] == 96 and content["words"] == words


def test_weights_that_do_not_fit_are_named_by_every_stage(toy):
    """One is missing, or they are none."""
    assert called("train", "grid", "ce", "--seed", "1", cwd=toy).returncode == 0
    weights, probed = toy / "runs/smoke/grid/ce/seed1/model.pt", toy / "classifier/model.pt"
    classify(toy, weights)
    whole, words = checkpoint.read(weights), checkpoint.read(probed)
    store = ClipStore(toy / "clips/smoke/grid")
    problem = "does not fit the network of this version; train it anew"
    for broken in (dict(list(whole["model"].items())[1:]), [], dict.fromkeys(whole["model"], "x"), {1: 2}):
        checkpoint.save(weights, whole | {"model": broken})
        for stage in (["train", "grid", "k5s1", "--seed", "1"], ["evaluate", "grid", "ce"]):
            done = called(*stage, cwd=toy)
            assert done.returncode == 2 and done.stderr.endswith(f"pcpg: {weights.relative_to(toy)}: {problem}\n")
        checkpoint.save(probed, words | {"model": broken})
        for stage in (partial(classify, toy, weights), partial(classify_test, probed, store, torch.device("cpu"))):
            with pytest.raises(InputError, match=rf"/model\.pt: {problem}"):
                stage()


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("mean", "x", "mean: expected a number, got 'x'"),
        ("std", 0.0, "std: must be above 0.0, got 0.0"),
        ("std", float("nan"), "std: expected a number, got nan"),
        ("iteration", 1.5, "iteration: expected a whole number, got 1.5"),
    ],
)
def test_numbers_that_are_none_are_refused(toy, key, value, problem):
    checkpoint.save(toy / "model.pt", content_of(toy) | {key: value})
    with pytest.raises(InputError, match=rf"model\.pt: {problem}"):
        checkpoint.load(toy / "model.pt")


def test_a_classifier_sees_as_its_start_does(toy):
    """Whatever the parameter file says by then."""
    assert called("train", "grid", "ce", "--seed", "1", cwd=toy).returncode == 0
    weights, params = toy / "runs/smoke/grid/ce/seed1/model.pt", toy / "params.yaml"
    params.write_text(params.read_text().replace("crop: 64", "crop: 72").replace("embedding: 32", "embedding: 16"))
    classify(toy, weights)
    start, probed = checkpoint.read(weights), checkpoint.load(toy / "classifier/model.pt")
    assert probed["view"] == start["view"] and probed["view"]["crop"] == 64
    assert probed["network"] == start["network"] and probed["network"]["embedding"] == 32
    assert probed["classes"] == 3 and probed["words"] == start["words"]


def classify(toy, start) -> None:
    """The stage `probe`, on a corpus that the parameter file has no classifier of."""
    params, folder = load(toy / "params.yaml"), toy / "classifier"
    files = [folder / name for name in ("model.pt", "history.csv", "record.json", "events")]
    session = Session("t", 1, torch.device("cpu"), "float32", "code", *files)
    where, settings = (params.view["grid"], params.network["grid"]), params.classifiers["lrw"]["ce-te_tc"]
    train_classifier(toy / "clips/smoke/grid", start, *where, settings, session)


def restored(toy, region: Region) -> None:
    """The store of `toy` again, as if its mouths had been cut out as `region` says."""
    folder = toy / "clips/smoke/grid"
    store = ClipStore(folder)
    clips = [Clip(row.clip, "", row.speaker, row.split, row.text, row.label, 0, 0) for row in store.index]
    frames = [np.array(store[i][:, : region.size, : region.size]) for i in range(len(store))]
    del store
    shutil.rmtree(folder)
    store_of(folder, clips, frames, 2, region=region)


def content_of(toy) -> dict:
    """Of a checkpoint, but for its weights."""
    params = load(toy / "params.yaml")
    content = {"view": params.view["grid"].model_dump(), "network": params.network["grid"].model_dump()}
    return content | {"region": vars(REGION), "model": {}, "mean": 0.5, "std": 0.2, "words": [], "iteration": 1}


def test_words_that_are_none_are_refused(toy):
    content = content_of(toy)
    for words in ("bin blue", {"bin": 1}, [1], ["bin", "\x1b[2J"], [""], [["bin"]]):
        checkpoint.save(toy / "model.pt", content | {"words": words})
        with pytest.raises(ValueError, match=r"model\.pt: words: not a list of words"):
            checkpoint.load(toy / "model.pt")


@pytest.mark.parametrize("size", [96, 80])
def test_the_region_is_compared_by_kind_and_size(toy, size):
    content = content_of(toy)
    checkpoint.save(
        toy / "model.pt", content | {"region": vars(Region(kind="landmarks", landmarks="mediapipe", size=size))}
    )
    assert checkpoint.load(toy / "model.pt")["region"]["size"] == size
    if size == 96:
        assert checkpoint.load(toy / "model.pt", REGION)
    else:
        with pytest.raises(ValueError, match="another kind"):
            checkpoint.load(toy / "model.pt", REGION)
