"""From video files and folders of jpgs to arrays of frames. One decoding thread: the same bytes on every machine.

A picture is as a player shows it: of the main stream, turned and mirrored as the file says, with square pixels.
"""

import math
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.stream import Disposition
from PIL import Image, ImageOps

from pcpg.corpora.base import RATE
from pcpg.corpora.folders import picture_files
from pcpg.workspace.errors import OPEN_FILES, InputError, shortage
from pcpg.workspace.files import no_file

PLANAR = {"yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p", "gray", "nv12"}  # plane 0: 8-bit luma
ALREADY_FULL = {"yuvj420p", "yuvj422p", "yuvj444p", "gray"}
FULL_RANGE = 2  # AVCOL_RANGE_JPEG
SLACK = 0.02  # of a frame's time: file formats round it; 24 and 26 a second are 0.04 off
NO_TIME = 1e-6  # s: less than any time between frames, more than an error of rounding
TEXT = "tty"  # FFmpeg's format that draws the lines of a .txt as pictures
NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
WIDEST = 16  # times their height; wider pixels would fill the memory
STRETCH = np.rint((np.arange(256) - 16) * (255 / 219)).clip(0, 255).astype(np.uint8).tobytes()
ASKEW = 0.01  # share of the other axis that a quarter turn may have by rounding


def decode_video(path: str | Path) -> Iterator[av.VideoFrame]:
    """Yield the frames of a video's main stream that can be decoded, in order; damaged packets are passed over.

    Raises InputError where the file is missing, is no video, holds no video stream or turns its pictures askew.
    """
    with _open_film(path) as (container, stream):
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        aspect = pixel_aspect(stream)
        if not 1 / WIDEST <= aspect <= WIDEST:
            raise InputError(path, f"its header makes pixels {aspect.numerator}:{aspect.denominator} wide")
        for frame in _decode_packets(container, stream):
            matrix = np.abs(_display_matrix(frame))
            if min(matrix[0, 0] + matrix[1, 1], matrix[0, 1] + matrix[1, 0]) > ASKEW * matrix.sum():
                raise InputError(path, "its header turns the picture by no whole number of quarter turns")
            yield frame if aspect == 1 else frame.reformat(width=max(round(frame.width * aspect), 1))


def describe_stream(path: str | Path) -> tuple[str, list[str]]:
    """The main stream in words, and what a viewer should know of how it is read."""
    with _open_film(path) as (container, stream):
        rate = f"{float(stream.average_rate):.2f} frames/s" if stream.average_rate else "frames at no stated rate"
        text = f"stream {stream.index}: {stream.codec_context.name}, {stream.width} x {stream.height} pixels, {rate}"
        aspect = pixel_aspect(stream)
        text += "" if aspect == 1 else f", pixels {aspect.numerator}:{aspect.denominator}"
        films = len(_films(container))
    first = next(decode_video(path), None)
    remarks = [f"one of {films} films in this file"] if films > 1 else []
    if first is not None and first.interlaced_frame:
        remarks.append("interlaced: the two half pictures of a frame are read as one")
    return text, remarks


def pixel_aspect(stream) -> Fraction:
    """Width of a pixel over its height; 1 where the file does not say."""
    return stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or Fraction(1)


@contextmanager
def _open_film(path: str | Path) -> Iterator[tuple]:
    """The container and its main stream: the largest picture of those that last at least half as long as the longest.

    The flag `default` settles between equals; writers of MP4 give it to whatever comes first.
    """
    with _open(path) as container:
        pictures = container.streams.video
        films = [] if container.format.name == TEXT else _films(container)
        if not films:
            raise InputError(path, "has no video stream" + (" but a picture" if pictures else ""))
        films = [stream for stream in films if stream.codec_context]
        if not films:
            raise InputError(path, "its video stream is of a format that cannot be decoded here")
        seconds = _seconds(path, films)
        long = [stream for stream in films if 2 * seconds[stream.index] >= max(seconds.values())]
        default = Disposition.default
        yield container, max(long, key=lambda film: (film.width * film.height, bool(film.disposition & default)))


def _open(path: str | Path):
    _check_is_file(path)
    try:
        return av.open(f"file:{path}", metadata_errors="replace")  # a name such as 10:30.mp4 would be an address
    except PermissionError:
        raise InputError(path, "no permission to read it") from None
    except (av.FFmpegError, OSError) as error:
        if error.errno in OPEN_FILES:  # the file is not to blame
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from None
        raise InputError(path, "not a readable video: empty, cut short, or of another format") from None


def _films(container) -> list:
    return [stream for stream in container.streams.video if not stream.disposition & NO_FILM]


def _seconds(path: str | Path, films: list) -> dict[int, float]:
    """How long each film lasts, by its packets where there are several: not every header says so."""
    times: dict[int, list[float]] = {stream.index: [] for stream in films}
    if len(films) > 1:
        with _open(path) as container:
            for packet in _packets(container.demux([container.streams[index] for index in times])):
                if packet.pts is not None:
                    times[packet.stream.index].append(float(packet.pts * packet.time_base))
    return {index: max(known, default=0.0) - min(known, default=0.0) for index, known in times.items()}


def _check_is_file(path: str | Path) -> None:
    text = str(path)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", text) and not Path(text).exists():
        raise InputError(
            re.sub(":/+", "://", text, count=1), "is an address; download it, a video file is expected here"
        )
    if not Path(text).is_file():
        raise InputError(path, no_file(Path(text)) + ("; a video file is expected here" if Path(text).is_dir() else ""))


def _decode_packets(container, stream) -> Iterator[av.VideoFrame]:
    """Frames of `stream`; a packet that fails is skipped, a container that fails ends the video."""
    for packet in _packets(container.demux(stream)):
        with suppress(av.FFmpegError, OSError):
            yield from packet.decode()


def _packets(packets: Iterator) -> Iterator:
    """The packets up to the first that cannot be read."""
    with suppress(av.FFmpegError, OSError):
        yield from packets


def grey(frame: av.VideoFrame) -> np.ndarray:
    """Luma of one frame, uint8 (H, W), upright, black 0 and white 255.

    The Y plane is taken as it is stored, twenty times faster than a colour conversion. Video stores black as 16 and
    white as 235 (ITU-R BT.601); a table stretches that to the full range, as jpgs and other corpora have it.
    """
    if frame.format.name not in PLANAR:
        return _upright(frame.to_ndarray(format="gray"), frame)
    plane = frame.planes[0]
    luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    if frame.format.name in ALREADY_FULL or frame.color_range == FULL_RANGE:
        return _upright(luma.copy(), frame)
    full = luma.tobytes().translate(STRETCH)  # five times faster than an array as an index
    return _upright(np.frombuffer(full, np.uint8).reshape(luma.shape), frame)


def rgb(frame: av.VideoFrame) -> np.ndarray:
    """One frame as uint8 (H, W, 3), upright.

    Contiguous: PyAV hands out padded rows, which MediaPipe misreads without an error.
    """
    return _upright(frame.to_ndarray(format="rgb24"), frame)


def _display_matrix(frame: av.VideoFrame) -> np.ndarray:
    """(2, 2): where the header wants the picture's step to the right (row 0) and down (row 1), each as right, down."""
    data = frame.side_data.get(Type.DISPLAYMATRIX)
    if data is None:  # in nearly all videos
        return np.eye(2)
    matrix = np.frombuffer(data, "=i4")[[0, 1, 3, 4]].reshape(2, 2) / 65536
    return matrix if matrix.any() else np.eye(2)


def _upright(image: np.ndarray, frame: av.VideoFrame) -> np.ndarray:
    """`image`, contiguous, turned and mirrored as the file says: telephones store their pictures lying on a side."""
    (right, down), (right_below, down_below) = _display_matrix(frame)
    if abs(down) > abs(right):
        image, right, down_below = image.swapaxes(0, 1), right_below, down
    return np.ascontiguousarray(image[:: -1 if down_below < 0 else 1, :: -1 if right < 0 else 1])


def read_grey(path: str | Path) -> np.ndarray:
    """All decodable frames as uint8 (frames, H, W); none at all, or another rate than RATE, is an InputError."""
    images, times = [], []
    for frame in decode_video(path):
        images.append(grey(frame))
        times.append(np.nan if frame.time is None else frame.time)
    gap = np.diff(times)
    gap = gap[gap > NO_TIME]
    usual = float(np.median(gap)) if len(gap) else 1 / RATE  # lost frames make some gaps longer
    if not math.isclose(usual, 1 / RATE, rel_tol=SLACK):
        raise InputError(path, f"has {1 / usual:.2f} frames a second; clips are made of {RATE}: convert it first")
    return _stack(images, path)


def read_jpgs(folder: str | Path, first: int = 0, frames: int = 0, mode: str = "L") -> np.ndarray:
    """Frames first .. first + frames - 1 (0-based, jpg numbers are 1-based; frames 0: all) of a folder of jpgs.

    uint8 (F, H, W), or (F, H, W, 3) with mode "RGB". Jpgs that are missing or damaged are left out, so
    F <= frames; none at all is an InputError. Jpgs of another size are resized to that of the first.
    """
    pictures = picture_files(Path(folder))
    last = first + frames if frames else max(pictures, default=0)
    images = []
    for number in sorted(number for number in pictures if first < number <= last):
        try:
            with Image.open(pictures[number]) as image:
                image = ImageOps.exif_transpose(image).convert(mode)
        except Exception as error:  # PIL raises many kinds for a damaged picture, such as SyntaxError
            if shortage(error):
                raise
            continue
        images.append(image if not images or image.size == images[0].size else image.resize(images[0].size))
    return _stack((np.asarray(image) for image in images), folder)


def read_clip(path: Path, first: int, frames: int) -> np.ndarray:
    """Grey frames `first` .. `first` + `frames` - 1 (frames 0: all) of a video file or a folder of jpgs, as they exist.

    uint8 (F, H, W), F <= frames; InputError where none exists.
    """
    if path.is_dir():
        return read_jpgs(path, first, frames)
    images = read_grey(path)
    if first >= len(images):
        raise InputError(path, f"has {len(images)} frames, the clip begins at frame {first} (from 0)")
    return images[first : first + frames if frames else None]


def colour_clip(path: Path, first: int, frames: int) -> Iterable[np.ndarray]:
    """The frames of read_clip as uint8 (H, W, 3): one at a time from a file, as colour takes three times the memory."""
    if path.is_dir():
        return read_jpgs(path, first, frames, mode="RGB")
    return islice(map(rgb, decode_video(path)), first, first + frames if frames else None)


def frame_times(path: str | Path) -> Iterator[float]:
    """Seconds from the first frame to each frame that can be decoded, never falling, one after the other.

    A frame without a time stamp, or at which time starts again (as in two files that were joined), is put at the end of
    the frame before it.
    """
    begin, now, over = None, 0.0, 0.0
    for frame in decode_video(path):
        if frame.time is None:
            now = over
        else:
            begin = frame.time - over if begin is None or frame.time - begin < now - NO_TIME else begin
            now = max(now, frame.time - begin)
        yield now
        over = now + (float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 1 / RATE)


def nearest_frames(seconds: np.ndarray) -> np.ndarray:
    """The number of the frame nearest in time to each tick of RATE a second: int64 (ticks,), never falling.

    seconds (frames,): when each frame is shown, the first at 0. Frames that come RATE a second are taken as they are.
    """
    frames = len(seconds)
    whole = seconds[-1] * frames / max(frames - 1, 1)  # the last frame lasts as long as the mean of the others
    ticks = np.arange(max(round(whole * RATE), 1)) / RATE
    between = (seconds[:-1] + seconds[1:]) / 2
    return np.searchsorted(between + NO_TIME, ticks)  # a tick half-way goes to the earlier frame


def frames_at(path: str | Path, numbers: np.ndarray) -> Iterator[av.VideoFrame]:
    """Frame `numbers` (never falling, from 0) of a video file; a number that comes twice yields its frame twice."""
    counts = np.bincount(numbers).tolist()
    for frame, count in zip(decode_video(path), counts, strict=False):  # the frames after the last number are left out
        yield from [frame] * count


def grey_at(path: str | Path, numbers: np.ndarray) -> np.ndarray:
    """Frame `numbers` of a video file as uint8 (len(numbers), H, W)."""
    return _stack(map(grey, frames_at(path, numbers)), path)


def _stack(images: Iterable[np.ndarray], path: str | Path) -> np.ndarray:
    images = list(images)
    if not images:
        raise InputError(path, "no frame could be decoded")
    if any(image.shape != images[0].shape for image in images):
        raise InputError(path, "the size of the frames changes within the video")
    return np.stack(images)
