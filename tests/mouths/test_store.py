"""A clip store: shards joined in the manifest's order, checksums from store.json down to each clip, what they find."""

import errno
import json
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from command import called
from test_video import write_video

from pcpg.corpora.base import Clip, Excluded, Remark
from pcpg.mouths.join import join_shards, part, read_manifest
from pcpg.mouths.shard import pack
from pcpg.mouths.store import ClipStore, IndexRow, Quality, Region, Shard, check_index, shard_folder
from pcpg.workspace.errors import InputError
from pcpg.workspace.files import atomic_folder, locked
from pcpg.workspace.rows import write_rows
from tests.conftest import store_of

SMALL = Region(kind="frame", landmarks=None, size=4)
SPLITS = ("train", "test", "train", "val", "train")
LENGTHS = (2, 3, 1, 4, 2)


def clips_of(count: int = 5) -> list[Clip]:
    return [Clip(f"c{k}", f"c{k}.mpg", "s1", SPLITS[k], f"word {k}", k, 0, 0) for k in range(count)]


def frames_of(count: int = 5) -> list[np.ndarray]:
    draws = np.random.default_rng(0)
    return [draws.integers(0, 256, (length, 4, 4), np.uint8) for length in LENGTHS[:count]]


def store(folder, shards: int = 2, count: int = 5):
    return store_of(folder, clips_of(count), frames_of(count), shards, region=SMALL)


def test_what_is_stored_comes_back(tmp_path):
    found = ClipStore(store(tmp_path / "a"))
    frames = frames_of()
    assert len(found) == 5 and found.region == SMALL
    assert found.index[1] == IndexRow("c1", "s1", "test", "word 1", 1, 2, 3, zlib.crc32(frames[1].tobytes()))
    for i, wanted in enumerate(frames):
        np.testing.assert_array_equal(found[i], wanted)
        np.testing.assert_array_equal(found[i - 5], wanted)
        assert np.shares_memory(found[i], found[i]) and not found[i].flags.writeable
    with pytest.raises(IndexError):
        found[5]
    assert found.select("train") == [0, 2, 4] and found.select("val") == [3]
    with pytest.raises(ValueError, match="'dev' is not one of"):
        found.select("dev")
    pixels = np.concatenate([frames[0], frames[2]]) / 255
    assert found.mean_std([0, 2]) == pytest.approx((pixels.mean(), pixels.std()))
    assert found.mean_std([2, 0]) == found.mean_std([0, 2])
    with pytest.raises(ValueError, match="no clips"):
        found.mean_std([])
    copy = pickle.dumps(found)
    assert len(copy) < 1000 and np.array_equal(pickle.loads(copy)[4], frames[4])
    assert found.text == (tmp_path / "a/store.json").read_text()


# ---- shards


@pytest.mark.parametrize(("total", "count"), [(5, 1), (5, 2), (5, 5), (5, 7), (0, 3), (1000, 64)])
def test_parts_are_contiguous_even_and_whole(total, count):
    parts = [part(list(range(total)), number, count) for number in range(count)]
    assert [item for items in parts for item in items] == list(range(total))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_number_of_shards_changes_neither_order_nor_content(tmp_path):
    whole, *others = (ClipStore(store(tmp_path / str(count), count)) for count in (1, 2, 3, 5, 8))
    for other in others:
        for i in range(5):
            assert np.array_equal(whole[i], other[i])
            assert replace(whole.index[i], offset=0) == replace(other.index[i], offset=0)  # each shard counts its own
        assert [row.clip for row in other.quality()] == [row.clip for row in whole.quality()]
        assert whole.mean_std([0, 4]) == other.mean_std([0, 4])
        assert whole.text != other.text
    assert [shard.clips for shard in others[-1].shards] == [0, 1, 0, 1, 1, 0, 1, 1]  # some hold nothing


def test_what_is_excluded_is_left_out_and_known(tmp_path):
    clips = clips_of()
    results = [
        (rois, Quality(clip.clip, len(rois), 0, 0, 0, 0.1, 1.0)) for clip, rois in zip(clips, frames_of(), strict=True)
    ]
    results[2], results[4] = Excluded("c2", "clips", "no face"), None  # the latter crashed its process
    for number in range(2):
        pack(part(clips, number, 2), part(results, number, 2), shard_folder(tmp_path, str(number)), 4)
    found = join_shards(clips, tmp_path, 2, SMALL)
    assert [row.clip for row in found.index] == ["c0", "c1", "c3"]
    np.testing.assert_array_equal(found[2], frames_of()[3])
    reasons = {"c2": "no face", "c4": "the process that read it crashed"}
    assert {row.clip: row.reason for row in found.excluded()} == reasons


@pytest.mark.parametrize(
    "manifest",
    [
        clips_of()[::-1],
        clips_of()[:-1],
        [*clips_of(), Clip("new", "", "s1", "val", "x", -1, 0, 0)],
        [*clips_of()[:-1], Clip("c4", "c4.mpg", "s1", "test", "word 4", 4, 0, 0)],
        [*clips_of()[:-1], Clip("c4", "c4.mpg", "s1", "train", "another", 4, 0, 0)],
    ],
    ids=["reversed", "shorter", "longer", "another split", "another text"],
)
def test_shards_of_another_manifest_are_refused(tmp_path, manifest):
    folder = store(tmp_path / "a")
    with pytest.raises(InputError, match="was not made from this part of the manifest"):
        join_shards(manifest, folder, 2, SMALL)
    with pytest.raises(InputError, match="was not made from this part of the manifest"):
        join_shards(clips_of(), folder, 1, SMALL)  # or of another number of shards


def test_a_missing_shard_and_another_size_are_refused(tmp_path):
    folder = store(tmp_path / "a")
    with pytest.raises(InputError, match=r"shards/0/frames\.npy: is not an array of 5 frames of 8 x 8 pixels"):
        join_shards(clips_of(), folder, 2, Region(kind="frame", landmarks=None, size=8))
    shutil.rmtree(folder / "shards/1")
    with pytest.raises(InputError, match=r"shards/1/index\.csv: no such file"):
        join_shards(clips_of(), folder, 2, SMALL)
    with pytest.raises(InputError, match=r"shards/1/frames\.npy: no such file"):
        ClipStore(folder)


def test_shards_of_an_earlier_number_are_told(tmp_path, capsys):
    folder = store(tmp_path / "a", 3)
    store(tmp_path / "a", 2)
    assert f"{folder}/shards/2 is left from another number of shards" in capsys.readouterr().err
    assert len(ClipStore(folder)) == 5


def test_a_manifest_has_clips_and_each_once(tmp_path):
    path = tmp_path / "manifest.csv"
    write_rows(path, Clip, [])
    with pytest.raises(InputError, match=r"manifest\.csv: lists no clip"):
        read_manifest(path)
    write_rows(path, Clip, [*clips_of(), clips_of()[1]])
    with pytest.raises(InputError, match=r"manifest\.csv: lists c1 2 times"):
        read_manifest(path)


# ---- integrity


def use(folder) -> None:
    """Open a store and touch everything in it."""
    found = ClipStore(folder)
    for i in range(len(found)):
        found[i]
    found.quality()
    found.excluded()


@pytest.mark.parametrize("name", ["store.json", *(f"shards/0/{name}" for name in (
    "frames.npy", "index.csv", "quality.csv", "excluded.csv"))])  # fmt: skip
def test_no_turned_bit_is_ever_used(tmp_path, name):
    """Every bit of every file, turned, is an error of one line that names a file of the store."""
    folder = store(tmp_path / "a", 1, count=1)
    path = folder / name
    content = path.read_bytes()
    for place in range(len(content)):
        for bit in range(8):
            path.write_bytes(content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :])
            with pytest.raises(InputError) as caught:
                use(folder)
            assert "\n" not in str(caught.value) and str(caught.value).startswith(str(folder))
    path.write_bytes(content)
    use(folder)


def test_a_damaged_clip_is_named_and_the_others_can_be_read(tmp_path):
    folder = store(tmp_path / "a")
    path = folder / "shards/1/frames.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # of the last frame of c4
    path.write_bytes(content)
    found = ClipStore(folder)
    for i in range(4):
        found[i]
    for _ in range(2):  # it stays refused
        with pytest.raises(InputError, match=r"shards/1/frames\.npy: clip c4 is damaged"):
            found[4]
    with pytest.raises(InputError, match="clip c4 is damaged"):
        found.mean_std([0, 4])


def test_a_clip_is_checked_once(tmp_path, monkeypatch):
    found, checked, crc32 = ClipStore(store(tmp_path / "a")), [], zlib.crc32
    monkeypatch.setattr(zlib, "crc32", lambda frames: checked.append(1) or crc32(frames))
    for _ in range(3):
        found[0]
        found[3]
    assert len(checked) == 2


def changed(folder, **values):
    contents = json.loads((folder / "store.json").read_text())
    (folder / "store.json").write_text(json.dumps(contents | values))


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-16])


@pytest.mark.parametrize(
    "break_it, problem",
    [
        (lambda f: (f / "store.json").unlink(), "store.json: no such file"),
        (lambda f: (f / "store.json").write_text("{"), "store.json: is not JSON"),
        (lambda f: (f / "store.json").write_text("[]"), "store.json: is of format version None"),
        (lambda f: changed(f, version=2), "is of format version 2, this pcpg reads 1; make the store again"),
        (lambda f: changed(f, colour=1), "store.json: colour: unknown key"),
        (lambda f: changed(f, region={"kind": "frame", "size": 4}), "store.json: region.landmarks: missing key"),
        (
            lambda f: changed(f, region={"kind": "frame", "landmarks": None, "size": 8}),
            "is not an array of 5 frames of 8 x 8",
        ),
        (lambda f: (f / "shards/1/index.csv").unlink(), "shards/1/index.csv: no such file"),
        (lambda f: (f / "shards/1/frames.npy").unlink(), "shards/1/frames.npy: no such file"),
        (lambda f: cut_short(f / "shards/1/frames.npy"), "frames.npy: has 224 bytes, store.json says 240: cut short"),
        (
            lambda f: shutil.copy(f / "shards/0/index.csv", f / "shards/1/index.csv"),
            "shards/1/index.csv: damaged, or of another store",
        ),
    ],
)
def test_what_does_not_belong_together_is_refused(tmp_path, break_it, problem):
    folder = store(tmp_path / "a")
    break_it(folder)
    with pytest.raises(InputError, match=problem):
        ClipStore(folder)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"offset": 2},
            "line 2: s1/a: expected frames from 0, at least 1, and a split of train, val, test; got 3 from 2",
        ),
        ({"frames": 0}, "got 0 from 0, split train"),
        ({"split": "dev"}, "got 3 from 0, split dev"),
        ({"frames": 2}, "index.csv: names 1 clips, 2 frames; store.json says 1 clips, 3 frames"),
    ],
)
def test_a_wrong_index_says_what_was_expected(changes, problem):
    shard = Shard(name="0", clips=1, frames=3, bytes=0, index="", quality="", excluded="")
    row = IndexRow("s1/a", "s1", "train", "now", -1, offset=0, frames=3, crc32=0)
    check_index(Path("index.csv"), [row], shard)
    with pytest.raises(InputError, match=problem):
        check_index(Path("index.csv"), [replace(row, **changes)], shard)


# ---- what is said of a store


def test_info(tmp_path):
    store(tmp_path / "a")
    done = called("clips", "info", "a", "--verify", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "format    version 1",
        "region    frame, 4 x 4 pixels",
        "clips     5: 3 train, 1 val, 1 test",
        "excluded  0",
        "frames    12, 2.4 a clip",
        "bytes     448, 90 a clip",
        "shard  clips  frames  bytes",
        "    0      2       5    208",
        "    1      3       7    240",
        "verified  all 5 clips have the bytes that they were made with",
    ]


def test_verify_names_every_damaged_clip(tmp_path):
    folder = store(tmp_path / "a")
    path = folder / "shards/1/frames.npy"
    content = bytearray(path.read_bytes())
    content[128] ^= 4  # c2
    content[-1] ^= 4  # c4
    path.write_bytes(content)
    done = called("clips", "info", "a", "--verify", cwd=tmp_path)
    assert done.returncode == 2
    said = done.stdout + done.stderr
    assert "clip c2 is damaged" in said and "clip c4 is damaged" in said and "c3" not in said
    assert done.stderr.splitlines()[-1] == "pcpg: a: 2 of 5 clips are damaged: make their shards again"
    assert called("clips", "info", "a", cwd=tmp_path).returncode == 0  # it reads no frames


# ---- broken off


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    """Not what lies there of another name, nor of another machine, whose processes nobody here can see."""
    others = [f".1.{socket.gethostname()}-99999.partial", ".0.elsewhere-99999.partial"]
    for name in (f".0.{socket.gethostname()}-99999.partial", *others):
        (tmp_path / name).mkdir()
    with atomic_folder(tmp_path / "0") as folder:
        (folder / "a").write_text("a")
    assert {path.name for path in tmp_path.iterdir()} == {*others, "0"}


def test_a_lock_is_held_by_one_at_a_time(tmp_path):
    def enter():
        with locked(tmp_path / "model"):
            entered.append("other")

    entered, other = [], threading.Thread(target=enter)
    with locked(tmp_path / "model"):
        other.start()
        time.sleep(0.2)
        entered.append("first")
    other.join()
    assert entered == ["first", "other"]


def test_without_locks_the_work_is_done(tmp_path, monkeypatch):
    """Some network file systems have none."""
    monkeypatch.setattr("fcntl.flock", Mock(side_effect=OSError(errno.ENOLCK, "No locks available")))
    with locked(tmp_path / "model"):
        (tmp_path / "model").touch()
    with pytest.raises(OSError, match="from inside"), locked(tmp_path / "model"):
        raise OSError("from inside")


def raw_of_videos(root, folder, count: int = 8) -> None:
    """data/smoke/lrw with `count` videos, and the parameters to cut them in one process."""
    text = (root / "tests" / "smoke.params.yaml").read_text()
    (folder / "params.yaml").write_text(text.replace("workers: 2", "workers: 1"))
    raw = folder / "data/smoke/lrw"
    (raw / "corpus").mkdir(parents=True)
    clips = [Clip(f"c{k}", f"c{k}.mp4", "", SPLITS[k % 5], "now", 0, 0, 0) for k in range(count)]
    for k in range(count):
        write_video(raw / f"corpus/c{k}.mp4", range(10 * k, 10 * k + 29), "mpeg4", size=(256, 256))
    write_rows(raw / "manifest.csv", Clip, clips)
    write_rows(raw / "excluded.csv", Excluded, [])
    write_rows(raw / "remarks.csv", Remark, [])


def test_a_killed_shard_is_the_only_one_to_make_again(root, tmp_path):
    raw_of_videos(root, tmp_path)
    shards = tmp_path / "clips/smoke/lrw/shards"
    assert called("clips", "shard", "lrw", "0", cwd=tmp_path).returncode == 0
    finished = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (shards / "0").iterdir()}
    command = [sys.executable, "-m", "pcpg.cli", "clips", "shard", "lrw", "1"]
    command += ["--params", str(root / "tests" / "smoke.params.yaml")]  # in two processes
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True, stderr=subprocess.DEVNULL)
    while not list(shards.glob(".1.*.partial")):
        assert process.poll() is None
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (shards / "1").exists() and list(shards.glob(".1.*.partial"))
    done = called("clips", "store", "lrw", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "pcpg: clips/smoke/lrw/shards/1/index.csv: no such file\n")
    for arguments in (("shard", "lrw", "1"), ("store", "lrw")):
        done = called("clips", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in shards.iterdir()) == ["0", "1"]
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (shards / "0").iterdir()} == finished
    assert [row.clip for row in ClipStore(tmp_path / "clips/smoke/lrw").index] == [f"c{k}" for k in range(8)]
    assert "clips made,8" in (tmp_path / "results/smoke/clips/lrw/summary.csv").read_text()


def test_a_shard_without_a_usable_clip_is_one_and_such_a_split_is_an_error(root, tmp_path):
    raw_of_videos(root, tmp_path)
    corpus = tmp_path / "data/smoke/lrw/corpus"
    for name in ("c4.mp4", "c5.mp4", "c6.mp4", "c7.mp4"):
        (corpus / name).unlink()
    for arguments in (("shard", "lrw", "0"), ("shard", "lrw", "1"), ("store", "lrw")):
        done = called("clips", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    found = ClipStore(tmp_path / "clips/smoke/lrw")
    assert [shard.clips for shard in found.shards] == [4, 0] and len(found.excluded()) == 4
    (corpus / "c3.mp4").unlink()  # the only one for validation
    assert called("clips", "shard", "lrw", "0", cwd=tmp_path).returncode == 0
    done = called("clips", "store", "lrw", cwd=tmp_path)
    reason = "5 x no such file (c3 and 4 more)"
    wanted = f"pcpg: clips/smoke/lrw: none of the 1 clips of the val split could be used: {reason}\n"
    assert (done.returncode, done.stderr) == (2, wanted)
