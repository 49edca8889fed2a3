"""The drawn face is a face to MediaPipe, with its mouth where the landmarks say, and speech moves it."""

import av
import numpy as np
import pytest

from pcpg.corpora.synthetic.camera import Camera, blinks, sway
from pcpg.corpora.synthetic.crew import stream
from pcpg.corpora.synthetic.english import english_visemes
from pcpg.corpora.synthetic.film import Film, shoot
from pcpg.corpora.synthetic.lips import SHAPE, Manner, trajectory
from pcpg.corpora.synthetic.looks import Look, draw_look
from pcpg.corpora.synthetic.speech import speak
from pcpg.mouths.detector import detect_landmarks
from pcpg.mouths.landmarks import LEFT_CORNER, NOSE, RIGHT_CORNER

CAMERA = Camera(360, 288, 176, 214, 1.0)
TIMES = (np.arange(40) + 0.5) / 25


def look(speaker: int) -> Look:
    return draw_look(stream(11, "speaker", speaker))


def rgb(film: Film) -> list[np.ndarray]:
    return [av.VideoFrame.from_ndarray(frame, format="yuv420p").to_ndarray(format="rgb24") for frame in film.frames]


def talk(speaker: int) -> Film:
    rng = stream(11, "clip", speaker)
    speech = speak([english_visemes(word) for word in ("bin", "white", "by", "f", "two", "now")], 1.2, rng)
    return shoot(look(speaker), trajectory(speech, 0.1, TIMES, Manner(1.2, 1, 1)), CAMERA, rng)


def still(**shape: float) -> Film:
    """Film one frame of one speaker with the given lip shape."""
    values = np.array([[shape.get(row, 0.0)] for row in SHAPE], np.float32)
    return shoot(look(0), values, CAMERA, stream(11, "still"))


@pytest.mark.parametrize("speaker", range(6))
def test_mediapipe_finds_the_mouth_where_it_was_drawn(root, speaker):
    model = root.parent / "shared" / "models" / "face_landmarker.task"
    if not model.is_file():
        pytest.skip("no face landmark model beside the repository")
    film = talk(speaker)
    found = detect_landmarks(rgb(film), model)
    assert np.isfinite(found).all()
    corners = [RIGHT_CORNER, LEFT_CORNER]
    errors = np.linalg.norm(found[:, corners] - film.landmarks[:, corners], axis=2)  # pixels
    assert (np.median(errors, axis=0) < 2).all()
    assert errors.max() < 5  # the detector follows rounded lips late, and not all the way
    nose = np.linalg.norm(found[:, NOSE] - film.landmarks[:, NOSE], axis=1)
    assert np.median(nose) < 2.5  # the silent part of the face moves with the mouth


def test_an_open_mouth_is_dark_and_its_landmarks_apart():
    opened, closed = still(open=1.0), still()
    x, y = np.rint(opened.landmarks[0, 5:].mean(axis=0)).astype(int)
    dark, lips = (rgb(film)[0][y + 2, x - 2 : x + 3].mean() for film in (opened, closed))
    assert dark < 0.6 * lips
    gaps = [np.linalg.norm(film.landmarks[0, 6] - film.landmarks[0, 5]) for film in (opened, closed)]
    assert gaps[0] > 14
    assert gaps[1] == pytest.approx(0, abs=1e-4)


def test_rounding_narrows_and_smiling_widens():
    def width(film: Film) -> float:
        return float(np.linalg.norm(film.landmarks[0, LEFT_CORNER] - film.landmarks[0, RIGHT_CORNER]))

    assert width(still(round=1.0)) < 0.8 * width(still()) < 0.8 * 0.9 * width(still(wide=1.0))


def test_teeth_are_bright_and_the_tongue_is_red():
    dark = still(open=0.6)
    x, top, bottom = np.rint([*dark.landmarks[0, 5], dark.landmarks[0, 6, 1]]).astype(int)

    def colour(film: Film, rows: slice) -> np.ndarray:
        return rgb(film)[0][rows, x - 4 : x + 5].reshape(-1, 3).mean(axis=0)

    behind_the_lip, above_the_lip = slice(top + 1, top + 5), slice(bottom - 5, bottom - 2)
    assert colour(still(open=0.6, teeth=1.0), behind_the_lip).min() > colour(dark, behind_the_lip).max() + 40
    tongue = colour(still(open=0.6, tongue=0.6), above_the_lip)
    assert tongue[0] > colour(dark, above_the_lip)[0] + 30
    assert tongue[0] > tongue[1] + 40


def test_the_jaw_drops_with_the_lips():
    """The chin's outline is lower in a wide open mouth than in a closed one."""
    x, y = np.rint(still().landmarks[0, 5]).astype(int)

    def chin(film: Film) -> int:
        column = rgb(film)[0][y + 20 : y + 62, x - 3 : x + 4].mean(axis=(1, 2))
        return int(np.argmin(np.diff(column)))  # from lit skin to the neck's shadow

    assert chin(still(open=1.0)) >= chin(still()) + 4


def test_the_head_moves_little_and_keeps_its_shape():
    motion = np.concatenate([sway(75, stream(11, "sway", clip)) for clip in range(20)])
    np.testing.assert_array_equal(motion[:, 0, 0], motion[:, 1, 1])
    np.testing.assert_array_equal(motion[:, 1, 0], -motion[:, 0, 1])
    assert np.abs(np.sqrt(np.linalg.det(motion)) - 1).max() < 0.08
    steps = np.linalg.norm(motion[1:75, :2, 2] - motion[:74, :2, 2], axis=1)
    assert 0 < steps.max() < 2  # head units a frame, at the mouth
    assert np.linalg.norm(motion[:, :2, 2], axis=1).max() < 14


def test_eyes_blink_every_few_seconds():
    lids = blinks(25 * 200, stream(11, "blinks"))
    shut = np.diff((lids == 2).astype(int)) == 1
    assert 40 < shut.sum() < 120
    assert (lids == 0).mean() > 0.85


def test_speakers_look_different():
    one, other = look(1), look(2)
    assert one == look(1)
    assert one.skin != other.skin
    assert one.mouth_width != other.mouth_width
