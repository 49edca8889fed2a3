"""Landmarks from files: seven points and the public 68, and that nothing else gets through, least of all a pickle."""

import io
import os
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pcpg.corpora.base import Clip
from pcpg.mouths import detector, landmarks, roi, sidecar, video
from pcpg.mouths.shard import Cutter
from pcpg.mouths.store import Region
from pcpg.workspace.errors import InputError

SHARED = Path(__file__).parents[3] / "shared"
GRID, MODEL = SHARED / "grid", SHARED / "models" / "face_landmarker.task"
needs_faces = pytest.mark.skipif(
    not (GRID.is_dir() and MODEL.is_file()), reason="no real GRID clips or face model beside the repository"
)


def points_of(frames, points=7):
    return np.random.default_rng(0).uniform(0, 300, (frames, points, 2)).astype(np.float32)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int16, ">f4", np.longdouble])
def test_seven_points_of_any_number_type(tmp_path, kind):
    np.save(tmp_path / "a.npy", points_of(4).astype(kind))
    points = sidecar.read_landmarks(tmp_path / "a.npy", 4)
    assert points.dtype == np.float32
    np.testing.assert_array_equal(points, points_of(4).astype(kind).astype(np.float32))


def test_what_is_written_is_read(tmp_path):
    points = points_of(5)
    points[2] = np.nan
    sidecar.write_landmarks(tmp_path / "s1" / "a.npy", points)
    np.testing.assert_array_equal(sidecar.read_landmarks(tmp_path / "s1" / "a.npy", 5), points)
    assert os.listdir(tmp_path / "s1") == ["a.npy"]


@pytest.mark.parametrize("name", ["data", "landmarks"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_sixty_eight_points_in_an_npz(tmp_path, name, save):
    points = points_of(4, 68)
    points[1] = np.inf  # a detector's way to say that it found no face
    save(tmp_path / "a.npz", **{name: np.asfortranarray(points)})
    expected = points[:, [36, 45, 33, 48, 54, 62, 66]]
    expected[1] = np.nan
    np.testing.assert_array_equal(sidecar.read_landmarks(tmp_path / "a.npy", 4), expected)
    np.save(tmp_path / "a.npy", points_of(4))  # an .npy goes before
    np.testing.assert_array_equal(sidecar.read_landmarks(tmp_path / "a.npy", 4), points_of(4))


class Trap:
    """What a file from elsewhere may hold: unpickled, it runs."""

    def __reduce__(self):
        return os.mkdir, ("unpickled",)


def test_pickles_are_not_loaded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trap = np.array([[Trap()] * 7] * 4, object)
    np.save("a.npy", trap, allow_pickle=True)
    np.savez("b.npz", data=trap)
    Path("c.pkl").write_bytes(pickle.dumps(Trap()))
    for path, name in (("a.npy", "a.npy"), ("b.npy", "b.npz"), ("c.npy", "c.pkl")):
        with pytest.raises(InputError, match=f"{name}: holds pickled Python objects, which are never loaded"):
            sidecar.read_landmarks(path, 4)
    assert not Path("unpickled").exists()


@pytest.mark.parametrize(
    "array, problem",
    [
        (points_of(3), r"has shape \(3, 7, 2\), expected \(4, 7, 2\) or \(4, 68, 2\)"),
        (points_of(4, 478), r"has shape \(4, 478, 2\)"),
        (points_of(4)[..., 0], r"has shape \(4, 7\)"),
        (np.array(["a"]), "not an array of numbers, but of <U1"),
        (points_of(4) + 1j, "not an array of numbers"),
        (points_of(4) / 300, "within 0 and 1; pixels of the video are expected"),
        (points_of(4) * 1e6, "which no pixel does"),
        (points_of(4).astype(np.float64) * 1e300, "which no pixel does"),
    ],
)
def test_another_array_is_refused(tmp_path, array, problem):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=f"a.npy: .*{problem}"):
        sidecar.read_landmarks(tmp_path / "a.npy", 4)


def header(shape) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return file.getvalue()


@pytest.mark.parametrize(
    "data, problem",
    [
        (b"", "not a readable .npy array"),
        (b"no array at all", "not a readable .npy array"),
        (header((4, 7, 2)) + b"\0" * 100, "cut short"),
        (header((10**12, 7, 2)), r"has shape \(1000000000000, 7, 2\)"),
        (header((4, 7, 2)) + b"\0" * (1 << 24), "far too many"),
    ],
)
def test_a_file_that_lies_about_itself(tmp_path, data, problem):
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(InputError, match=f"a.npy: .*{problem}"):
        sidecar.read_landmarks(tmp_path / "a.npy", 4)
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.npy", data)
    with pytest.raises(InputError, match=f"b.npz: .*{problem}"):
        sidecar.read_landmarks(tmp_path / "b.npy", 4)


def test_a_zip_bomb_takes_no_room(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("data.npy", "w") as file,
    ):
        file.write(header((4, 7, 2)))
        for _ in range(128):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(InputError, match=r"a.npz: .*far too many"):
        sidecar.read_landmarks(tmp_path / "a.npy", 4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * sidecar.LARGEST


def test_missing_files_and_ambiguous_archives(tmp_path):
    with pytest.raises(InputError, match=r"a.npy: no such file"):
        sidecar.read_landmarks(tmp_path / "a.npy", 4)
    np.savez(tmp_path / "a.npz", one=points_of(4), two=points_of(4))
    with pytest.raises(InputError, match=r"a.npz: .*holds 2 arrays, and none is called data"):
        sidecar.read_landmarks(tmp_path / "a.npy", 4)
    (tmp_path / "a.npz").write_bytes(b"PK no archive")
    with pytest.raises(InputError, match=r"a.npz: not a readable .npz"):
        sidecar.read_landmarks(tmp_path / "a.npy", 4)


@needs_faces
def test_the_same_mouths_from_sixty_eight_points_of_a_real_clip(tmp_path):
    """MediaPipe's mesh of a clip with frames without a face, its seven points put where the public 68 have them."""
    path = GRID / "s1" / "lrarzn.mpg"
    grey = video.read_grey(path)
    found = detector.detect_landmarks(video.colour_clip(path, 0, 0), MODEL)
    assert 0 < np.isnan(found).all(axis=(1, 2)).sum() < len(found)
    public = np.full((len(found), 68, 2), 1e3, np.float32)  # far off: one wrong index moves the mouth
    for point, place in {
        landmarks.RIGHT_EYE: 36,
        landmarks.LEFT_EYE: 45,
        landmarks.NOSE: 33,
        landmarks.RIGHT_CORNER: 48,
        landmarks.LEFT_CORNER: 54,
        landmarks.UPPER_LIP: 62,
        landmarks.LOWER_LIP: 66,
    }.items():
        public[:, place] = found[:, point]
    np.savez(tmp_path / "lrarzn.npz", data=public)
    read = sidecar.read_landmarks(tmp_path / "lrarzn.npy", len(grey))
    np.testing.assert_array_equal(read, found)
    expected, actual = roi.align(grey, found, 96), roi.align(grey, read, 96)
    np.testing.assert_array_equal(actual[0], expected[0])
    assert actual[1:] == expected[1:]


@needs_faces
def test_a_second_run_needs_no_detector(tmp_path, monkeypatch):
    """The landmarks that mediapipe found serve as sidecars, and another run of mediapipe; the mouths are the same."""
    clip = Clip("s1/bbaf4p", "s1/bbaf4p.mpg", "s1", "test", "bin", -1, 0, 30)
    detected = Region(kind="landmarks", landmarks="mediapipe", size=96)
    first, quality = Cutter(GRID, detected, MODEL).cut(clip)
    keeping = Cutter(GRID, detected, MODEL, tmp_path)
    kept, _ = keeping.cut(clip)
    monkeypatch.setattr(detector, "detect_landmarks", None)
    again = keeping.cut(clip)
    taken = Cutter(GRID, detected.model_copy(update={"landmarks": "sidecar"}), folder=tmp_path).cut(clip)
    for rois, measured in ((kept, quality), again, taken):
        np.testing.assert_array_equal(rois, first)
        assert measured == quality
    assert [path.name for path in tmp_path.rglob("*.*")] == ["bbaf4p.npy"]
