"""The part of the portrait that speaks: lips, teeth and tongue for all frames of a clip at once."""

from dataclasses import dataclass

import numpy as np

from pcpg.synthetic.looks import Look

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


def shape_mouth(look: Look, shape: np.ndarray) -> Mouth:
    """Turn lip shapes (len(SHAPE), frames) into geometry."""
    opening, wide, rounding, teeth, tongue, tuck, press = shape[:, :, None, None]
    gap = _GAP * opening
    return Mouth(
        half_width=look.mouth_width * (1 + 0.17 * wide - 0.27 * rounding),
        upper=-0.24 * gap - 1.4 * tuck,
        lower=0.76 * gap - 1.2 * tuck,
        corner=-look.smile * (1 - rounding) - 0.6 * wide + 0.12 * gap,
        upper_thick=look.upper_lip * (1 - 0.45 * press + 0.25 * rounding - 0.12 * opening - 0.15 * wide.clip(0)),
        lower_thick=look.lower_lip * (1 - 0.40 * press + 0.20 * rounding - 0.55 * tuck - 0.15 * wide.clip(0)),
        arch=0.85 - 0.35 * rounding.clip(0, 1),
        upper_teeth=teeth * np.minimum(6.0, 0.3 + 0.62 * gap + 0.8 * tuck),
        lower_teeth=(teeth - 0.45).clip(0) * np.minimum(4.0, 0.8 * gap),
        tongue=np.minimum(0.9 * gap, gap * (0.18 + 0.55 * tongue)),
        tongue_between=((tongue - 0.62) / 0.38).clip(0, 1),
    )


def paint_mouth(look: Look, mouth: Mouth, x: np.ndarray, y: np.ndarray, spacing: float, palette) -> tuple:
    """Return what the mouth adds to a picture at x, y (frames, rows, columns): the result is kept * picture + added.

    palette: maps a list of RGB colours to as many rows of the picture's planes, (colours, planes). Returns kept
    (frames, rows, columns) and added (planes, frames, rows, columns).
    """
    lips, teeth, tongue, cavity = palette([look.lips, _TEETH, _TONGUE, _CAVITY])

    def inside(signed: np.ndarray) -> np.ndarray:  # 1 where signed > 0, with an edge one pixel wide
        return (0.5 + signed / spacing).clip(0, 1)

    across = x / mouth.half_width
    bow = (1 - across * across).clip(0) ** mouth.arch
    seam = mouth.corner * (1 - bow)
    top, bottom = seam + mouth.upper * bow, seam + mouth.lower * bow  # the inner lips
    dip = 1 - 0.20 * np.exp(-((x / 3.2) ** 2))  # the bow of the upper lip
    outer_top, outer_bottom = top - mouth.upper_thick * bow**0.8 * dip, bottom + mouth.lower_thick * bow**0.7
    ends = inside((1 - np.abs(across)) * mouth.half_width)
    lip_cover = inside(y - outer_top) * inside(outer_bottom - y) * ends
    layers = [(lip_cover, lips, _lip_light(mouth, x, y, across, top, bottom, outer_top, outer_bottom))]

    hole = inside(y - top) * inside(bottom - y) * ends
    layers.append((hole, cavity, 1.0))
    tongue_top = bottom - mouth.tongue * (1 - 0.5 * across * across)
    flesh = hole * inside(y - tongue_top) * inside((0.8 - np.abs(across)) * mouth.half_width)
    tongue_light = 0.72 + 0.25 * np.exp(-(((y - tongue_top - 1.5) / 2.5) ** 2))
    layers.append((flesh * 0.9, tongue, tongue_light))
    row = hole * inside((0.84 - np.abs(across)) * mouth.half_width)
    ivory = (0.98 - 0.45 * across**4 - 0.30 * across * across) * (0.94 + 0.06 * np.cos(x * (2 * np.pi / 4.6)))
    layers.append((row * inside(y - bottom + mouth.lower_teeth * bow), teeth, 0.85 * ivory))
    layers.append((row * inside(top + mouth.upper_teeth * (0.6 + 0.4 * bow) - y), teeth, ivory))
    layers.append((flesh * mouth.tongue_between, tongue, 1.05 * tongue_light))
    return _composite(layers, _surroundings(mouth, x, y, outer_bottom))


def _lip_light(mouth: Mouth, x, y, across, top, bottom, outer_top, outer_bottom) -> np.ndarray:
    """Return the brightness of the lips: the upper one in shadow, the lower one with a highlight, both dark inside."""
    middle = 0.5 * (top + bottom)
    upper_light = 0.80 + 0.10 * ((top - y) / 4).clip(0, 1)
    lower_light = 0.92 + 0.20 * np.exp(-(((y - 0.5 * (bottom + outer_bottom)) / 1.8) ** 2) - (across / 0.5) ** 2)
    light = np.where(y < middle, upper_light, lower_light)
    rim = np.minimum(np.abs(y - top), np.abs(y - bottom))
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
