"""The paper's Fig. 1: what the model sees, as a row of mouth frames of one test clip for each corpus."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pcpg.report.figures import WIDTH
from pcpg.report.paper import DATASETS
from pcpg.workspace.errors import InputError

FRAMES = 12
HEIGHT = 0.95  # inches: one strip with what is written above and below it
GAP = 3  # white pixels between two frames


@dataclass(frozen=True)
class Strip:
    corpus: str
    frames: np.ndarray  # (n, height, width) uint8
    numbers: np.ndarray  # (n,) positions of the frames in the clip, from 0
    total: int  # frames in the clip
    text: str


def draw_strips(stores: dict[str, Path]) -> Figure:
    """One row a corpus whose clip store is there; none at all is an InputError."""
    strips = [read_strip(folder, corpus) for corpus, folder in stores.items() if (folder / "store.json").is_file()]
    if not strips:
        raise InputError(", ".join(map(str, stores.values())), "no clip store")
    figure = Figure(figsize=(WIDTH, HEIGHT * len(strips)))
    for axes, strip in zip(figure.subplots(len(strips), squeeze=False)[:, 0], strips, strict=True):
        _row(axes, strip)
    return figure


def read_strip(folder: Path, corpus: str) -> Strip:
    """The first test clip of a store, as at most FRAMES frames spread evenly over it."""
    from pcpg.mouths.store import ClipStore

    store = ClipStore(folder)
    test = store.select("test")
    if not test:
        raise InputError(folder, "no test clip")
    frames = np.asarray(store[test[0]])
    numbers = np.unique(np.linspace(0, len(frames) - 1, FRAMES).round().astype(int))
    return Strip(corpus, frames[numbers], numbers, len(frames), store.index[test[0]].text)


def _row(axes: Axes, strip: Strip) -> None:
    n, height, width = strip.frames.shape
    draw_row(axes, strip.frames, GAP)
    axes.set_title(f"{DATASETS[strip.corpus]}, {n} of {strip.total} frames", loc="left", fontsize=7.5, pad=2)
    middle = (n * (width + GAP) - GAP) / 2
    axes.text(middle, height + 6, f"“{strip.text}”", ha="center", va="top", fontsize=8)


def draw_row(axes: Axes, frames: np.ndarray, gap: int) -> None:
    """At most FRAMES frames (n, height, width) side by side, `gap` white pixels between two; the rest stays white."""
    _, height, width = frames.shape
    canvas = np.full((height, FRAMES * (width + gap) - gap), 255, np.uint8)
    for place, frame in enumerate(frames):
        canvas[:, place * (width + gap) : place * (width + gap) + width] = frame
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
    axes.set_axis_off()
