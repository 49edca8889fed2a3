"""Nothing disappears in silence: every clip is counted, and what was repaired or left out is listed."""

import csv

import pytest

from pcpg import inventory
from pcpg.clips import Quality
from pcpg.corpora.base import Excluded, Remark, write_rows
from pcpg.store import IndexRow


@pytest.mark.parametrize("whole", [(75,), (74, 75), None])
def test_counts_and_notes(tmp_path, whole):
    raw, clips, out = tmp_path / "raw", tmp_path / "clips", tmp_path / "out"
    write_rows(raw / "excluded.csv", Excluded, [Excluded("s1/a", "raw", "empty file")])
    write_rows(raw / "remarks.csv", Remark, [Remark("speakers of GRID are not on disk", 32, "s2, s3 and 30 more")])
    write_rows(clips / "excluded.csv", Excluded, [Excluded("s1/b", "clips", "no face in any frame")])
    quality = [Quality("s1/c", 75, 2, 2, 0, 0.1, 1.2), Quality("s1/d", 74, 0, 0, 1, 0.1, 1.2)]
    quality.append(Quality("s1/e", 75, 0, 0, 0, 0.1, 1.2))
    write_rows(clips / "quality.csv", Quality, quality)
    splits = {"s1/c": "train", "s1/d": "test", "s1/e": "train"}
    write_rows(clips / "index.csv", IndexRow, [IndexRow(n, "s1", s, "bin", -1, 0, 75) for n, s in splits.items()])
    inventory.write(raw, clips, out, whole)
    counts = {row["what"]: int(row["count"]) for row in csv.DictReader((out / "summary.csv").read_text().splitlines())}
    assert counts["clips found"] == 5
    assert counts["clips excluded"] == 2
    assert counts["clips for train"] == 2
    assert counts["clips of 74 frames"] == 1
    assert counts["frames missing"] == 1
    assert counts["speakers of GRID are not on disk"] == 32
    rows = csv.DictReader((out / "notes.csv").read_text().splitlines())
    assert [(row["clip"], row["status"], row["reason"]) for row in rows] == [
        ("", "corpus", "32 speakers of GRID are not on disk: s2, s3 and 30 more"),
        ("s1/a", "excluded", "empty file"),
        ("s1/b", "excluded", "no face in any frame"),
        *([("s1/d", "odd", "74 frames, not 75")] if whole == (75,) else []),
        ("s1/c", "repaired", "no face in 2 of 75 frames: landmarks interpolated"),
        ("s1/d", "repaired", "1 frames missing"),
    ]
