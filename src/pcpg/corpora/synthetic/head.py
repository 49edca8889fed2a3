"""The part of the portrait that does not speak: backdrop, clothes, hair and a face without its mouth."""

import numpy as np

from pcpg.corpora.synthetic.canvas import Canvas, bump, distance, ramp, stroke
from pcpg.corpora.synthetic.eyes import paint_eyes
from pcpg.corpora.synthetic.looks import Look

_MIDDLE = -74.0  # the height at which the face is widest, in head units from the mouth (y points down)
_CROWN = 78.0  # from there to the top of the skull


def paint_head(look: Look, x: np.ndarray, y: np.ndarray, spacing: float, lids: float = 0.0) -> np.ndarray:
    """Return the portrait at the places x, y (rows, columns), in head units, as (3, rows, columns) in 0..255.

    spacing: head units between two pixels; lids: 0 for open eyes .. 1 for closed ones.
    """
    canvas = Canvas(x, y, spacing)
    outline = _outline(look, x, y, spacing)
    strands = _strands(look, x, y)
    _paint_backdrop(canvas, look)
    _paint_back_hair(canvas, look, strands)
    _paint_body(canvas, look)
    _paint_ears(canvas, look)
    canvas.paint(canvas.inside(outline), look.skin, _skin_light(look, x, y))
    _model_face(canvas, look)
    _paint_beard(canvas, look, outline)
    paint_eyes(canvas, look, lids)
    _paint_nose(canvas, look)
    _paint_front_hair(canvas, look, strands)
    return canvas.rgb.clip(0, 255)


def _outline(look: Look, x: np.ndarray, y: np.ndarray, spacing: float, grow: float | np.ndarray = 0.0) -> np.ndarray:
    """Return the signed distance from the face's outline: round above, squarer towards the chin."""
    rise = y - _MIDDLE
    height = np.where(rise < 0, np.float32(_CROWN), np.float32(look.chin - _MIDDLE)) + grow
    power = np.where(rise < 0, np.float32(2.15), np.float32(look.squareness))
    across, down = np.abs(x) / (look.half_width + grow), np.abs(rise) / height
    return distance((across**power + down**power + 1e-6) ** (1 / power) - 1, spacing)


def _skin_light(look: Look, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the light that falls on an egg-shaped head from above and from one side."""
    across, down = x / (look.half_width * 1.06), (y + 56) / 112
    depth = np.sqrt((1 - across**2 - down**2).clip(0.02))
    return 0.60 + 0.44 * (0.36 * look.light * across - 0.30 * down + 0.86 * depth).clip(0)


def _strands(look: Look, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the brightness of hair, around 1: fine strands that fall from the parting, and a band of sheen."""
    across, down = x - look.parting, y + 172
    angle = np.arctan2(across, down + 12)
    phases = np.random.default_rng(look.strands).uniform(0, 2 * np.pi, 5).tolist()
    bend = 0.5 * np.sin(0.035 * y + phases[0])
    fine = sum(np.sin(rate * angle + bend * (1 + i) + phases[i]) for i, rate in enumerate((23, 41, 67, 103, 149)))
    clumps = 0.6 + 0.4 * np.sin(9 * angle + 0.02 * y + phases[3])
    sheen = np.exp(-0.5 * ((np.hypot(x, 0.9 * (y + 70)) - 60) / 10) ** 2 - 0.5 * ((x - 20 * look.light) / 30) ** 2)
    return 0.92 + 0.055 * fine * clumps + 0.30 * sheen * (0.8 + 0.1 * fine)


def _paint_backdrop(canvas: Canvas, look: Look) -> None:
    glow = bump(canvas.x, canvas.y, (-60, -120), (190, 170))
    canvas.paint(np.float32(1), look.backdrop, 0.72 + 0.36 * glow)


def _paint_back_hair(canvas: Canvas, look: Look, strands: np.ndarray) -> None:
    """Long hair hangs behind the ears and beside the neck."""
    if not look.long_hair:
        return
    x, y = canvas.x, canvas.y
    wave = ramp(y, _MIDDLE, -30) * (1 + 1.5 * np.sin(0.09 * y + look.strands))
    width = look.half_width + look.hair_volume + wave
    down = (y - _MIDDLE).clip(0) / (look.hair_length - look.hairline - _MIDDLE)
    curtain = distance(((np.abs(x) / width) ** 5 + down**5 + 1e-6) ** 0.2 - 1, canvas.spacing)
    canvas.paint(canvas.inside(np.maximum(curtain, _MIDDLE - y), 2), look.hair, 0.66 * strands)


def _paint_body(canvas: Canvas, look: Look) -> None:
    """Neck in the face's shadow, shoulders, a collar."""
    x, y = canvas.x, canvas.y
    flare = 0.62 * look.half_width + 0.020 * np.maximum(0, y - 20) ** 2
    neck_light = 0.78 - 0.30 * bump(x, y, (0, look.chin - 6), (34, 20)) - 0.25 * (x / 40) ** 2 * ramp(y, 90, 30)
    canvas.paint(canvas.inside(np.maximum(np.abs(x) - flare, -y - 10)), look.skin, neck_light.clip(0.3))
    neckline = 26 * bump(x, y, (0, 0), (19, np.inf)) - 10 * bump(np.abs(x), y, (42, 0), (14, np.inf))
    shoulders = 52 + 0.0011 * x * x + neckline
    folds = 0.86 + 0.06 * np.sin(x * 0.11 + y * 0.07) - 0.0012 * np.abs(x)
    canvas.paint(canvas.inside(shoulders - y), look.shirt, folds)
    canvas.shade(0.35 * np.exp(-0.5 * ((y - shoulders - 2.5) / 1.6) ** 2) * ramp(np.abs(x), 60, 40))


def _paint_ears(canvas: Canvas, look: Look) -> None:
    if look.long_hair:
        return
    for side in (-1, 1):
        x, y = side * canvas.x - look.half_width - 1.5, canvas.y + 52
        ear = distance(np.hypot((x - 0.12 * -y) / 6.5, y / 16) - 1, canvas.spacing)
        canvas.paint(canvas.inside(ear), look.skin, 0.84 - 0.22 * bump(x, y, (1, 0), (2.5, 8)))


def _model_face(canvas: Canvas, look: Look) -> None:
    """Shadows and light that give the face its relief."""
    x, y = canvas.x, canvas.y
    mirrored = np.abs(x)
    eyes, base = -look.eye_line, -look.nose_base
    canvas.shade(0.20 * bump(mirrored, y, (look.eye_gap - 4, eyes - 4), (13, 6.5)))  # eye sockets
    canvas.shade(0.10 * bump(mirrored, y, (look.eye_gap, eyes + 10), (10, 3)))  # below the eyes
    canvas.shade(look.folds * stroke(mirrored, y, (look.nose_width + 4, base - 3), (look.mouth_width + 6, -5), 2.2))
    canvas.shade(-0.07 * bump(mirrored, y, (30, -34), (11, 11)))  # cheekbones
    canvas.shade(-0.06 * bump(x, y, (6 * look.light, -100), (26, 14)))  # forehead
    canvas.shade(-0.08 * bump(x, y, (2 * look.light, look.chin - 11), (10, 6)))  # chin
    canvas.shade(0.07 * stroke(x, y, (0, base + 5), (0, -9), 1.6))  # the groove above the lips
    blush = 0.12 * bump(mirrored, y, (33, -24), (12, 10))
    canvas.rgb[1:] *= 1 - blush


def _paint_beard(canvas: Canvas, look: Look, outline: np.ndarray) -> None:
    """Stubble or a short beard: along the jaw, on the chin and above the lips."""
    if not look.beard:
        return
    x, y = canvas.x, canvas.y
    mirrored, bow = np.abs(x), 0.008 * x * x
    jaw = ramp(y + bow, 8, 20) + ramp(mirrored, 33, 43) * ramp(y, -52, -26)
    moustache = ramp(y - bow, -look.nose_base + 4, -look.nose_base + 9) * ramp(y, -1, -6) * ramp(mirrored, 31, 24)
    ends = stroke(mirrored, y, (29, -7), (30, 20), 3.6)
    grain = np.random.default_rng(look.strands).normal(1, 0.22, x.shape).astype(np.float32)
    cover = look.beard * np.maximum(jaw.clip(0, 1), np.maximum(moustache, ends)) * canvas.inside(outline, 3)
    canvas.paint(cover * (0.8 * grain).clip(0, 1), look.hair, 0.9)


def _paint_nose(canvas: Canvas, look: Look) -> None:
    x, y = canvas.x, canvas.y
    mirrored = np.abs(x)
    base, wing = -look.nose_base, look.nose_width
    canvas.shade(0.15 * stroke(mirrored, y, (6.5, -look.eye_line - 2), (7.5, base - 16), 2.6))  # sides of the bridge
    canvas.shade(-0.15 * stroke(x, y, (look.light, -look.eye_line), (look.light, base - 10), 2.4))  # bridge
    canvas.shade(-0.14 * bump(x, y, (1.5 * look.light, base - 8), (4.0, 3.6)))  # tip
    canvas.shade(0.22 * bump(mirrored, y, (wing - 0.5, base - 5.5), (1.6, 4.2)))  # wings
    canvas.shade(0.26 * bump(x, y, (0, base + 1.0), (wing * 0.72, 2.2)))  # shadow below
    canvas.shade(0.62 * bump(mirrored, y, (wing * 0.46, base - 1.6), (2.4, 1.2)))  # nostrils


def _paint_front_hair(canvas: Canvas, look: Look, strands: np.ndarray) -> None:
    """Hair on the skull, down to a hair line that falls off from the parting towards the temples."""
    x, y = canvas.x, canvas.y
    jagged = 1.2 * np.sin(0.45 * x + look.strands) + 0.9 * np.sin(1.1 * x + 2 * look.strands)
    swept = np.abs(x - look.parting) / look.half_width
    temple = (np.abs(x) / look.half_width) ** 5
    line = jagged - look.hairline + 9 * swept + min(look.hair_length, 95) * temple.clip(0, 1.15)
    volume = look.hair_volume * (1 if look.long_hair else 0.35 + 0.65 * ramp(y, -70, -125))
    crown = _outline(look, x, y, canvas.spacing, volume)
    canvas.shade(0.25 * np.exp(-0.5 * ((y - line - 2) / 4) ** 2) * canvas.inside(crown, 4) * ramp(y, -30, -60))
    cover = canvas.inside(np.maximum(crown, 0.7 * (y - line)), 2)
    canvas.paint(cover, look.hair, strands * (0.74 + 0.36 * ramp(y, -60, -150)))
