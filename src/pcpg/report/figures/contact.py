"""A contact sheet of one corpus: mouth clips drawn at random, and below them the worst, to look at before training."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pcpg.mouths.store import ClipStore, Quality
from pcpg.report.figures import WIDTH
from pcpg.report.figures.strip import FRAMES, draw_row
from pcpg.report.figures.style import place
from pcpg.report.paper import DATASETS

EACH = 5  # clips of either kind
HEIGHT = 0.78  # inches: one clip with its caption
HEAD = 0.3  # inches: a heading
MARGIN = 0.01 * WIDTH  # inches: left and right
GAP = 2  # white pixels between two frames


def draw_contact_sheet(corpus: str, store: Path) -> Figure:
    """EACH clips drawn at random (always the same ones), and the EACH worst: most repaired frames, then most jitter."""
    chance, worst = pick_clips(store)
    figure = Figure(figsize=(WIDTH, HEIGHT * (len(chance) + len(worst)) + 2 * HEAD))
    top = 0.0
    for heading, shown in ((f"{DATASETS[corpus]}, clips drawn at random", chance), ("the worst clips", worst)):
        top += HEAD
        figure.text(0.01, 1 - (top - 0.1) / figure.get_figheight(), heading, fontsize=9)
        for caption, frames in shown:
            axes = place(figure, MARGIN, top + 0.15, WIDTH - 2 * MARGIN, HEIGHT - 0.19)
            draw_row(axes, frames, GAP)
            axes.set_anchor("W")
            axes.set_title(caption, loc="left", fontsize=7, pad=2)
            top += HEIGHT
    return figure


def pick_clips(folder: Path) -> tuple[list[tuple[str, np.ndarray]], ...]:
    """The two halves of the sheet from a clip store, captions and frames; a clip stands in one of them."""
    store = ClipStore(folder)
    quality = store.quality()
    order = sorted(range(len(quality)), key=lambda i: (-quality[i].interpolated, -np.nan_to_num(quality[i].jitter), i))
    worst = order[:EACH]
    rest = sorted(set(order) - set(worst))
    chance = np.random.default_rng(0).choice(rest, min(EACH, len(rest)), replace=False) if rest else []
    return tuple([_shown(store, quality[i], i) for i in rows] for rows in (sorted(chance), worst))


def _shown(store: ClipStore, quality: Quality, number: int) -> tuple[str, np.ndarray]:
    """Caption and frames (FRAMES, size, size) uint8."""
    frames = np.asarray(store[number])
    times = np.linspace(0, len(frames) - 1, FRAMES).round().astype(int)
    row, jitter = store.index[number], "" if np.isnan(quality.jitter) else f", jitter {quality.jitter:.2f} px"
    repaired = f", {quality.interpolated} repaired" if quality.interpolated else ""
    return f"{row.clip}: “{row.text}”, {len(frames)} frames{repaired}{jitter}", frames[times]
