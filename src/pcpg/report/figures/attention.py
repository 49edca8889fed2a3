"""Attention of one transcription: the mouth over time, above where the decoder looked for each character."""

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from pcpg.mouths.video import RATE
from pcpg.report.figures import WIDTH
from pcpg.report.figures.style import place

LEFT, RIGHT, TOP, BOTTOM = 0.5, 0.72, 0.24, 0.36  # inches: margins
GAP = 0.06  # inches: between strip and heat map
ROW = 0.125  # inches: one character
BAR = 1.2  # inches: the scale of colours
LEAST = 1.0  # inches: height of a heat map, however few characters: its axis has a label
FRAMES = 12  # of the strip
COLOURS = "Blues"


def draw_reading(mouths: np.ndarray, labels: list[str], weights: np.ndarray, stride: int, title: str) -> Figure:
    """Top: frames of the mouth, each above its time; below: characters x seconds, dark where the decoder looks.

    mouths (T, H, W) uint8 at RATE frames/s; labels of the U characters; weights (U, S) over encoder steps, of which
    one begins every `stride` frames. To be called within house_style().
    """
    width, shown = WIDTH - LEFT - RIGHT, min(FRAMES, len(mouths))
    tall, side = max(ROW * len(labels), LEAST), width / shown
    height = TOP + side + GAP + tall + BOTTOM
    figure = Figure(figsize=(WIDTH, height))
    below = TOP + side + GAP
    heat = place(figure, LEFT, below, width, tall)
    strip = place(figure, LEFT, TOP, width, side, sharex=heat)
    bar = place(figure, LEFT + width + 0.1, below + max(tall - BAR, 0), 0.08, min(tall, BAR))
    draw_strip(strip, mouths, shown)
    strip.set_title(title, loc="left", pad=3)
    figure.colorbar(draw_heat(heat, labels, weights, stride), cax=bar).outline.set_visible(False)
    bar.set_ylabel("attention")
    return figure


def draw_strip(axes: Axes, mouths: np.ndarray, shown: int) -> None:
    """`shown` frames side by side, each the middle one of the time that its picture covers."""
    total = len(mouths)
    edges = np.linspace(0, total, shown + 1)
    for start, end in pairwise(edges):
        inner = (end - start) * 0.02  # white between two frames
        extent = ((start + inner) / RATE, (end - inner) / RATE, 0, 1)
        frame = mouths[int((start + end) / 2)]
        axes.imshow(frame, cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto", interpolation="bilinear")
    axes.set(xlim=(0, total / RATE), ylim=(0, 1))
    axes.set_axis_off()


def draw_heat(axes: Axes, labels: list[str], weights: np.ndarray, stride: int) -> AxesImage:
    """Weights as an image; step s looks at frames around s * stride, and frame t is shown from t / RATE on."""
    count, steps = weights.shape
    first = (0.5 - stride / 2) / RATE
    extent = (first, first + steps * stride / RATE, count - 0.5, -0.5)
    image = axes.imshow(weights, cmap=COLOURS, vmin=0, extent=extent, aspect="auto", interpolation="nearest", zorder=1)
    axes.set_yticks(range(count), [label.replace(" ", "␣") for label in labels])
    axes.tick_params(axis="y", length=0, pad=2)
    axes.grid(False)
    for row in (row for row, label in enumerate(labels) if label == " "):
        axes.axhline(row + 0.5, color="0.8", linewidth=0.4)  # a word ends
    axes.set(xlabel="time in the video (s)", ylabel="character")
    return image
