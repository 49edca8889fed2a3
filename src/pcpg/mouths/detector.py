"""Faces by MediaPipe: where its landmark model comes from, and the landmarks that it finds in the frames of a video.

MediaPipe is imported on first use: it takes 0.3 s, needs system libraries, and only real faces need it.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pcpg.corpora.base import RATE
from pcpg.corpora.fetch import Remote, fetch_file
from pcpg.workspace.errors import InputError
from pcpg.workspace.files import locked, no_file

MODEL = Remote(
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task",
    size=3_758_596,
    checksum="sha256:64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
)
PLACE = Path("models/face_landmarker.task")
MESH = (33, 263, 2, 61, 291, 13, 14)  # the seven of landmarks.py in MediaPipe's mesh of 478
FRAME_MS = 1000 // RATE  # VIDEO mode wants rising timestamps


def locate_model(setting: str | None) -> Path | None:
    """The model file that the parameter `landmark_model` means: None, a path, or for "download" PLACE.

    "download" fetches MODEL unless PLACE has its hash already; InputError where it cannot be had. A path is
    returned as it is; check_model says whether it holds a model.
    """
    if setting == "download":
        with locked(PLACE):  # shards that run side by side
            fetch_file(MODEL, PLACE)
        return PLACE
    return Path(setting) if setting else None


def detect_landmarks(frames_rgb: Iterable[np.ndarray], model: Path) -> np.ndarray:
    """Landmarks of the frames uint8 (H, W, 3), by MediaPipe's FaceLandmarker in VIDEO mode on one CPU thread.

    The landmarker tracks, so it carries state: a new one for each clip keeps a clip independent of the one before.
    Raises InputError where MediaPipe cannot be loaded or the model file cannot be used.
    """
    rows = []
    with _landmarker(model) as (landmarker, image_of):
        for number, frame in enumerate(frames_rgb):
            faces = landmarker.detect_for_video(image_of(frame), number * FRAME_MS).face_landmarks
            rows.append(_seven_points(faces[0], *frame.shape[:2]) if faces else np.full((7, 2), np.nan))
    return np.array(rows, np.float32).reshape(-1, 7, 2)


def count_faces(frames_rgb: Iterable[np.ndarray], model: Path) -> int:
    """The most faces, up to 3, in any of some frames, each looked at alone."""
    with _landmarker(model, "IMAGE", faces=3) as (landmarker, image_of):
        return max((len(landmarker.detect(image_of(frame)).face_landmarks) for frame in frames_rgb), default=0)


def check_model(model: Path | None) -> None:
    """Raise InputError unless `detect_landmarks` can work here: MediaPipe loads and accepts the model file."""
    if model is None:
        raise InputError("landmarks: mediapipe", "needs a model file (face_landmarker.task)")
    with _landmarker(model):
        pass


@contextmanager
def _landmarker(model: Path, mode: str = "VIDEO", faces: int = 1) -> Iterator[tuple]:
    """A landmarker, and the function that makes its pictures of frames; nothing reaches file descriptor 2 meanwhile."""
    try:
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision
    except (ImportError, OSError) as error:
        raise InputError("mediapipe", f"cannot be loaded ({error}); on Debian: apt install libgl1 libegl1") from None
    if not model.is_file():
        raise InputError(model, f"{no_file(model)}; the face landmark model is needed here")
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model), delegate=BaseOptions.Delegate.CPU),
        running_mode=vision.RunningMode[mode],
        num_faces=faces,
    )

    def image_of(frame: np.ndarray):
        # contiguous: of a view with padded rows MediaPipe makes a picture in which it finds no face at all
        return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(frame))

    with _quiet():
        try:
            landmarker = vision.FaceLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(model, f"MediaPipe cannot use it as a face landmark model: {reason}") from None
        with landmarker:
            yield landmarker, image_of


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing on file descriptor 2 meanwhile: MediaPipe's C++ writes five lines a clip, whatever the log level."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _seven_points(face, height: int, width: int) -> np.ndarray:
    """(7, 2) in pixels; MediaPipe's 0..1 runs from edge to edge of the image, hence the half pixel."""
    return np.array([(face[point].x * width - 0.5, face[point].y * height - 0.5) for point in MESH])
