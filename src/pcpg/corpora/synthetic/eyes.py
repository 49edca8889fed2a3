"""Eyes and brows, for any position of the lids."""

import numpy as np

from pcpg.corpora.synthetic.canvas import Canvas, bump
from pcpg.corpora.synthetic.looks import Look

_WHITE, _LASHES, _TEAR = (236, 232, 228), (34, 24, 22), (196, 130, 120)


def paint_eyes(canvas: Canvas, look: Look, lids: float) -> None:
    """Paint both eyes and brows; lids: 0 open .. 1 closed."""
    for side in (-1, 1):
        x = (canvas.x * side - look.eye_gap) / look.eye_size  # -1 at the inner corner, 1 at the outer one
        y = canvas.y + look.eye_line + 0.8 * x  # the outer corner lies a little higher
        arch = (1 - x * x).clip(0)
        upper = -look.eye_height * (1 - 1.5 * lids) * arch**0.6
        lower = 0.62 * look.eye_height * arch
        _paint_ball(canvas, look, side, x, y, upper, lower)
        _paint_lids(canvas, look, x, y, arch, upper, lower, lids)
        _paint_brow(canvas, look, x, y)


def _paint_ball(canvas: Canvas, look: Look, side: int, x, y, upper, lower) -> None:
    """The white, the iris and the pupil between the lids, in the upper lid's shadow."""
    ends = (np.abs(x) - 1) * look.eye_size
    opening = canvas.inside(upper - y) * canvas.inside(y - lower) * canvas.inside(ends)
    shadow = 1 - 0.35 * np.exp(-((y - upper).clip(0) / 1.6))
    canvas.paint(opening, _WHITE, shadow * (0.96 - 0.22 * x * x))
    canvas.paint(opening * bump(x, y, (-0.95, 0.5), (0.12, 1.5)), _TEAR)
    away = np.hypot(x * look.eye_size + 0.4 * side, y + 0.6)
    iris = 0.44 * look.eye_size
    canvas.paint(opening * canvas.inside(away - iris), look.iris, shadow * (0.7 + 0.5 * ((iris - away) / iris).clip(0)))
    canvas.paint(opening * canvas.inside(away - 0.45 * iris), (16, 13, 12))
    canvas.paint(opening * bump(canvas.x - side * look.eye_gap, y, (-1.4, -2.0), (0.75, 0.75)), (255, 255, 255))


def _paint_lids(canvas: Canvas, look: Look, x, y, arch, upper, lower, lids: float) -> None:
    """Lashes, the crease above them, the lower rim."""
    there = (np.abs(x) < 1.06) * (0.5 + 0.5 * arch**0.4)
    if lids > 0.5:  # the closed lid is smooth skin over the ball
        canvas.shade(-0.10 * bump(x, y, (0, -2), (0.5, 2.2)))
    canvas.paint(0.85 * there * np.exp(-0.5 * ((y - upper + 0.4) / 0.85) ** 2), _LASHES)
    canvas.paint(0.30 * there * np.exp(-0.5 * ((y - lower - 0.3) / 0.7) ** 2), _LASHES)
    crease = -look.eye_height * 1.0 * arch**0.6 - 3.2
    canvas.shade(0.28 * there * np.exp(-0.5 * ((y - crease) / 0.8) ** 2) * (1 - 0.6 * lids))


def _paint_brow(canvas: Canvas, look: Look, x, y) -> None:
    """A tapered band of short hair."""
    along = (x + 1.15) / 2.5  # 0 at the inner end, 1 at the outer one
    middle = -look.eye_height - 9.5 - 3.2 * np.sin(np.pi * (0.15 + 0.75 * along.clip(0, 1)))
    thick = look.brow * (1.15 - 0.75 * along.clip(0, 1))
    ends = np.maximum(-along, along - 1) * 2.5 * look.eye_size
    grain = 0.85 + 0.15 * np.sin(x * 28 + y * 2.2)
    cover = canvas.inside(np.abs(y - middle) - thick, 2.2) * canvas.inside(ends, 3)
    canvas.paint(0.82 * cover * grain, look.hair, 0.7)
