"""Stage `shard`: from clips of a manifest to packed mouths, one array of frames and tables that describe it."""

import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import av
import numpy as np
from tqdm import tqdm

from pcpg.corpora.base import Clip, Excluded, reasons
from pcpg.mouths import detector, sidecar, video, windows
from pcpg.mouths import roi as region
from pcpg.mouths.store import IndexRow, Quality, npy_header
from pcpg.workspace.errors import InputError, shortage
from pcpg.workspace.pool import in_order
from pcpg.workspace.rows import write_rows

Made = tuple[np.ndarray, Quality]  # ROIs uint8 (T, size, size), and what their making met


def make_shard(
    clips: list[Clip],
    root: Path,
    out: Path,
    *,
    roi: str,
    landmarks: str | None,
    model: Path | None,
    size: int,
    workers: int,
    folder: Path | None = None,
    in_windows: bool = False,
) -> None:
    """Write frames.npy, index.csv, quality.csv and excluded.csv for `clips` into the folder `out`.

    roi "landmarks": mouths aligned on the face (landmarks "mediapipe" with its `model`, or "sidecar":
    root/landmarks/<clip>.npy, or .npz); with `folder` those are read from there, and those of mediapipe are kept there
    and not looked for again; "box": LRW's fixed box; "frame": the whole frame. ROIs are uint8 (size, size).
    in_windows: clips are windows of longer ones, by the names of which landmarks are kept.
    The bytes do not depend on `workers`. A clip that fails is listed in excluded.csv, also where all do.
    """
    _check(root, landmarks, model)
    cutting = partial(cut_mouths, root=Path(root), roi=roi, landmarks=landmarks, model=model, size=size, folder=folder)
    results = _windows(cutting, clips, workers) if in_windows else in_order(cutting, clips, workers)
    pack(clips, tqdm(results, "clips", len(clips), unit="clip"), Path(out), size)


def _windows(cutting: Callable, clips: list[Clip], workers: int) -> Iterator[Made | Excluded | None]:
    """The result of each clip, cut from the longer one's; the longer one's own where that cannot be used."""
    groups = windows.wholes(clips)
    results = in_order(cutting, [whole for whole, _ in groups], workers)
    for (_, inside), result in zip(groups, results, strict=True):
        for clip in inside:
            if isinstance(result, Excluded):
                yield replace(result, clip=clip.clip)
            else:
                yield result and windows.cut(*result, clip)


def pack(clips: list[Clip], results: Iterable[Made | Excluded | None], out: Path, size: int) -> None:
    """Write the files of a shard as the `results` of cut_mouths() come in, one a clip; None: the process crashed."""
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


def _check(root: Path, landmarks: str | None, model: Path | None) -> None:
    """Fail before the work begins on what would fail for every clip."""
    if not Path(root).is_dir():
        raise InputError(root, "no such folder")
    if landmarks == "mediapipe":
        detector.check_model(model)


def cut_mouths(
    clip: Clip,
    *,
    root: Path,
    roi: str,
    landmarks: str | None,
    model: Path | None,
    size: int,
    folder: Path | None = None,
) -> tuple[np.ndarray, Quality] | Excluded:
    """ROIs uint8 (T, size, size) and Quality of one clip; Excluded with the reason where it cannot be used."""
    try:
        path = root / clip.video
        frames = video.read_clip(path, clip.first, clip.frames)
        missing = max(clip.frames - len(frames), 0)
        if roi == "landmarks":
            if landmarks == "sidecar":
                points = sidecar.read_landmarks((folder or root / "landmarks") / f"{clip.clip}.npy", len(frames))
            else:
                points = _detect(clip, path, len(frames), model, folder)
            rois, faceless, interpolated, jitter, scale = region.align(frames, points, size)
        elif roi == "box":
            rois = region.lrw_box(frames, size)
            faceless, interpolated, jitter = 0, 0, float("nan")
            scale = size / (region.LRW_COLUMNS[1] - region.LRW_COLUMNS[0])
        else:
            rois = region.resize(frames, size)
            faceless, interpolated, jitter, scale = 0, 0, float("nan"), size / frames.shape[2]
    except MemoryError:
        raise MemoryError(path) from None
    except (ValueError, OSError, RuntimeError, av.FFmpegError) as error:  # InputError is a ValueError
        if shortage(error) or _unkept(error, folder):
            raise
        return Excluded(clip.clip, "clips", _reason(error, root, clip))
    return rois, Quality(clip.clip, len(rois), faceless, interpolated, missing, round(jitter, 3), round(scale, 4))


def _detect(clip: Clip, path: Path, frames: int, model: Path, folder: Path | None) -> np.ndarray:
    """Landmarks (frames, 7, 2) by MediaPipe, kept in `folder` if there is one, and taken from there if they are."""
    kept = folder and folder / f"{clip.clip}.npy"
    if kept and kept.is_file():
        return sidecar.read_landmarks(kept, frames)
    points = detector.detect_landmarks(video.colour_clip(path, clip.first, clip.frames), model)
    if kept:
        sidecar.write_landmarks(kept, points)
    return points


def _unkept(error: Exception, folder: Path | None) -> bool:
    """Whether landmarks were found, and could not be written: no fault of the clip."""
    named = getattr(error, "filename", None)
    return folder is not None and named is not None and Path(named).is_relative_to(folder)


def _reason(error: Exception, root: Path, clip: Clip) -> str:
    """One line without the path to the corpus, which differs from machine to machine."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text.replace(f"{root}/", "").removeprefix(f"{clip.video}: ")


def _summary(quality: list[Quality], excluded: list[Excluded]) -> str:
    repaired = [row for row in quality if row.interpolated]
    gaps = sum(row.missing > 0 for row in quality)
    text = (
        f"clips: {len(quality)} made ({sum(row.frames for row in quality)} frames); {len(repaired)} of them repaired "
        f"({sum(row.interpolated for row in repaired)} frames); {gaps} lack frames; {len(excluded)} excluded"
    )
    return f"{text}: {reasons(excluded)}" if excluded else text
