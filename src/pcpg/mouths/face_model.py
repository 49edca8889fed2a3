"""Where MediaPipe's face landmark model comes from: a file of the user's, or one download of the release we tested."""

import time
from collections.abc import Callable
from pathlib import Path

from pcpg.corpora.fetch import Remote, fetch
from pcpg.workspace.files import locked

MODEL = Remote(
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task",
    size=3_758_596,
    checksum="sha256:64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
)
PLACE = Path("models/face_landmarker.task")


def locate(
    setting: str | None, *, place: Path = PLACE, remote: Remote = MODEL, sleep: Callable = time.sleep
) -> Path | None:
    """The model file that the parameter `landmark_model` means: None, a path, or for "download" `place`.

    "download" fetches `remote` unless `place` has its hash already; InputError where it cannot be had. A path is
    taken as it is, and no server is asked: whether it holds a model is for landmarks.check to say.
    """
    if setting == "download":
        with locked(place):  # shards that run side by side
            fetch(remote, place, sleep=sleep)
        return place
    return Path(setting) if setting else None
