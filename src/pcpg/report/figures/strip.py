"""The paper's Fig. 1: what the model sees, as a row of mouth frames of one test clip for each corpus."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pcpg.mouths.store import ClipStore
from pcpg.report.figures import WIDTH
from pcpg.report.paper import DATASETS
from pcpg.workspace.errors import InputError

FRAMES = 12
HEIGHT = 0.95  # inches: one strip with what is written above and below it
GAP = 3  # white pixels between two frames


def draw_strips(stores: dict[str, Path]) -> Figure:
    """One row a corpus whose clip store is there; none at all is an InputError."""
    there = {corpus: folder for corpus, folder in stores.items() if (folder / "store.json").is_file()}
    if not there:
        raise InputError(", ".join(map(str, stores.values())), "no clip store")
    figure = Figure(figsize=(WIDTH, HEIGHT * len(there)))
    for axes, (corpus, folder) in zip(figure.subplots(len(there), squeeze=False)[:, 0], there.items(), strict=True):
        _row(axes, DATASETS[corpus], *first_test_clip(folder))
    return figure


def first_test_clip(folder: Path) -> tuple[ClipStore, int]:
    """The clip store in a folder, and the number of its first test clip; InputError where it has none."""
    store = ClipStore(folder)
    test = store.select("test")
    if not test:
        raise InputError(folder, "no test clip")
    return store, test[0]


def _row(axes: Axes, corpus: str, store: ClipStore, number: int) -> None:
    """At most FRAMES frames, spread evenly over the clip, with its text below."""
    frames = np.asarray(store[number])
    shown = frames[np.unique(np.linspace(0, len(frames) - 1, FRAMES).round().astype(int))]
    n, height, width = shown.shape
    draw_row(axes, shown, GAP)
    axes.set_title(f"{corpus}, {n} of {len(frames)} frames", loc="left", fontsize=7.5, pad=2)
    middle = (n * (width + GAP) - GAP) / 2
    axes.text(middle, height + 6, f"“{store.index[number].text}”", ha="center", va="top", fontsize=8)


def draw_row(axes: Axes, frames: np.ndarray, gap: int) -> None:
    """At most FRAMES frames (n, height, width) side by side, `gap` white pixels between two; the rest stays white."""
    _, height, width = frames.shape
    canvas = np.full((height, FRAMES * (width + gap) - gap), 255, np.uint8)
    for place, frame in enumerate(frames):
        canvas[:, place * (width + gap) : place * (width + gap) + width] = frame
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
    axes.set_axis_off()
