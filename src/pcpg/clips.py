"""From a manifest to packed mouth clips: one array of frames for memory mapping, and tables that describe it."""

import io
import sys
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import av
import numpy as np
from tqdm import tqdm

from pcpg import landmarks as face
from pcpg import roi as region
from pcpg import video
from pcpg.corpora.base import Clip, Excluded, write_rows
from pcpg.errors import InputError, shortage
from pcpg.pool import in_order
from pcpg.store import IndexRow


@dataclass(frozen=True)
class Quality:
    """What the making of one clip's ROIs met; nan where it does not apply."""

    clip: str
    frames: int
    faceless: int  # frames in which no face was found
    interpolated: int  # frames whose landmarks were filled in
    missing: int  # frames that the manifest names and the corpus lacks
    jitter: float  # rms second difference in time of the mouth's centre before smoothing, px of the video
    scale: float  # mean ROI pixels per video pixel


def build(
    clips: list[Clip],
    root: Path,
    out: Path,
    *,
    roi: str,
    landmarks: str | None,
    model: Path | None,
    size: int,
    workers: int,
) -> None:
    """Write frames.npy, index.csv, quality.csv and excluded.csv for `clips` into the folder `out`.

    roi "landmarks": mouths aligned on the face (landmarks "mediapipe" with its `model`, or "sidecar":
    root/landmarks/<clip>.npy); "box": LRW's fixed box; "frame": the whole frame. ROIs are uint8 (size, size).
    The bytes do not depend on `workers`. A clip that fails is listed in excluded.csv; InputError where all do.
    """
    _check(clips, root, roi, landmarks, model, size, workers)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    job = partial(process, root=Path(root), roi=roi, landmarks=landmarks, model=model, size=size)
    results = in_order(job, clips, workers)
    index, quality, excluded = [], [], []
    with open(out / "frames.npy", "wb") as file:
        file.write(_npy_header(0, size))
        total = 0
        for clip, result in zip(clips, tqdm(results, "clips", len(clips), unit="clip"), strict=True):
            if result is None:
                result = Excluded(clip.clip, "clips", "the process that read it crashed")
            if isinstance(result, Excluded):
                excluded.append(result)
                continue
            frames, measured = result
            file.write(frames.tobytes())
            index.append(IndexRow(clip.clip, clip.speaker, clip.split, clip.text, clip.label, total, len(frames)))
            quality.append(measured)
            total += len(frames)
        file.seek(0)
        file.write(_npy_header(total, size))
    if not index:
        raise InputError(root, f"none of the {len(clips)} clips could be used: {_reasons(excluded)}")
    write_rows(out / "index.csv", IndexRow, index)
    write_rows(out / "quality.csv", Quality, quality)
    write_rows(out / "excluded.csv", Excluded, excluded)
    print(_summary(quality, excluded), file=sys.stderr)


def _check(clips, root, roi, landmarks, model, size, workers) -> None:
    """Fail before the work begins on what would fail for every clip."""
    allowed = {"landmarks": ("mediapipe", "sidecar"), "box": (None,), "frame": (None,)}
    if roi not in allowed or landmarks not in allowed[roi]:
        raise InputError("clips", f"roi {roi!r} with landmarks {landmarks!r}; allowed are {allowed}")
    if size < 1 or workers < 1:
        raise InputError("clips", f"size {size} and workers {workers} must be 1 or more")
    if not Path(root).is_dir():
        raise InputError(root, "no such folder")
    if not clips:
        raise InputError("clips", "the manifest lists none")
    twice = [name for name, count in Counter(clip.clip for clip in clips).items() if count > 1]
    if twice:
        raise InputError("clips", f"the manifest lists {twice[0]} twice")
    if landmarks == "mediapipe":
        face.check(model)


def process(clip: Clip, *, root: Path, roi: str, landmarks: str | None, model: Path | None, size: int):
    """ROIs uint8 (T, size, size) and Quality of one clip; Excluded with the reason where it cannot be used."""
    try:
        path = root / clip.video
        frames = video.read_clip(path, clip.first, clip.frames)
        missing = max(clip.frames - len(frames), 0)
        if roi == "landmarks":
            if landmarks == "sidecar":
                points = face.read_sidecar(root / "landmarks" / f"{clip.clip}.npy", len(frames))
            else:
                points = face.detect(video.colour_clip(path, clip.first, clip.frames), model)
            rois, faceless, interpolated, jitter, scale = region.align(frames, points, size)
        elif roi == "box":
            rois = region.fixed_box(frames, region.LRW_ROWS, region.LRW_COLUMNS, size)
            faceless, interpolated, jitter = 0, 0, float("nan")
            scale = size / (region.LRW_COLUMNS[1] - region.LRW_COLUMNS[0])
        else:
            rois = region.resize(frames, size)
            faceless, interpolated, jitter, scale = 0, 0, float("nan"), size / frames.shape[2]
    except (ValueError, OSError, RuntimeError, av.FFmpegError) as error:  # InputError is a ValueError
        if shortage(error):
            raise
        return Excluded(clip.clip, "clips", _reason(error, root, clip))
    return rois, Quality(clip.clip, len(rois), faceless, interpolated, missing, round(jitter, 3), round(scale, 4))


def _reason(error: Exception, root: Path, clip: Clip) -> str:
    """One line without the path to the corpus, which differs from machine to machine."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text.replace(f"{root}/", "").removeprefix(f"{clip.video}: ")


def _npy_header(frames: int, size: int) -> bytes:
    """The .npy header; numpy leaves room for a growing first axis, so that its length is the same for any `frames`."""
    header = io.BytesIO()
    shape = (frames, size, size)
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return header.getvalue()


def _reasons(excluded: list[Excluded]) -> str:
    counts = Counter(row.reason for row in excluded).most_common(5)
    return "; ".join(f"{count} x {reason}" for reason, count in counts)


def _summary(quality: list[Quality], excluded: list[Excluded]) -> str:
    repaired = [row for row in quality if row.interpolated]
    gaps = sum(row.missing > 0 for row in quality)
    text = (
        f"clips: {len(quality)} made ({sum(row.frames for row in quality)} frames); {len(repaired)} of them repaired "
        f"({sum(row.interpolated for row in repaired)} frames); {gaps} lack frames; {len(excluded)} excluded"
    )
    return f"{text}: {_reasons(excluded)}" if excluded else text
