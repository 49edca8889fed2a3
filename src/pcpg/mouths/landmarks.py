"""Seven points of a face per video frame: found by MediaPipe (or read by sidecar.py), then repaired and smoothed.

An array of landmarks is float32 (frames, 7, 2): x to the right and y down in pixels of the video, the centre of the
pixel frames[t, y, x] at (x, y); NaN where no face was found. Left and right are those of the person.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pcpg.workspace.errors import InputError

RIGHT_EYE, LEFT_EYE, NOSE, RIGHT_CORNER, LEFT_CORNER, UPPER_LIP, LOWER_LIP = range(7)
MESH = (33, 263, 2, 61, 291, 13, 14)  # the same in MediaPipe's mesh of 478: outer corners of the eyes, foot of the nose
FRAME_MS = 40  # VIDEO mode wants rising timestamps; all three corpora have 25 frames/s


def detect(frames_rgb: Iterable[np.ndarray], model: Path) -> np.ndarray:
    """Landmarks of the frames uint8 (H, W, 3), by MediaPipe's FaceLandmarker in VIDEO mode on one CPU thread.

    The landmarker tracks, so it carries state: a new one for each clip keeps a clip independent of the one before.
    Raises InputError where MediaPipe cannot be loaded or the model file cannot be used.
    """
    mediapipe, vision = _load_mediapipe()
    rows = []
    with _quiet(), _open_landmarker(vision, Path(model)) as landmarker:
        for number, frame in enumerate(frames_rgb):
            # a view with padded rows is accepted by MediaPipe, and then finds no face at all
            image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(frame))
            faces = landmarker.detect_for_video(image, number * FRAME_MS).face_landmarks
            rows.append(_seven_points(faces[0], *frame.shape[:2]) if faces else np.full((7, 2), np.nan))
    return np.array(rows, np.float32).reshape(-1, 7, 2)


def check(model: Path | None) -> None:
    """Raise InputError unless `detect` can work here: MediaPipe loads and accepts the model file."""
    if model is None:
        raise InputError("landmarks: mediapipe", "needs a model file (face_landmarker.task)")
    _, vision = _load_mediapipe()
    with _quiet():
        _open_landmarker(vision, Path(model)).close()


def _load_mediapipe():
    """Import on first use: it takes 0.3 s, needs system libraries, and only real faces need it."""
    try:
        import mediapipe
        from mediapipe.tasks.python import vision
    except (ImportError, OSError) as error:
        raise InputError("mediapipe", f"cannot be loaded ({error}); on Debian: apt install libgl1 libegl1") from None
    return mediapipe, vision


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing on file descriptor 2 meanwhile: MediaPipe's C++ writes five lines a clip, and heeds no log level."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _open_landmarker(vision, model: Path):
    from mediapipe.tasks.python import BaseOptions

    if not model.is_file():
        raise InputError(model, "no such file; the face landmark model is needed here")
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model), delegate=BaseOptions.Delegate.CPU),
        running_mode=vision.RunningMode.VIDEO,
        num_faces=1,
    )
    try:
        return vision.FaceLandmarker.create_from_options(options)
    except (RuntimeError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(model, f"MediaPipe cannot use it as a face landmark model: {reason}") from None


def _seven_points(face, height: int, width: int) -> np.ndarray:
    """(7, 2) in pixels; MediaPipe's 0..1 runs from edge to edge of the image, hence the half pixel."""
    return np.array([(face[point].x * width - 0.5, face[point].y * height - 0.5) for point in MESH])


def repair(landmarks: np.ndarray) -> tuple[np.ndarray, int]:
    """Fill frames with any NaN linearly in time, ends with the nearest good frame; and the number of frames filled.

    Where no frame is good nothing can be filled: the array comes back as it is, and the caller excludes the clip.
    """
    good = np.isfinite(landmarks).all(axis=(1, 2))
    if good.all() or not good.any():
        return landmarks, 0
    times, known = np.arange(len(landmarks)), np.flatnonzero(good)
    columns = landmarks.reshape(len(landmarks), -1)
    filled = np.stack([np.interp(times, known, column[known]) for column in columns.T], axis=1)
    return filled.reshape(landmarks.shape).astype(np.float32), int((~good).sum())


def smooth(landmarks: np.ndarray, window: int = 12) -> np.ndarray:
    """Moving average over the frames t - window // 2 .. t + window // 2 (the window of auto_avsr).

    Near the ends both halves shrink alike, so that a steady movement is not bent: frames 0 and -1 stay as they are.
    """
    frames = len(landmarks)
    times = np.arange(frames)
    half = np.minimum(window // 2, np.minimum(times, frames - 1 - times))
    total = np.zeros((frames + 1, *landmarks.shape[1:]))
    np.cumsum(landmarks, axis=0, dtype=np.float64, out=total[1:])
    widths = (2 * half + 1).reshape(-1, 1, 1)
    return ((total[times + half + 1] - total[times - half]) / widths).astype(np.float32)
