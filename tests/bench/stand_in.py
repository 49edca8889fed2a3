"""Whether a GPU would wait for clips, measured without one: lines of `make bench`.

The loader is the real one. Its GPU is torch's device "meta", where a call takes its time in Python and then does
nothing: a GPU that turns pixels in no time. An update keeps its thread busy with small calls, as one that launches
kernels, for as long as its FLOPs take at a rate that is assumed. Pinned memory and the way to the card are left out.
"""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from pcpg.learning.epochs import Training, ahead
from pcpg.reader.batches import Batch
from pcpg.settings.schema import Params
from tests.bench.clips import COUNT, made_up_store, made_up_view, paced
from tests.bench.full_size import SIZES
from tests.bench.scale import BACKWARD, forward

RATES = (100, 400)  # TFLOP/s: what docs/scale.md calls hopeful, and four times that
STEPS = 100


def launch(seconds: float, _: Batch) -> None:
    """Small calls, one after the other, for so long."""
    number, end = torch.ones(1), time.perf_counter() + seconds
    while time.perf_counter() < end:
        number + number


def beside(line: Callable, settings: Params) -> None:
    """The lines of each corpus at the sizes of `settings`; of the updates, the two that take a clip fastest."""
    for corpus, size in SIZES.items():
        view, clip = made_up_view(settings.view[corpus]), forward(settings, corpus, size.frames)
        kinds = {
            "cross-entropy": (settings.runs[corpus]["ce"].optimisation.batch, BACKWARD * clip.read(size.characters))
        }
        fixed = [of for of in settings.classifiers.get(corpus, {}).values() if of.encoder == "fixed"]
        if fixed:
            kinds["a probe with a fixed encoder"] = (fixed[0].optimisation.batch, clip.encoder)
        with tempfile.TemporaryDirectory() as folder:
            store = made_up_store(Path(folder), size.frames)
            store.mean_std(range(COUNT))  # as every baseline begins: all clips are read and checked
            for kind, (batch, flops) in kinds.items():
                training = Training(store, list(range(COUNT)), batch, view, torch.device("meta"), 0)
                for rate in RATES:
                    update = partial(launch, batch * flops / (rate * 1e12))
                    times = paced(ahead(training.batches(0, STEPS + 1)), update, time.perf_counter)
                    what = f"{corpus}, {kind}, batch {batch}, {rate} TFLOP/s"
                    limit = "0.05 at most" if rate == RATES[0] else "–"
                    line(f"waiting for clips against the step of a made-up GPU: {what}", *times, limit)
