"""Clips that are windows of a longer one: its mouths are found once, and each window is cut from them."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

import numpy as np

from pcpg.corpora.about import whole_clip
from pcpg.corpora.base import Clip, Excluded
from pcpg.mouths.store import Quality


def wholes(clips: Iterable[Clip]) -> list[tuple[Clip, list[Clip]]]:
    """Group consecutive windows by the clip they were cut from."""
    groups = ((name, list(windows)) for name, windows in groupby(clips, lambda clip: whole_clip(clip.clip)))
    return [(replace(windows[0], clip=name, first=0, frames=0), windows) for name, windows in groups]


def cut(frames: np.ndarray, quality: Quality, window: Clip) -> tuple[np.ndarray, Quality] | Excluded:
    """The window's frames of uint8 (T, size, size), `window.frames` of them, and its Quality.

    The nearest frame stands for each that lies outside, counted as missing; Excluded where all of them do. The measures
    of the whole clip (faces, landmarks, jitter, scale) are copied to each window, counts of frames at most its length.
    """
    wanted = window.first + np.arange(window.frames)
    there = (wanted >= 0) & (wanted < len(frames))
    if not there.any():
        reason = f"frames {wanted[0]} to {wanted[-1]}, of which the {len(frames)} of the video hold none"
        return Excluded(window.clip, "clips", reason)
    count, missing = window.frames, int((~there).sum())
    faceless, interpolated = min(quality.faceless, count), min(quality.interpolated, count)
    measured = replace(
        quality, clip=window.clip, frames=count, faceless=faceless, interpolated=interpolated, missing=missing
    )
    return frames[np.clip(wanted, 0, len(frames) - 1)], measured
