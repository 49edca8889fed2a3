"""From video files and folders of jpgs to arrays of frames. One decoding thread: the same bytes on every machine."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import av
import numpy as np
from PIL import Image

from pcpg.errors import InputError

PLANAR = {"yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p", "gray", "nv12"}  # plane 0: 8-bit luma
ALREADY_FULL = {"yuvj420p", "yuvj422p", "yuvj444p", "gray"}
FULL_RANGE = 2  # AVCOL_RANGE_JPEG


def decode(path: str | Path) -> Iterator[av.VideoFrame]:
    """Yield the frames of a video file that can be decoded, in order; damaged packets are passed over.

    Raises InputError where the file is missing, is no video, or holds no video stream.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, "no such file")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError):
        raise InputError(path, "not a readable video: empty, cut short, or of another format") from None
    with container:
        if not container.streams.video:
            raise InputError(path, "has no video stream")
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        yield from _decode_packets(container, stream)


def _decode_packets(container, stream) -> Iterator[av.VideoFrame]:
    """Frames of `stream`; a packet that fails is skipped, a container that fails ends the video."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.FFmpegError, OSError):
            return
        if packet is None:
            return
        try:
            frames = packet.decode()
        except (av.FFmpegError, OSError):
            continue
        yield from frames


def grey(frame: av.VideoFrame) -> np.ndarray:
    """Luma of one frame, uint8 (H, W), black 0 and white 255.

    The Y plane is taken as it is stored, twenty times faster than a colour conversion. Video stores black as 16 and
    white as 235 (ITU-R BT.601); a table stretches that to the full range, as jpgs and other corpora have it.
    """
    if frame.format.name not in PLANAR:
        return np.ascontiguousarray(frame.to_ndarray(format="gray"))
    plane = frame.planes[0]
    luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    full = frame.format.name in ALREADY_FULL or frame.color_range == FULL_RANGE
    return luma.copy() if full else _stretch_table()[luma]


def _stretch_table() -> np.ndarray:
    """uint8 (256,): limited-range luma to full range."""
    return np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)


def rgb(frame: av.VideoFrame) -> np.ndarray:
    """One frame as uint8 (H, W, 3). Contiguous: PyAV hands out padded rows, which MediaPipe misreads in silence."""
    return np.ascontiguousarray(frame.to_ndarray(format="rgb24"))


def read_grey(path: str | Path) -> np.ndarray:
    """All decodable frames as uint8 (frames, H, W); none at all is an InputError."""
    return _stack(map(grey, decode(path)), path)


def read_rgb(path: str | Path) -> np.ndarray:
    """All decodable frames as uint8 (frames, H, W, 3); none at all is an InputError."""
    return _stack(map(rgb, decode(path)), path)


def read_jpgs(folder: str | Path, first: int = 0, frames: int = 0, mode: str = "L") -> np.ndarray:
    """Frames first .. first + frames - 1 (0-based, jpg numbers are 1-based; frames 0: all) of a folder of jpgs.

    uint8 (found, H, W), or (found, H, W, 3) with mode "RGB". Jpgs that are missing or damaged are left out, so
    found <= frames; none at all is an InputError. Jpgs of another size are resized to that of the first.
    """
    folder = Path(folder)
    if frames:
        numbers = range(first + 1, first + frames + 1)
    else:
        numbers = sorted(number for number in jpg_numbers(folder) if number > first)
    images = []
    for number in numbers:
        try:
            with Image.open(folder / f"{number}.jpg") as image:
                image = image.convert(mode)
        except OSError:
            continue
        images.append(image if not images or image.size == images[0].size else image.resize(images[0].size))
    return _stack((np.asarray(image) for image in images), folder)


def read_clip(path: Path, first: int, frames: int) -> np.ndarray:
    """Grey frames `first` .. `first` + `frames` - 1 (frames 0: all) of a video file or a folder of jpgs, as they exist.

    uint8 (found, H, W); InputError where none exists.
    """
    if path.is_dir():
        return read_jpgs(path, first, frames)
    images = read_grey(path)
    if first >= len(images):
        raise InputError(path, f"has {len(images)} frames, the clip begins at frame {first} (from 0)")
    return images[first : first + frames if frames else None]


def colour_clip(path: Path, first: int, frames: int) -> Iterable[np.ndarray]:
    """The frames of read_clip as uint8 (H, W, 3): one at a time from a file, for colour takes three times the room."""
    if path.is_dir():
        return read_jpgs(path, first, frames, mode="RGB")
    return islice(map(rgb, decode(path)), first, first + frames if frames else None)


def jpg_numbers(folder: Path) -> list[int]:
    """The numbers of the files <number>.jpg in `folder`, unsorted; empty where there is no such folder."""
    if not folder.is_dir():
        return []
    return [int(path.stem) for path in folder.glob("*.jpg") if path.stem.isdecimal()]


def _stack(images: Iterable[np.ndarray], path: str | Path) -> np.ndarray:
    images = list(images)
    if not images:
        raise InputError(path, "no frame could be decoded")
    if any(image.shape != images[0].shape for image in images):
        raise InputError(path, "the size of the frames changes within the video")
    return np.stack(images)
