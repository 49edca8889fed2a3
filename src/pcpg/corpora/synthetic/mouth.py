"""The part of the portrait that speaks: lips, teeth and tongue for all frames of a clip at once."""

from dataclasses import dataclass

import numpy as np

from pcpg.corpora.synthetic import ycc
from pcpg.corpora.synthetic.looks import Look

_TINY = np.float32(1e-9)
_GAP = 17.0  # head units between the inner lips at opening 1
_TEETH, _TONGUE, _CAVITY = (232, 224, 210), (186, 92, 92), (52, 20, 20)


@dataclass(frozen=True)
class Mouth:
    """The lips' geometry, in head units; every field is (frames, 1, 1) float32.

    `upper` and `lower` are the inner lips' middles (y points down), `corner` is the corners' y.
    """

    half_width: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    corner: np.ndarray
    upper_thick: np.ndarray
    lower_thick: np.ndarray
    arch: np.ndarray  # the contours' exponent: low is round
    upper_teeth: np.ndarray  # heights of what is seen of them
    lower_teeth: np.ndarray
    tongue: np.ndarray
    tongue_between: np.ndarray  # 0 behind the teeth .. 1 between them

    def extent(self) -> tuple[float, float, float]:
        """Return how far the lips reach in any frame: to either side, above and below the mouth's middle."""
        above, below = self.upper_thick - self.upper, self.lower + self.lower_thick
        return self.half_width.max(), above.max(), below.max()


def shape_mouth(look: Look, shape: np.ndarray) -> Mouth:
    """Turn lip shapes (len(SHAPE), frames) into geometry."""
    opening, wide, rounding, teeth, tongue, tuck, press = shape[:, :, None, None]
    gap = _GAP * opening
    return Mouth(
        half_width=look.mouth_width * (1 + 0.17 * wide - 0.24 * rounding),
        upper=-0.24 * gap - 1.8 * tuck,
        lower=0.76 * gap - 1.8 * tuck,
        corner=-look.smile * (1 - rounding) - 0.6 * wide + 0.12 * gap,
        upper_thick=look.upper_lip * (1 - 0.55 * press + 0.25 * rounding - 0.12 * opening - 0.15 * wide.clip(0)),
        lower_thick=look.lower_lip * (1 - 0.55 * press + 0.20 * rounding - 0.65 * tuck - 0.15 * wide.clip(0)),
        arch=0.85 - 0.35 * rounding.clip(0, 1),
        upper_teeth=teeth * np.minimum(6.0, 0.3 + 0.62 * gap + 2.0 * tuck),
        lower_teeth=(teeth - 0.45).clip(0) * np.minimum(4.0, 0.8 * gap),
        tongue=np.minimum(0.9 * gap, gap * (0.18 + 0.55 * tongue)),
        tongue_between=((tongue - 0.62) / 0.38).clip(0, 1),
    )


@dataclass(frozen=True)
class Contours:
    """The lips' edges at every pixel's column, as y; every field is (frames, rows, columns)."""

    across: np.ndarray  # -1 at the right corner .. 1 at the left one
    bow: np.ndarray  # 0 at the corners, 1 in the middle
    outer_top: np.ndarray
    top: np.ndarray  # the inner upper lip
    bottom: np.ndarray  # the inner lower lip
    outer_bottom: np.ndarray


def paint_mouth(look: Look, mouth: Mouth, x: np.ndarray, y: np.ndarray, spacing: float, planes: slice) -> tuple:
    """Return what the mouth does to a picture at x, y (frames, rows, columns): it becomes kept * picture + added.

    spacing: head units between two pixels; planes: those of ycc.py that the picture has.
    Returns kept (frames, rows, columns) and added (planes, frames, rows, columns).
    """

    def above(level: np.ndarray) -> np.ndarray:  # 1 where level > 0, with an edge one pixel wide
        return (0.5 + level / spacing).clip(0, 1)

    lips, *within = ycc.above_black([look.lips, _CAVITY, _TONGUE, _TEETH], planes)
    line = _contours(mouth, x)
    ends = above((1 - np.abs(line.across)) * mouth.half_width)
    cover = above(y - line.outer_top) * above(line.outer_bottom - y) * ends
    hole = above(y - line.top) * above(line.bottom - y) * ends
    layers = [(cover, lips, _lip_light(y, line)), *_inner_layers(mouth, x, y, line, hole, above, within)]
    return _composite(layers, _surroundings(mouth, x, y, line.outer_bottom))


def _contours(mouth: Mouth, x: np.ndarray) -> Contours:
    across = x / mouth.half_width
    log_bow = mouth.arch * np.log(np.maximum(1 - across * across, _TINY))  # powers are slow, exponentials are not
    bow = np.exp(log_bow)
    seam = mouth.corner * (1 - bow)
    top, bottom = seam + mouth.upper * bow, seam + mouth.lower * bow
    dip = 1 - 0.20 * np.exp(-((x / 3.2) ** 2))  # the bow of the upper lip
    outer_top = top - mouth.upper_thick * np.exp(0.8 * log_bow) * dip
    outer_bottom = bottom + mouth.lower_thick * np.exp(0.7 * log_bow)
    return Contours(across, bow, outer_top, top, bottom, outer_bottom)


def _inner_layers(mouth: Mouth, x, y, line: Contours, hole, above, colours) -> list:
    """Return the layers seen in the open mouth, from the back to the front: dark, tongue, both rows of teeth."""
    cavity, tongue, teeth = colours
    side = np.abs(line.across)
    tongue_top = line.bottom - mouth.tongue * (1 - 0.5 * side * side)
    flesh = hole * above(y - tongue_top) * above((0.80 - side) * mouth.half_width)
    sheen = 0.72 + 0.25 * np.exp(-(((y - tongue_top - 1.5) / 2.5) ** 2))
    row = hole * above((0.84 - side) * mouth.half_width)
    ivory = (0.98 - 0.30 * side**2 - 0.45 * side**2 * side**2) * (0.94 + 0.06 * np.cos(x * (2 * np.pi / 4.6)))
    lower = row * above(y - line.bottom + mouth.lower_teeth * line.bow)
    upper = row * above(line.top + mouth.upper_teeth * (0.6 + 0.4 * line.bow) - y)
    return [
        (hole, cavity, 1.0),
        (0.9 * flesh, tongue, sheen),
        (lower, teeth, 0.85 * ivory),
        (upper, teeth, ivory),
        (flesh * mouth.tongue_between, tongue, 1.05 * sheen),
    ]


def _lip_light(y, line: Contours) -> np.ndarray:
    """Return the brightness of the lips: the upper one in shadow, the lower one with a highlight, both dark inside."""
    upper_light = 0.80 + 0.10 * ((line.top - y) / 4).clip(0, 1)
    height = (y - 0.5 * (line.bottom + line.outer_bottom)) / 1.8
    lower_light = 0.92 + 0.20 * np.exp(-height * height - (line.across / 0.5) ** 2)
    light = np.where(y < 0.5 * (line.top + line.bottom), upper_light, lower_light)
    rim = np.minimum(np.abs(y - line.top), np.abs(y - line.bottom))
    return light - 0.42 * np.exp(-((rim / 0.9) ** 2))


def _surroundings(mouth: Mouth, x, y, outer_bottom) -> np.ndarray:
    """Return how much skin light is kept around the mouth: dark corners and a shadow below the lower lip."""
    corner = np.exp(-(((np.abs(x) - mouth.half_width + 0.8) / 1.7) ** 2) - ((y - mouth.corner) / 1.5) ** 2)
    below = np.exp(-(((y - outer_bottom - 3.2) / 3.0) ** 2) - (x / (0.62 * mouth.half_width)) ** 2)
    return (1 - 0.45 * corner) * (1 - 0.20 * below)


def _composite(layers: list, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay the layers (cover, colour, light) over each other, the first one lowest."""
    added = np.zeros((len(layers[0][1]), *kept.shape), np.float32)
    for cover, colour, light in layers:
        kept = kept * (1 - cover)
        for plane, value in zip(added, colour, strict=True):
            plane += cover * (light * value - plane)
    return kept, added
