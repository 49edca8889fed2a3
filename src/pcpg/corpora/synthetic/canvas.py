"""A small painter's kit: signed distances turned into soft-edged layers of colour."""

import numpy as np


def bump(x: np.ndarray, y: np.ndarray, centre: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """Return a Gaussian hill of height 1 at `centre` with standard deviations `size`."""
    return np.exp(-0.5 * (((x - centre[0]) / size[0]) ** 2 + ((y - centre[1]) / size[1]) ** 2))


def stroke(x: np.ndarray, y: np.ndarray, start: tuple[float, float], end: tuple[float, float], width: float):
    """Return a soft line of height 1 from `start` to `end`; `width` is the standard deviation across it."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = (((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy)).clip(0, 1)
    return np.exp(-0.5 * ((x - start[0] - along * dx) ** 2 + (y - start[1] - along * dy) ** 2) / width**2)


def ramp(value: np.ndarray, start: float, end: float) -> np.ndarray:
    """Return 0 up to `start`, 1 from `end`, smooth between; `end` may lie below `start`."""
    part = ((value - start) / (end - start)).clip(0, 1)
    return part * part * (3 - 2 * part)


def distance(level: np.ndarray, spacing: float) -> np.ndarray:
    """Turn any function that is 0 on an outline into the distance from it, in head units, to first order.

    level: (rows, columns), negative inside; spacing: head units between two pixels.
    """
    down, right = np.gradient(level, spacing)
    return level / np.sqrt(down * down + right * right + 1e-6)


class Canvas:
    """An image under work. x, y: (rows, columns), the pixels' places in head units; rgb: (3, rows, columns)."""

    def __init__(self, x: np.ndarray, y: np.ndarray, spacing: float):
        self.x, self.y, self.spacing = x, y, spacing
        self.rgb = np.zeros((3, *x.shape), np.float32)

    def inside(self, signed: np.ndarray, softness: float = 1.0) -> np.ndarray:
        """Return how much of each pixel lies inside the outline: the edge is `softness` pixels wide."""
        return (0.5 - signed / (self.spacing * softness)).clip(0, 1)

    def paint(self, cover: np.ndarray, colour, shade: np.ndarray | float = 1.0) -> None:
        """Lay `colour` (3,), times `shade`, over the image where `cover` is 1."""
        for plane, value in zip(self.rgb, colour, strict=True):
            plane += cover * (shade * value - plane)

    def shade(self, amount: np.ndarray) -> None:
        """Darken by `amount` (0 none, 1 black); lighten where it is negative."""
        self.rgb *= 1 - amount
