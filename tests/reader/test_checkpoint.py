"""A checkpoint knows which mouths it was trained on, and is refused for others."""

import shutil

import numpy as np
import pytest
from conftest import REGION, store_of
from test_cli import pcpg

from pcpg.corpora.base import Clip
from pcpg.mouths.store import ClipStore, Region
from pcpg.reader import checkpoint
from pcpg.settings import load as params
from pcpg.settings.schema import to_plain


def test_what_was_trained_on_one_kind_of_mouth_is_refused_for_another(toy):
    """By every stage that takes a trained run; the same kind, whoever found the landmarks, is taken."""
    assert pcpg("train", "grid", "--seed", "1", cwd=toy).returncode == 0
    weights = toy / "runs/smoke/grid/ce/seed1/model.pt"
    assert (
        checkpoint.load(weights)["region"] == vars(REGION) == {"kind": "landmarks", "landmarks": "sidecar", "size": 96}
    )
    store = ClipStore(toy / "clips/smoke/grid")
    words = sorted({word for row in store.select("train") for word in store.index[row].text.split()})
    stages = [("finetune", "grid", "k5s1"), ("evaluate", "grid", "ce"), ("probe", "grid", "ce", "te_tc")]
    for region in (Region("landmarks", "mediapipe", 96), Region("frame", None, 96), Region("landmarks", "sidecar", 80)):
        restored(toy, region)
        for stage in stages:
            done = pcpg(*stage, "--seed", "1", cwd=toy)
            if region.kind == "landmarks" and region.size == 96:
                assert done.returncode == 0, done.stderr
                continue
            wanted = f"was trained on mouths of another kind (landmarks, 96 x 96 pixels) than these clips ({region})"
            assert (done.returncode, done.stderr.splitlines()[-1]) == (2, f"pcpg: {weights.relative_to(toy)}: {wanted}")
    for run in ("k5s1", "ce-te_tc"):  # what was made of the first
        made = checkpoint.read(toy / f"runs/smoke/grid/{run}/seed1/model.pt")
        assert made["region"]["size"] == 96 and made["words"] == words


def restored(toy, region: Region) -> None:
    """The store of `toy` again, as if its mouths had been cut out as `region` says."""
    folder = toy / "clips/smoke/grid"
    store = ClipStore(folder)
    clips = [Clip(row.clip, "", row.speaker, row.split, row.text, row.label, 0, 0) for row in store.index]
    frames = [np.array(store[i][:, : region.size, : region.size]) for i in range(len(store))]
    del store
    shutil.rmtree(folder)
    store_of(folder, clips, frames, 2, region=region)


def test_words_that_are_none_are_refused(toy):
    content = {"settings": to_plain(params.load(toy / "params.yaml").model["grid"]), "region": vars(REGION)}
    content |= {"model": {}, "mean": 0.5, "std": 0.2, "iteration": 1}
    for words in ("bin blue", {"bin": 1}, [1], ["bin", "\x1b[2J"], [""], [["bin"]]):
        checkpoint.save(toy / "model.pt", content | {"words": words})
        with pytest.raises(ValueError, match=r"model\.pt: words: not a list of words"):
            checkpoint.load(toy / "model.pt")
    checkpoint.save(toy / "model.pt", content)
    assert checkpoint.load(toy / "model.pt")["words"] == []  # of an earlier pcpg


@pytest.mark.parametrize("size", [96, 80])
def test_the_region_is_compared_by_kind_and_size(toy, size):
    settings = to_plain(params.load(toy / "params.yaml").model["grid"])
    content = {"settings": settings, "model": {}, "mean": 0.5, "std": 0.2, "iteration": 1}
    checkpoint.save(toy / "model.pt", content | {"region": vars(Region("landmarks", "mediapipe", size))})
    assert checkpoint.load(toy / "model.pt")["region"]["size"] == size
    if size == 96:
        assert checkpoint.load(toy / "model.pt", REGION)
    else:
        with pytest.raises(ValueError, match="another kind"):
            checkpoint.load(toy / "model.pt", REGION)
