"""The stage shard: packing, listing what fails, the same bytes for any number of workers."""

import csv
import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_video import write_audio, write_video

from pcpg.corpora.base import Clip
from pcpg.mouths import detector, landmarks, roi, video
from pcpg.mouths.join import join_shards
from pcpg.mouths.shard import Cutter, make_shard
from pcpg.mouths.store import ClipStore, Region, shard_folder
from pcpg.workspace.errors import InputError, refusal
from pcpg.workspace.pool import in_order

SHARED = Path(__file__).parents[3] / "shared"
GRID, MODEL = SHARED / "grid", SHARED / "models" / "face_landmarker.task"
needs_faces = pytest.mark.skipif(
    not (GRID.is_dir() and MODEL.is_file()), reason="no real GRID clips or face model beside the repository"
)


def clip_of(name, video=None, split="train", first=0, frames=0):
    return Clip(name, video or f"{name}.mpg", name.split("/")[0], split, "bin blue", -1, first, frames)


def region_of(kind="frame", landmarks=None, size=24):
    return Region(kind=kind, landmarks=landmarks, size=size)


def make(clips, root, out, *region, model=None, size=24, workers=1, cutter=Cutter) -> ClipStore:
    """A store of one shard."""
    region = region_of(*region, size=size)
    make_shard(clips, shard_folder(out, "0"), cutter(root, region, model), workers)
    return join_shards(clips, out, 1, region)


def rows_of(path):
    with open(path, newline="") as file:
        return {row["clip"]: row for row in csv.DictReader(file)}


def sidecar(root, name, frames, holes=()):
    points = np.tile(roi.mean_face(24) + 10, (frames, 1, 1)).astype(np.float32)
    points[list(holes)] = np.nan
    path = root / "landmarks" / f"{name}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, points)


@pytest.fixture
def corpus(tmp_path):
    """Six clips of which only good, gaps and cut can be used."""
    root = tmp_path / "corpus"
    (root / "s1").mkdir(parents=True)
    levels = np.random.default_rng(0).integers(0, 256, 30)
    for name in ("good", "gaps", "blind", "nopoints"):
        write_video(root / f"s1/{name}.mpg", levels[:20])
    content = write_video(root / "s1/cut.mpg", levels).read_bytes()
    (root / "s1/cut.mpg").write_bytes(content[: len(content) // 2])
    (root / "s1/empty.mpg").write_bytes(b"")
    write_audio(root / "s1/sound.wav")
    sidecar(root, "s1/good", 20)
    sidecar(root, "s1/gaps", 20, holes=[0, 5, 6])
    sidecar(root, "s1/blind", 20, holes=range(20))
    names = ["empty", "good", "blind", "gaps", "nopoints", "gone"]
    return root, [*(clip_of(f"s1/{name}") for name in names), clip_of("s1/sound", "s1/sound.wav")]


def test_every_failure_is_listed_and_none_stops_the_run(corpus, tmp_path, capsys):
    root, clips = corpus
    store = make(clips, root, tmp_path / "out", "landmarks", "sidecar")
    assert [row.clip for row in store.index] == ["s1/good", "s1/gaps"]
    excluded = {name: row["reason"] for name, row in rows_of(tmp_path / "out/shards/0/excluded.csv").items()}
    assert excluded == {
        "s1/empty": "not a readable video: empty, cut short, or of another format",
        "s1/blind": "no face in any frame",
        "s1/nopoints": "landmarks/s1/nopoints.npy: no such file",
        "s1/gone": "no such file",
        "s1/sound": "has no video stream",
    }
    quality = rows_of(tmp_path / "out/shards/0/quality.csv")
    assert (quality["s1/gaps"]["faceless"], quality["s1/gaps"]["interpolated"]) == ("3", "3")
    assert quality["s1/good"]["interpolated"] == "0" and float(quality["s1/good"]["scale"]) == pytest.approx(1)
    said = capsys.readouterr().err
    assert "clips: 2 made (40 frames); 1 of them repaired (3 frames); 0 lack frames; 5 excluded: " in said
    assert "1 x no face in any frame" in said


def test_bytes_do_not_depend_on_the_workers(corpus, tmp_path):
    root, clips = corpus
    for workers in (1, 2):
        make(clips, root, tmp_path / f"out{workers}", "landmarks", "sidecar", workers=workers)
    for name in ("frames.npy", "index.csv", "quality.csv", "excluded.csv"):
        one, two = (shard_folder(tmp_path / out, "0") / name for out in ("out1", "out2"))
        assert one.read_bytes() == two.read_bytes()
    assert (tmp_path / "out1/store.json").read_bytes() == (tmp_path / "out2/store.json").read_bytes()


def test_cut_short_video_and_manifest_ranges(corpus, tmp_path):
    root, _ = corpus
    clips = [clip_of("s1/cut"), clip_of("a", "s1/good.mpg", first=15, frames=8), clip_of("b", "s1/good.mpg", first=20)]
    store = make(clips, root, tmp_path / "out")
    assert 3 < store.index[0].frames < 30 and store.index[1].frames == 5
    assert rows_of(tmp_path / "out/shards/0/quality.csv")["a"]["missing"] == "3"
    assert "begins at frame 20" in rows_of(tmp_path / "out/shards/0/excluded.csv")["b"]["reason"]


def test_lrw_box_and_lrw1000_frames(tmp_path):
    write_video(tmp_path / "a.mp4", [50, 100, 150], "mpeg4", size=(256, 256))
    write_video(tmp_path / "small.mp4", [50], "mpeg4", size=(64, 64))
    store = make([clip_of("a", "a.mp4"), clip_of("b", "small.mp4")], tmp_path, tmp_path / "box", "box", size=96)
    assert store[0].shape == (3, 96, 96)
    reason = rows_of(tmp_path / "box/shards/0/excluded.csv")["b"]["reason"]
    assert reason == "has 64 x 64 pixels; the box is that of LRW's 256 x 256"
    (tmp_path / "images").mkdir()
    for number in (3, 4, 6):
        Image.new("L", (30, 20), 10 * number).save(tmp_path / f"images/{number}.jpg", quality=95)
    store = make([clip_of("c", "images", first=2, frames=4)], tmp_path, tmp_path / "jpgs", size=16)
    assert np.abs(store[0].mean(axis=(1, 2)) - [30, 40, 60]).max() <= 1
    assert rows_of(tmp_path / "jpgs/shards/0/quality.csv")["c"]["missing"] == "1"


def test_what_fails_for_every_clip_stops_before_the_work(corpus, tmp_path):
    root, clips = corpus
    out = tmp_path / "out"
    with pytest.raises(InputError, match="none.task: no such file"):
        make(clips, root, out, "landmarks", "mediapipe", model=root / "none.task")
    with pytest.raises(InputError, match="none of the 1 clips of the train split could be used: 1 x no such file"):
        make([clip_of("s1/gone")], root, out)


def test_landmarks_that_cannot_be_kept_stop_the_shard(corpus, tmp_path, monkeypatch):
    """They took hours; a full disk or a closed folder is no fault of the clip."""
    root, clips = corpus

    def closed(path, points):
        raise PermissionError(errno.EACCES, "Permission denied", str(path.parent))

    monkeypatch.setattr(detector, "detect_landmarks", lambda frames, model: np.tile(roi.mean_face(24) + 10, (20, 1, 1)))
    monkeypatch.setattr("pcpg.mouths.sidecar.write_landmarks", closed)
    with pytest.raises(PermissionError):
        Cutter(root, region_of("landmarks", "mediapipe"), folder=tmp_path / "kept").cut(clips[1])


def test_too_little_memory_names_the_video(corpus, monkeypatch):
    root, clips = corpus

    def short(*_):
        raise MemoryError

    monkeypatch.setattr(video, "read_clip", short)
    with pytest.raises(MemoryError) as caught:
        Cutter(root, region_of()).cut(clips[1])
    assert refusal(caught.value) == f"out of memory: {root}/s1/good.mpg"


def crash_on_three(number):
    if number == 3:
        os._exit(9)
    return number * 10


def test_a_crashed_process_costs_one_clip():
    assert list(in_order(crash_on_three, range(8), workers=2, ahead=2)) == [0, 10, 20, None, 40, 50, 60, 70]


class CrashOnGaps(Cutter):
    def cut(self, clip):
        if clip.clip == "s1/gaps":
            os._exit(9)
        return super().cut(clip)


def test_a_clip_that_crashes_its_process_is_listed(corpus, tmp_path):
    root, _ = corpus
    clips = [clip_of("s1/good"), clip_of("s1/gaps"), clip_of("s1/blind")]
    store = make(clips, root, tmp_path / "out", workers=2, cutter=CrashOnGaps)
    assert [row.clip for row in store.index] == ["s1/good", "s1/blind"]
    assert [(row.clip, row.reason) for row in store.excluded()] == [("s1/gaps", "the process that read it crashed")]


@needs_faces
def test_real_clips_have_their_mouths_in_the_middle(tmp_path):
    names = ["s1/bbaf4p", "s1/lrarzn", "s1/lrae3s"]
    store = make(
        [clip_of(name) for name in names], GRID, tmp_path, "landmarks", "mediapipe", model=MODEL, size=96, workers=2
    )
    assert [row.frames for row in store.index] == [75, 75, 74]
    quality = rows_of(tmp_path / "shards/0/quality.csv")
    assert [int(quality[name]["interpolated"]) for name in names] == [0, 12, 0]  # repaired, not dropped
    assert all(1.1 < float(quality[name]["scale"]) < 1.6 and float(quality[name]["jitter"]) < 1 for name in names)


@needs_faces
def test_corners_of_real_mouths_lie_where_the_mean_face_has_them():
    for name in ("bbaf4p", "swao7a"):
        points = detector.detect_landmarks(video.colour_clip(GRID / f"s1/{name}.mpg", 0, 0), MODEL)
        reference = roi.anchors(roi.mean_face(96))
        transforms = roi.similarity(roi.anchors(landmarks.smooth(points)), reference)
        mapped = points @ transforms[:, :, :2].transpose(0, 2, 1) + transforms[:, None, :, 2]
        corners = mapped[:, [landmarks.RIGHT_CORNER, landmarks.LEFT_CORNER]]
        assert np.abs(corners.mean(axis=0) - roi.MEAN_FACE[3:5]).max() < 3
        assert np.abs(corners.mean(axis=1) - 47.5).max() < 5
