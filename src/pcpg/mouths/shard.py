"""Stage `shard`: from clips of a manifest to packed mouths, one array of frames and tables that describe it."""

import math
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
from tqdm import tqdm

from pcpg.corpora.base import Clip, Excluded, reasons
from pcpg.mouths import detector, roi, sidecar, video, windows
from pcpg.mouths.store import IndexRow, Quality, Region, npy_header
from pcpg.workspace.errors import InputError, shortage
from pcpg.workspace.pool import in_order
from pcpg.workspace.rows import write_rows

Made = tuple[np.ndarray, Quality]  # ROIs uint8 (T, size, size), and how well they could be made


@dataclass(frozen=True)
class Cutter:
    """Cuts the mouths out of a corpus' videos, one clip at a time; can be pickled, for other processes."""

    root: Path  # the corpus
    region: Region
    model: Path | None = None  # MediaPipe's face_landmarker.task, for landmarks: mediapipe
    folder: Path | None = None  # of <clip>.npy: sidecars (None: root/landmarks), or where mediapipe's are kept

    def check(self) -> None:
        """InputError for what would fail for every clip."""
        if not self.root.is_dir():
            raise InputError(self.root, "no such folder")
        if self.region.landmarks == "mediapipe":
            detector.check_model(self.model)

    def cut(self, clip: Clip) -> Made | Excluded:
        """ROIs and Quality of one clip; Excluded with the reason where it cannot be used."""
        path = self.root / clip.video
        try:
            frames = video.read_clip(path, clip.first, clip.frames)
            missing = max(clip.frames - len(frames), 0)
            rois, faceless, interpolated, jitter, scale = self._align(clip, frames)
        except MemoryError:
            raise MemoryError(path) from None
        except (ValueError, OSError, RuntimeError, av.FFmpegError) as error:  # InputError is a ValueError
            if shortage(error) or self._not_kept(error):
                raise
            return Excluded(clip.clip, "clips", self._reason(error, clip))
        return rois, Quality(clip.clip, len(rois), faceless, interpolated, missing, round(jitter, 3), round(scale, 4))

    def _align(self, clip: Clip, frames: np.ndarray) -> roi.Aligned:
        size = self.region.size
        if self.region.kind == "landmarks":
            return roi.align(frames, self._landmarks(clip, len(frames)), size)
        if self.region.kind == "box":
            rois, width = roi.lrw_box(frames, size), roi.LRW_COLUMNS[1] - roi.LRW_COLUMNS[0]
        else:
            rois, width = roi.resize(frames, size), frames.shape[2]
        return roi.Aligned(rois, faceless=0, interpolated=0, jitter=math.nan, scale=size / width)

    def _landmarks(self, clip: Clip, frames: int) -> np.ndarray:
        """Landmarks (frames, 7, 2): a sidecar's, or MediaPipe's, which `folder` keeps for the next time."""
        if self.region.landmarks == "sidecar":
            return sidecar.read_landmarks((self.folder or self.root / "landmarks") / f"{clip.clip}.npy", frames)
        kept = self.folder and self.folder / f"{clip.clip}.npy"
        if kept and kept.is_file():
            return sidecar.read_landmarks(kept, frames)
        pictures = video.colour_clip(self.root / clip.video, clip.first, clip.frames)
        points = detector.detect_landmarks(pictures, self.model)
        if kept:
            sidecar.write_landmarks(kept, points)
        return points

    def _not_kept(self, error: Exception) -> bool:
        """Whether landmarks were found and could not be written, which is no fault of the clip."""
        named = getattr(error, "filename", None)
        return self.folder is not None and named is not None and Path(named).is_relative_to(self.folder)

    def _reason(self, error: Exception, clip: Clip) -> str:
        """One line without the path to the corpus, which differs from machine to machine."""
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        return text.replace(f"{self.root}/", "").removeprefix(f"{clip.video}: ")


def make_shard(clips: list[Clip], out: Path, cutter: Cutter, workers: int, in_windows: bool = False) -> None:
    """Write frames.npy, index.csv, quality.csv and excluded.csv for `clips` into the folder `out`.

    in_windows: clips are windows of longer ones, by the names of which landmarks are kept.
    The bytes do not depend on `workers`. A clip that fails is listed in excluded.csv, also where all do.
    """
    cutter.check()
    results = _windows(cutter, clips, workers) if in_windows else in_order(cutter.cut, clips, workers)
    pack(clips, tqdm(results, "clips", len(clips), unit="clip"), out, cutter.region.size)


def _windows(cutter: Cutter, clips: list[Clip], workers: int) -> Iterator[Made | Excluded | None]:
    """The result of each clip, cut from the longer one's; the longer one's own where that cannot be used."""
    groups = windows.wholes(clips)
    results = in_order(cutter.cut, [whole for whole, _ in groups], workers)
    for (_, inside), result in zip(groups, results, strict=True):
        for clip in inside:
            if isinstance(result, Excluded):
                yield replace(result, clip=clip.clip)
            else:
                yield result and windows.cut(*result, clip)


def pack(clips: list[Clip], results: Iterable[Made | Excluded | None], out: Path, size: int) -> None:
    """Write the files of a shard as the `results` of Cutter.cut come in, one a clip; None: the process crashed."""
    out.mkdir(parents=True, exist_ok=True)
    index, quality, excluded = [], [], []
    with open(out / "frames.npy", "wb") as file:
        file.write(npy_header(0, size))
        total = 0
        for clip, result in zip(clips, results, strict=True):
            if result is None:
                result = Excluded(clip.clip, "clips", "the process that read it crashed")
            if isinstance(result, Excluded):
                excluded.append(result)
                continue
            frames, measured = result
            pixels = frames.tobytes()
            file.write(pixels)
            where = (total, len(frames), zlib.crc32(pixels))
            index.append(IndexRow(clip.clip, clip.speaker, clip.split, clip.text, clip.label, *where))
            quality.append(measured)
            total += len(frames)
        file.seek(0)
        file.write(npy_header(total, size))
    write_rows(out / "index.csv", IndexRow, index)
    write_rows(out / "quality.csv", Quality, quality)
    write_rows(out / "excluded.csv", Excluded, excluded)
    print(_summary(quality, excluded), file=sys.stderr)


def _summary(quality: list[Quality], excluded: list[Excluded]) -> str:
    repaired = [row for row in quality if row.interpolated]
    gaps = sum(row.missing > 0 for row in quality)
    text = (
        f"clips: {len(quality)} made ({sum(row.frames for row in quality)} frames); {len(repaired)} of them repaired "
        f"({sum(row.interpolated for row in repaired)} frames); {gaps} lack frames; {len(excluded)} excluded"
    )
    return f"{text}: {reasons(excluded)}" if excluded else text
