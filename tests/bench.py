"""Measured speeds, as `make bench` prints them. Ratios are taken within one run, on one thread."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from rapidfuzz.distance import Levenshtein

from pcpg import params
from pcpg.batches import Batch
from pcpg.checkpoint import split_settings
from pcpg.finetune import mixed_losses
from pcpg.model import LipReader
from pcpg.params import to_plain
from pcpg.rewards import prefix_edit_distances
from pcpg.text import to_batch
from pcpg.train import forced_losses

SENTENCES = (
    "bin blue at f two now", "place green with x seven please", "set white in p nine again", "lay red by a one soon",
)  # fmt: skip
PAPER = {"stem_channels": 64, "stem_kernel": [5, 7, 7], "stem_stride": [1, 2, 2], "stem_pool": True,
         "widths": [64, 128, 256, 512], "blocks": 2, "encoder_hidden": 512, "decoder_hidden": 512, "embedding": 256,
         "attention": 512, "dropout": 0.5}  # fmt: skip


def seconds(action: Callable[[], object], repeats: int) -> float:
    """The fastest of `repeats` calls, after one that is not counted."""
    action()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def made_up_batch(size: int, pixels: int) -> Batch:
    texts = [SENTENCES[i % len(SENTENCES)] for i in range(size)]
    targets, lengths = to_batch(texts)
    full = torch.full((size,), 75)
    return Batch(torch.randn(size, 75, pixels, pixels), full, targets, lengths, full, list(range(size)))


def update_of(model: LipReader, losses: Callable[[], dict]) -> Callable[[], None]:
    """Forward, backward and Adam. A briefly trained stand-in: end symbols are likely enough for samples to end."""
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-5)

    def update() -> None:
        optimiser.zero_grad()
        losses()["loss"].backward()
        optimiser.step()

    return update


def updates(name: str, network: dict, pixels: int, size: int, repeats: int) -> None:
    torch.manual_seed(0)
    settings = params.load(Path(__file__).parents[1] / "presets" / "mini.yaml")
    run = replace(settings.runs.grid["k5s1"], samples=5)
    model, batch = LipReader(**network).train(), made_up_batch(size, pixels)
    longest = batch.targets.shape[1]
    ce = seconds(update_of(model, lambda: forced_losses(model, 0.0, batch)), repeats)
    pcpg = seconds(update_of(model, lambda: mixed_losses(model, run, longest, batch)), repeats)
    what = f"update, {name}, batch {size}"
    print(f"| {what} | cross-entropy {ce:.3f} s | policy gradient, M = 5: {pcpg:.3f} s | {pcpg / ce:.2f} x |")


def threads(network: dict, pixels: int) -> None:
    """One run of two threads, against which two runs of one thread each stand."""
    model, batch = LipReader(**network).train(), made_up_batch(16, pixels)
    times = []
    for count in (1, 2):
        torch.set_num_threads(count)
        times.append(seconds(update_of(model, lambda: forced_losses(model, 0.0, batch)), 5))
    torch.set_num_threads(1)
    one, two = times
    print(f"| update, mini, batch 16 | one thread {one:.3f} s | two threads {two:.3f} s | {two / one:.2f} x |")


def reward() -> None:
    targets, lengths = to_batch(list(SENTENCES) * 20)
    hyp = torch.randint(3, 40, targets.shape)
    ours = seconds(lambda: prefix_edit_distances(hyp, targets, lengths), 5)
    references = [row[:length] for row, length in zip(targets.tolist(), lengths.tolist(), strict=True)]

    def prefix_by_prefix() -> None:
        for row, reference in zip(hyp.tolist(), references, strict=True):
            for u in range(len(row) + 1):
                Levenshtein.distance(row[:u], reference)

    theirs = seconds(prefix_by_prefix, 3)
    print(f"| prefix edit distances, 80 x 32 | batched {ours * 1e3:.1f} ms | rapidfuzz, prefix by prefix: "
          f"{theirs * 1e3:.1f} ms | {theirs / ours:.1f} x |")  # fmt: skip


def main() -> None:
    torch.set_num_threads(1)
    settings = params.load(Path(__file__).parents[1] / "presets" / "mini.yaml")
    view, network = split_settings(to_plain(settings.model["grid"]))
    print("| what | one | other | ratio |\n|---|---|---|---|")
    reward()
    threads(network, view["crop"] // view["pool"])
    updates("mini", network, view["crop"] // view["pool"], 16, 5)
    updates("paper size", network | PAPER, 88, 2, 2)


if __name__ == "__main__":
    main()
