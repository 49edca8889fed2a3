"""Where head units fall in the frame, and how a head moves while it speaks."""

from dataclasses import dataclass

import numpy as np

from pcpg.corpora.base import RATE


@dataclass(frozen=True)
class Camera:
    """A frame of width x height pixels, divisible by 4; the resting mouth's middle is at (mouth_x, mouth_y)."""

    width: int
    height: int
    mouth_x: float
    mouth_y: float
    zoom: float  # pixels per head unit

    def matrix(self) -> np.ndarray:
        """Return the (3, 3) map from head units to pixels, for a head at rest."""
        return np.array([[self.zoom, 0, self.mouth_x], [0, self.zoom, self.mouth_y], [0, 0, 1.0]])


def drift(frames: int, rng: np.random.Generator) -> np.ndarray:
    """Return a slow random motion, (frames,), of standard deviation about 1: four waves of 0.05 to 0.7 Hz."""
    rates = 2 * np.pi / RATE * rng.uniform(0.05, 0.7, 4)
    return np.sin(np.arange(frames)[:, None] * rates + rng.uniform(0, 2 * np.pi, 4)) @ rng.normal(0, 0.7, 4)


def sway(frames: int, rng: np.random.Generator) -> np.ndarray:
    """Return the head's motion in head units, (frames, 3, 3): it turns about the neck, comes near and shifts."""
    roll, size = np.radians(1.1 * drift(frames, rng)), 1 + 0.010 * drift(frames, rng)
    neck = np.array([0.0, 40.0])
    motion = np.zeros((frames, 3, 3))
    motion[:, 0, 0] = motion[:, 1, 1] = size * np.cos(roll)
    motion[:, 1, 0] = size * np.sin(roll)
    motion[:, 0, 1] = -motion[:, 1, 0]
    shift = np.stack([1.5 * drift(frames, rng), 0.9 * drift(frames, rng)], axis=1)
    motion[:, :2, 2] = neck + shift - motion[:, :2, :2] @ neck
    motion[:, 2, 2] = 1
    return motion


def blinks(frames: int, rng: np.random.Generator) -> np.ndarray:
    """Return the lids' position in each frame, 0 open, 1 half, 2 closed: a blink every three seconds or so."""
    lids = np.zeros(frames, int)
    start = int(rng.exponential(40))
    while start < frames:
        lids[start : start + 5] = [1, 2, 2, 1, 1][: frames - start]
        start += 25 + int(rng.exponential(50))
    return lids
