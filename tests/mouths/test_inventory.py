"""Nothing disappears in silence: every clip is counted, and what was repaired or left out is listed."""

import csv

import numpy as np
import pytest

from pcpg.corpora.base import Clip, Excluded, Remark
from pcpg.mouths import inventory
from pcpg.mouths.join import join_shards, part
from pcpg.mouths.shard import pack
from pcpg.mouths.store import ClipStore, Quality, shard_folder
from pcpg.workspace.rows import write_rows
from tests.conftest import REGION, store_of


def test_one_clip_in_two_splits_is_told(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (4, 96, 96), np.uint8)
    pictures = {"a": noise, "b": noise, "c": noise[::-1].copy(), "d": noise}
    splits, texts = {"a": "train", "b": "test", "c": "val", "d": "train"}, {"d": "set"}
    clips = [Clip(name, "", "s1", split, texts.get(name, "bin"), -1, 0, 0) for name, split in splits.items()]
    store = ClipStore(store_of(tmp_path / "clips", clips, list(pictures.values())))
    [remark] = inventory.twins(store)
    assert str(remark) == "1 clips have the pixels and the text of one in another split: b"


@pytest.mark.parametrize("whole", [(75,), (74, 75), None])
def test_counts_and_notes(tmp_path, whole):
    raw, folder, out = tmp_path / "raw", tmp_path / "clips", tmp_path / "out"
    write_rows(raw / "excluded.csv", Excluded, [Excluded("s1/a", "raw", "empty file")])
    write_rows(raw / "remarks.csv", Remark, [Remark("speakers of GRID are not on disk", 32, "s2, s3 and 30 more")])
    splits = {"s1/b": "train", "s1/c": "train", "s1/d": "test", "s1/e": "train"}
    clips = [Clip(name, "", "s1", split, "bin", -1, 0, 0) for name, split in splits.items()]
    made: list = [Excluded("s1/b", "clips", "no face in any frame")]
    for quality in (
        Quality("s1/c", 75, 2, 2, 0, 0.1, 1.2),
        Quality("s1/d", 74, 0, 0, 1, 0.3, 1.2),
        Quality("s1/e", 75, 0, 0, 0, 0.1, 1.2),
    ):
        made.append((np.zeros((quality.frames, 96, 96), np.uint8), quality))
    for number in range(3):
        pack(part(clips, number, 3), part(made, number, 3), shard_folder(folder, str(number)), 96)
    inventory.write_inventory(raw, join_shards(clips, folder, 3, REGION), out, whole)
    counts = {row["what"]: int(row["count"]) for row in csv.DictReader((out / "summary.csv").read_text().splitlines())}
    assert counts["clips found"] == 5
    assert counts["clips excluded"] == 2
    assert counts["clips for train"] == 2
    assert (out / "lengths.csv").read_text() == "frames,clips\n74,1\n75,2\n"
    assert not any(what.startswith("clips of") for what in counts)
    assert counts["frames missing"] == 1
    assert counts["speakers of GRID are not on disk"] == 32
    measures = {row["what"]: row for row in csv.DictReader((out / "quality.csv").read_text().splitlines())}
    scale = measures["scale, pixels of the clip per pixel of the video"]
    assert list(scale.values())[1:] == ["1.2", "1.2", "1.2", "s1/c"]
    assert measures["frames without a face, per cent"]["largest"] == "2.667"
    assert measures["jitter of the mouth before smoothing, pixels of the video"]["clip"] == "s1/d"
    rows = csv.DictReader((out / "notes.csv").read_text().splitlines())
    points = Quality("s1/e", 9, faceless=0, interpolated=1, missing=0, jitter=0.1, scale=1.0)  # one without a value
    assert inventory._repairs(points) == "of 1 of 9 frames: landmarks interpolated"
    assert [(row["clip"], row["status"], row["reason"]) for row in rows] == [
        ("", "corpus", "32 speakers of GRID are not on disk: s2, s3 and 30 more"),
        ("s1/a", "excluded", "empty file"),
        ("s1/b", "excluded", "no face in any frame"),
        *([("s1/d", "odd", "74 frames, not 75")] if whole == (75,) else []),
        ("s1/c", "repaired", "no face in 2 of 75 frames: landmarks interpolated"),
        ("s1/d", "repaired", "1 frames missing"),
    ]
