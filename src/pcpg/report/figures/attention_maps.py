"""Where two trained models look for each character that they read: the baseline and a policy-gradient run, one clip."""

from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from rapidfuzz.distance import Levenshtein

from pcpg.mouths.store import ClipStore
from pcpg.reader import checkpoint
from pcpg.reader.attention import read_lips
from pcpg.reader.view import cut
from pcpg.report.figures import WIDTH
from pcpg.report.figures.attention import draw_heat, draw_strip
from pcpg.report.figures.learning import STYLES
from pcpg.report.figures.reading import Reading
from pcpg.report.figures.strip import first_test_clip
from pcpg.report.figures.style import VERMILLION, place, say_in
from pcpg.report.paper import DATASETS
from pcpg.settings.schema import Params
from pcpg.workspace.paths import Paths

RUNS = ("ce", "k5s1")
LEFT, MIDDLE, RIGHT = 0.44, 0.48, 0.62  # inches: margins, and between the two models
TOP, HEAD, GAP, BOTTOM = 0.2, 0.2, 0.05, 0.36  # inches: title, what each model reads, strip to map, time axis
SIDE = (WIDTH - LEFT - MIDDLE - RIGHT) / 2  # inches: one model
ROW = 0.13  # inches: one character
FRAMES = 7  # of a strip
FRAME = SIDE / FRAMES  # inches: one square frame
WRONG = VERMILLION  # bold too, for grey prints


def draw_attention_maps(corpus: str, settings: Params, paths: Paths) -> Figure:
    """Left the baseline, right k = 5, s = 1: the first test clip's mouth over time, above characters x seconds.

    A row is a character that the model itself reads, greedily, and is dark where it looks for it; both maps share one
    scale. Bold characters are wrong: substituted or inserted. A run without weights is named so.
    """
    said, readings = read_first_clip(corpus, settings, paths)
    rows = {run: len(reading.labels) if reading else 8 for run, reading in readings.items()}
    height = TOP + HEAD + FRAME + GAP + ROW * max(rows.values()) + BOTTOM
    figure = Figure(figsize=(WIDTH, height))
    title = f"{DATASETS[corpus]}, said: “{said}”; seed {settings.seeds[0]}; bold characters are wrong"
    figure.text(0.005, 1 - 0.02 / height, title, va="top", fontsize=8)
    images = []
    for number, (run, reading) in enumerate(readings.items()):
        left, top = LEFT + number * (SIDE + MIDDLE), TOP + HEAD
        strip = place(figure, left, top, SIDE, FRAME)
        heat = place(figure, left, top + FRAME + GAP, SIDE, ROW * rows[run])
        said_by = f": “{reading.text}”" if reading else ""
        strip.set_title(STYLES[run][0] + said_by, loc="left", pad=3, fontsize=7.5)
        if reading:
            images.append(_map(strip, heat, reading, said))
        else:
            strip.set_axis_off()
            heat.set_axis_off()
            say_in(heat)
    if images:
        bar = place(figure, WIDTH - RIGHT + 0.1, TOP + HEAD + FRAME + GAP, 0.08, min(ROW * max(rows.values()), 1.3))
        highest = max(float(image.get_array().max()) for image in images)
        for image in images:
            image.set_clim(0, highest)
        figure.colorbar(images[0], cax=bar).outline.set_visible(False)
        bar.set_ylabel("attention")
    return figure


def read_first_clip(corpus: str, settings: Params, paths: Paths) -> tuple[str, dict[str, Reading | None]]:
    """What is said in the first test clip of the corpus, and what each run reads; None where it has no weights."""
    store, number = first_test_clip(paths.clips(corpus))
    files = {run: paths.weights(corpus, run, settings.seeds[0]) for run in RUNS}
    readings = {
        run: _read(path, store, number, settings.max_length) if path.is_file() else None for run, path in files.items()
    }
    return store.index[number].text, readings


def _read(path: Path, store: ClipStore, number: int, max_length: int) -> Reading:
    """What the checkpoint's lip-reader writes, greedily, for one clip of the store."""
    content = checkpoint.load(path, store.region)
    model, view = checkpoint.restore(content, torch.device("cpu"))
    seen = cut(torch.tensor(store[number]), view, None)
    best, stride = read_lips(model, view, seen, 1, max_length), content["network"]["stem_stride"][0]
    return Reading(seen.numpy(), best.characters[0], best.weights, stride, best.scores[0])


def wrong(said: str, text: str) -> set[int]:
    """The characters of `text` that are substituted or inserted, by the shortest way from what was said to it."""
    changes = Levenshtein.editops(said, text)
    return {change.dest_pos for change in changes if change.tag in ("replace", "insert")}


def _map(strip: Axes, heat: Axes, reading: Reading, said: str) -> AxesImage:
    draw_strip(strip, reading.mouths, min(FRAMES, len(reading.mouths)))
    image = draw_heat(heat, reading.labels, reading.weights, reading.stride)
    heat.set(xlim=strip.get_xlim(), ylabel="")
    for number in wrong(said, reading.text):
        heat.get_yticklabels()[reading.places[number]].set(color=WRONG, fontweight="bold")
    return image
