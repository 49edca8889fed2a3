"""Measured speeds of clips, as `make bench` prints them: cutting them out, loading them, waiting for them."""

import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from statistics import mean, median

import cv2  # MediaPipe depends on it
import numpy as np
import torch

from pcpg.corpora.base import Clip
from pcpg.learning.epochs import Training, ahead
from pcpg.learning.loop import Learner
from pcpg.mouths.shard import Cutter
from pcpg.mouths.store import ClipStore, Region
from pcpg.reader.batches import Batch, fetch
from pcpg.reader.view import View, cut
from pcpg.settings.schema import Params
from pcpg.settings.training import ViewKeys
from pcpg.workspace import pool
from pcpg.workspace.seeding import generator
from tests.conftest import store_of

SHARED = Path(__file__).parents[3] / "shared"
COUNT, FRAMES, SIZE = 64, 75, 96  # clips as GRID's
LOADED = 16  # clips a batch


def medians(actions: list[Callable[[], object]], repeats: int) -> list[float]:
    """Processor seconds of each action, which take turns; the first turn does not count."""
    times = []
    for _ in range(repeats + 1):
        times.append([])
        for action in actions:
            start = time.process_time()
            action()
            times[-1].append(time.process_time() - start)
    return [median(column) for column in zip(*times[1:], strict=True)]


def made_up_clips(folder: Path) -> tuple[ClipStore, Path]:
    """The same smooth moving pictures as a store and, as most code for lip-reading has them, as jpgs in folders."""
    store = made_up_store(folder / "store", FRAMES)
    for number in range(COUNT):
        (folder / "jpgs" / f"c{number}").mkdir(parents=True)
        for t, frame in enumerate(store[number]):
            cv2.imwrite(str(folder / "jpgs" / f"c{number}" / f"{t}.jpg"), frame)
    return store, folder / "jpgs"


def made_up_store(folder: Path, count: int) -> ClipStore:
    """COUNT clips of `count` frames, smooth moving pictures."""
    draws, made, frames = np.random.default_rng(0), [], []
    for number in range(COUNT):
        coarse = draws.integers(60, 200, (12, 12 + count // 8 + 1), dtype=np.uint8)
        picture = cv2.resize(coarse, (SIZE + count, SIZE), interpolation=cv2.INTER_CUBIC)
        frames.append(np.stack([picture[:, t : t + SIZE] for t in range(count)]))
        made.append(Clip(f"c{number}", "", "s1", "train", "bin blue with f seven now", -1, 0, 0))
    return ClipStore(store_of(folder, made, frames, shards=2))


def made_up_view(view: ViewKeys) -> View:
    return View(**view.model_dump(), mean=0.5, std=0.2)


def read_jpgs(folder: Path) -> torch.Tensor:
    """uint8 (FRAMES, SIZE, SIZE), one cv2.imread a frame."""
    paths = (str(folder / f"{t}.jpg") for t in range(FRAMES))
    return torch.from_numpy(np.stack([cv2.imread(path, cv2.IMREAD_GRAYSCALE) for path in paths]))


def loading(line: Callable, store: ClipStore, jpgs: Path, view: View) -> float:
    """Lines -> clips a second that one core loads, ready to be copied to a GPU."""
    rows, cpu = range(LOADED), torch.device("cpu")

    def ours(row: int) -> torch.Tensor:
        return fetch(store, row, cpu)

    def by_opencv(row: int) -> torch.Tensor:
        return read_jpgs(jpgs / f"c{row}")

    def all_of(read: Callable[[int], torch.Tensor], crop: bool) -> None:
        for row in rows:
            clip = read(row)
            if crop:
                cut(clip, view, generator(0, row))

    def first_read() -> None:
        store._checked = bytearray(len(store))  # as if just opened: every clip's CRC-32 is computed
        all_of(ours, False)

    actions = [partial(all_of, read, crop) for crop in (False, True) for read in (ours, by_opencv)]
    stored, peers, seen, peers_seen, first = (seconds / LOADED for seconds in medians([*actions, first_read], 11))
    micro = partial(line, unit="µs", scale=1e6)
    micro("a clip loaded: store against 75 jpgs by OpenCV", stored, peers, "0.05 at most")
    micro("the same, cropped and flipped on the CPU", seen, peers_seen)
    micro("the same, not cropped, read for the first time, with its CRC-32", first, peers)
    return 1 / stored


def paced(batches: Iterable[Batch], update: Callable[[Batch], object], clock: Callable) -> tuple[float, float]:
    """Mean seconds of waiting for a batch and of a whole step; the first, which comes before any work, is left out."""
    waits, batches = [], iter(batches)
    update(next(batches))
    begin = mark = clock()
    for batch in batches:
        waits.append(clock() - mark)
        update(batch)
        mark = clock()
    return mean(waits), (mark - begin) / len(waits)


def waiting(line: Callable, name: str, learner: Learner, training: Training, loaded: float, count: int) -> None:
    """Lines: the share of training steps spent waiting for data, and what a core loads against what a step uses."""
    training.store.mean_std(training.rows)  # as every baseline begins: all clips are read and checked
    on_gpu = training.device.type == "cuda"
    batches = training.batches(0, count + 1)
    clock = time.perf_counter if on_gpu else time.process_time
    waited, each = paced(
        ahead(batches) if on_gpu else batches, partial(learner.learn, number=0), clock
    )  # ahead where `fit` is
    limit = "0.05 at most" if on_gpu else "–"
    line(f"waiting for clips against the whole step: {name}, batch {training.size}", waited, each, limit)
    what = f"clips that one core loads against those that are trained on: {name}"
    line(what, loaded, training.size / each, unit="clips/s", scale=1)


def on_device(line: Callable, settings: Params, size: int, device: torch.device, learner: Learner, count: int) -> None:
    """The lines of one device, with the network and the crop of `settings`."""
    view = made_up_view(settings.view["grid"])
    with tempfile.TemporaryDirectory() as folder:
        store, jpgs = made_up_clips(Path(folder))
        loaded = loading(line, store, jpgs, view)
        waiting(
            line, settings.preset, learner, Training(store, list(range(COUNT)), size, view, device, 0), loaded, count
        )


def timed_process(clip: Clip) -> float:
    """Frames per second of processor time."""
    start, region = time.process_time(), Region(kind="landmarks", landmarks="mediapipe", size=SIZE)
    made = Cutter(SHARED / "grid", region, SHARED / "models" / "face_landmarker.task").cut(clip)
    return len(made[0]) / (time.process_time() - start)


def mouths(line: Callable, count: int = 12, times: int = 10) -> None:
    """Lines of real GRID clips: `count` on one process, and so many times as many on two, to outlast their start."""
    videos = sorted((SHARED / "grid" / "s1").glob("*.mpg"))[:count]
    if not videos or not (SHARED / "models").is_dir():
        print("| mouths from GRID's videos | not measured: no real GRID clips beside the repository | – | – | – |")
        return
    listed = [Clip(f"s1/{path.stem}", f"s1/{path.name}", "s1", "train", "", -1, 0, 0) for path in videos]
    timed_process(listed[0])  # imports MediaPipe
    alone = median(map(timed_process, listed))
    start = time.perf_counter()
    both = median(list(pool.in_order(timed_process, listed * times, 2))[2:])
    passed = time.perf_counter() - start
    line("mouths from GRID's videos, a core's rate, two processes against one", both, alone, "50", "frames/s", 1)
    clock = times * count * FRAMES / passed
    line("the same by the clock, with the start of the two, against one process", clock, alone, "2", "frames/s", 1)
