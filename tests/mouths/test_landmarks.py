"""Landmarks: repair and smoothing against plain loops, side files, and MediaPipe on real faces."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from pcpg.mouths import detector, landmarks, video
from pcpg.workspace.errors import InputError

SHARED = Path(__file__).parents[3] / "shared"
GRID, MODEL = SHARED / "grid", SHARED / "models" / "face_landmarker.task"
needs_faces = pytest.mark.skipif(
    not (GRID.is_dir() and MODEL.is_file()), reason="no real GRID clips or face model beside the repository"
)


def random_points(frames, seed=0):
    return np.random.default_rng(seed).uniform(0, 300, (frames, 7, 2)).astype(np.float32)


def repair_by_loop(points):
    points = points.copy()
    good = [t for t in range(len(points)) if np.isfinite(points[t]).all()]
    for t in range(len(points)):
        if t in good:
            continue
        before = max((g for g in good if g < t), default=good[0])
        after = min((g for g in good if g > t), default=good[-1])
        share = 0.0 if after <= before else (t - before) / (after - before)
        if t > good[-1]:
            before, share = good[-1], 0.0
        points[t] = points[before] * (1 - share) + points[after] * share
    return points


@pytest.mark.parametrize("holes", [[], [0, 1, 2], [5], [5, 6, 7, 11], [18, 19], [0, 9, 10, 19], list(range(1, 20))])
def test_repair_agrees_with_a_loop(holes):
    points = random_points(20)
    points[holes] = np.nan
    repaired, count = landmarks.repair(points)
    assert count == len(holes) and repaired.dtype == np.float32
    np.testing.assert_allclose(repaired, repair_by_loop(points), atol=1e-3)


def test_repair_of_one_lost_point_and_of_no_face():
    points = random_points(5)
    points[2, 3, 0] = np.nan
    repaired, count = landmarks.repair(points)
    assert count == 1 and np.isfinite(repaired).all()
    nothing = np.full((5, 7, 2), np.nan, np.float32)
    assert landmarks.repair(nothing)[1] == 0 and np.isnan(landmarks.repair(nothing)[0]).all()


@pytest.mark.parametrize("frames", [1, 2, 9, 30])
def test_smooth_agrees_with_a_loop(frames):
    points = random_points(frames)
    expected = np.empty_like(points)
    for t in range(frames):
        half = min(6, t, frames - 1 - t)
        expected[t] = points[t - half : t + half + 1].mean(axis=0)
    np.testing.assert_allclose(landmarks.smooth(points), expected, atol=1e-3)


def test_smooth_keeps_a_steady_movement():
    points = np.arange(40, dtype=np.float32)[:, None, None] + random_points(1)
    np.testing.assert_allclose(landmarks.smooth(points), points, atol=1e-3)


def test_model_is_checked(tmp_path):
    with pytest.raises(InputError, match="none.task: no such file"):
        detector.check_model(tmp_path / "none.task")
    (tmp_path / "bad.task").write_bytes(b"not a model")
    with pytest.raises(InputError, match="bad.task: MediaPipe cannot use it"):
        detector.check_model(tmp_path / "bad.task")
    with pytest.raises(InputError, match="needs a model file"):
        detector.check_model(None)


@needs_faces
def test_real_faces_quietly_and_whatever_came_before(capfd):
    frames = list(islice(map(video.rgb, video.decode_video(GRID / "s1/bbaf4p.mpg")), 10))
    first = detector.detect_landmarks(frames, MODEL)
    assert first.shape == (10, 7, 2) and np.isfinite(first).all()
    right, left = first[:, landmarks.RIGHT_CORNER], first[:, landmarks.LEFT_CORNER]
    assert ((left - right)[:, 0] > 25).all() and (first[:, landmarks.RIGHT_EYE, 1] < right[:, 1] - 40).all()
    detector.detect_landmarks([np.zeros_like(frames[0])] * 2 + frames[5:], MODEL)
    np.testing.assert_array_equal(detector.detect_landmarks(frames, MODEL), first)
    assert capfd.readouterr().err == ""


@needs_faces
def test_frames_without_a_face_and_padded_rows():
    assert np.isnan(detector.detect_landmarks([np.full((96, 128, 3), 128, np.uint8)] * 2, MODEL)).all()
    frame = next(iter(video.decode_video(GRID / "s1/bbaf4p.mpg"))).to_ndarray(format="rgb24")
    assert np.isfinite(detector.detect_landmarks([frame], MODEL)).all()  # rows padded by PyAV once gave no face at all
    assert detector.detect_landmarks([], MODEL).shape == (0, 7, 2)
