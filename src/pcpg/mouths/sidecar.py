"""Landmarks from a file beside the video: seven points a frame or the public 68, .npy or .npz. Nothing is unpickled.

The header of a file is checked against the video before any memory is allocated, so that a file with a false header
costs no more memory than its own size.
"""

import io
import math
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pcpg.workspace.errors import InputError, shortage
from pcpg.workspace.files import atomic_file

# The seven of detector.MESH among the 68 points of iBUG 300-W (dlib, face-alignment), counted from 0: the outer
# corners of the eyes, the foot of the nose between the nostrils (the tip is 30), corners of the mouth, inner lips
SIXTY_EIGHT = (36, 45, 33, 48, 54, 62, 66)
LARGEST = 1 << 24  # bytes: 10 minutes of video with 68 points
PIXELS = 1e5  # no video is as wide
PICKLED = "holds pickled Python objects, which are never loaded here; docs/corpora.md says how to convert them"


def read_landmarks(path: str | Path, frames: int) -> np.ndarray:
    """Landmarks float32 (frames, 7, 2) in pixels of the video, NaN where a frame has none.

    `path` ends in .npy; where it does not exist, the .npz beside it is taken: its array "data", or its only one. The
    array is (frames, 7, 2) or (frames, 68, 2). InputError that names the file for anything else.
    """
    path = _existing(Path(path))
    try:
        data = _member(path) if path.suffix == ".npz" else _bounded(path.open("rb"))
    except Exception as error:  # a damaged archive raises what zipfile, zlib, lzma, struct and codecs raise
        if shortage(error):
            raise
        problem = str(error)[:100] or type(error).__name__
        raise InputError(path, f"not a readable {path.suffix} file: {problem}") from None
    points = _array(data, path, [(frames, 7, 2), (frames, 68, 2)])
    return _pixels(points[:, SIXTY_EIGHT] if points.shape[1] == 68 else points, path)


def write_landmarks(path: str | Path, points: np.ndarray) -> None:
    """Keep landmarks (frames, 7, 2) where read_landmarks finds them, atomically."""
    with atomic_file(path) as temporary, open(temporary, "wb") as file:
        np.save(file, points.astype(np.float32), allow_pickle=False)


def _existing(path: Path) -> Path:
    """`path`, or the .npz beside it; InputError where neither exists."""
    for place in (path, path.with_suffix(".npz")):
        if place.is_file():
            return place
    if path.with_suffix(".pkl").is_file():
        raise InputError(path.with_suffix(".pkl"), PICKLED)
    raise InputError(path, "no such file")


def _bounded(file: BinaryIO) -> bytes:
    """What is in a file; ValueError where it is too much for landmarks, before more than that is in memory."""
    with file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"over {LARGEST:,} bytes, far too many for landmarks")
    return data


def _member(path: Path) -> bytes:
    """The .npy file in an archive that is to be read."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        if "data.npy" not in names and len(names) != 1:
            raise ValueError(f"holds {len(names)} arrays, and none is called data")
        return _bounded(archive.open("data.npy" if "data.npy" in names else names[0]))


def _array(data: bytes, path: Path, shapes: list[tuple[int, int, int]]) -> np.ndarray:
    """The array of numbers in the bytes of a .npy file, if it has one of `shapes`."""
    file = io.BytesIO(data)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        shape, by_columns, kind = readers[np.lib.format.read_magic(file)](file)
    except Exception:  # numpy's reader raises what Python's tokenizer and parser raise
        raise InputError(path, "not a readable .npy array") from None
    if kind.hasobject:
        raise InputError(path, PICKLED)
    if kind.kind not in "fiu":
        raise InputError(path, f"not an array of numbers, but of {kind}")
    if shape not in shapes:
        raise InputError(path, f"has shape {shape}, expected {' or '.join(map(str, shapes))}")
    count = math.prod(shape)
    if len(data) - file.tell() < count * kind.itemsize:
        raise InputError(path, f"not a readable .npy array: cut short before all of {shape} is there")
    return np.frombuffer(data, kind, count, file.tell()).reshape(shape, order="F" if by_columns else "C")


def _pixels(points: np.ndarray, path: Path) -> np.ndarray:
    """float32, NaN where not finite; InputError where the numbers cannot be pixels."""
    with np.errstate(over="ignore", invalid="ignore"):  # numbers too large for 8 bytes become infinite
        points = points.astype(np.float64)
    known = np.abs(points[np.isfinite(points)])
    if known.size and known.max() > PIXELS:
        raise InputError(path, f"its numbers reach {known.max():g}, which no pixel does")
    if known.size and known.max() <= 1:
        raise InputError(path, "its numbers lie within 0 and 1; pixels of the video are expected")
    return np.where(np.isfinite(points), points, np.nan).astype(np.float32)
