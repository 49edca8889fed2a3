"""Frames -> video files and jpgs; one thread and fixed settings, so the same frames give the same file."""

from pathlib import Path

import av
import numpy as np
from PIL import Image

from pcpg.corpora.base import RATE
from pcpg.corpora.synthetic import ycc


def write_mpg(path: Path, frames: np.ndarray) -> None:
    """Write yuv420p frames (frames, rows * 3 / 2, columns) as MPEG-1 video in an MPEG system stream, like GRID."""
    _write(path, frames, "mpeg", "mpeg1video", {"qmin": "3", "qmax": "8"}, bit_rate=1_200_000)


def write_mp4(path: Path, frames: np.ndarray) -> None:
    """Write yuv420p frames (frames, rows * 3 / 2, columns) as H.264 in MP4, like LRW."""
    _write(path, frames, "mp4", "libx264", {"preset": "ultrafast", "crf": "20"}, bit_rate=0)


def write_jpgs(folder: Path, frames: np.ndarray) -> None:
    """Write yuv420p frames (frames, rows * 3 / 2, columns) as folder/1.jpg, folder/2.jpg, ..."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, start=1):
        light, *colours = (Image.fromarray(plane) for plane in ycc.full_range(frame))
        planes = [light, *(colour.resize(light.size, Image.Resampling.NEAREST) for colour in colours)]
        Image.merge("YCbCr", planes).save(folder / f"{number}.jpg", quality=90)  # which halves the colours again


def _write(path: Path, frames: np.ndarray, container: str, codec: str, options: dict[str, str], bit_rate: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1] * 2 // 3, "yuv420p"
        stream.codec_context.thread_count = 1
        if bit_rate:
            stream.bit_rate = bit_rate
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="yuv420p")))
        file.mux(stream.encode(None))
