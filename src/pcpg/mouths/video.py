"""From video files and folders of jpgs to arrays of frames. One decoding thread: the same bytes on every machine."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import av
import numpy as np
from PIL import Image

from pcpg.workspace.errors import InputError

PLANAR = {"yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p", "gray", "nv12"}  # plane 0: 8-bit luma
ALREADY_FULL = {"yuvj420p", "yuvj422p", "yuvj444p", "gray"}
FULL_RANGE = 2  # AVCOL_RANGE_JPEG
RATE = 25  # frames a second of the corpora, and so of all that is made from them
NO_TIME = 1e-6  # s: less than any time between frames, more than an error of rounding
TEXT = "tty"  # FFmpeg would draw a .txt as pictures of its lines


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
        if not container.streams.video or container.format.name == TEXT:
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
    """Luma of one frame, uint8 (H, W), upright, black 0 and white 255.

    The Y plane is taken as it is stored, twenty times faster than a colour conversion. Video stores black as 16 and
    white as 235 (ITU-R BT.601); a table stretches that to the full range, as jpgs and other corpora have it.
    """
    if frame.format.name not in PLANAR:
        return _upright(frame.to_ndarray(format="gray"), frame)
    plane = frame.planes[0]
    luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    full = frame.format.name in ALREADY_FULL or frame.color_range == FULL_RANGE
    return _upright(luma.copy() if full else _stretch_table()[luma], frame)


def _stretch_table() -> np.ndarray:
    """uint8 (256,): limited-range luma to full range."""
    return np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)


def rgb(frame: av.VideoFrame) -> np.ndarray:
    """One frame as uint8 (H, W, 3), upright.

    Contiguous: PyAV hands out padded rows, which MediaPipe misreads in silence.
    """
    return _upright(frame.to_ndarray(format="rgb24"), frame)


def _upright(image: np.ndarray, frame: av.VideoFrame) -> np.ndarray:
    """`image`, contiguous, by as many quarter turns as the file says: telephones store what they film lying."""
    return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90)))


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


def times(path: str | Path) -> Iterator[float]:
    """Seconds from the first frame to each frame that can be decoded, never falling, one after the other.

    A frame without time stamp follows when the one before is over.
    """
    begin, now, over = None, 0.0, 0.0
    for frame in decode(path):
        if frame.time is None:
            now = over
        else:
            begin = frame.time - over if begin is None else begin
            now = max(now, frame.time - begin)
        yield now
        over = now + (float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 1 / RATE)


def nearest(seconds: np.ndarray) -> np.ndarray:
    """The number of the frame nearest in time to each tick of RATE a second: int64 (ticks,), never falling.

    seconds (frames,): when each frame is shown, the first at 0. Frames that come RATE a second are taken as they are.
    """
    frames = len(seconds)
    whole = seconds[-1] * frames / max(frames - 1, 1)  # the last frame lasts as long as the mean of the others
    ticks = np.arange(max(round(whole * RATE), 1)) / RATE
    between = (seconds[:-1] + seconds[1:]) / 2
    return np.searchsorted(between + NO_TIME, ticks)  # a tick half-way goes to the earlier frame


def taken(path: str | Path, numbers: np.ndarray) -> Iterator[av.VideoFrame]:
    """Frame `numbers` (never falling, from 0) of a video file; a number that comes twice yields its frame twice."""
    counts = np.bincount(numbers).tolist()
    for frame, count in zip(decode(path), counts, strict=False):  # the frames behind the last number are left out
        yield from [frame] * count


def grey_taken(path: str | Path, numbers: np.ndarray) -> np.ndarray:
    """Frame `numbers` of a video file as uint8 (len(numbers), H, W)."""
    return _stack(map(grey, taken(path, numbers)), path)


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
