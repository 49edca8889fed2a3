"""Stage `evaluate`: greedy and beam-search error rates of one run on the test split."""

import csv
import json
from pathlib import Path

import torch

from pcpg.mouths.store import ClipStore
from pcpg.reader import batches, checkpoint
from pcpg.reader.decode import beam_search, greedy
from pcpg.reader.metrics import error_rates
from pcpg.reader.text import decode
from pcpg.settings.schema import Decoding
from pcpg.workspace.files import atomic_file, write_text

PREDICTIONS = ("clip", "speaker", "reference", "greedy", "beam")


@torch.no_grad()
def transcribe_test(weights: Path, store: ClipStore, decoding: Decoding, device: torch.device) -> list[dict[str, str]]:
    """-> one row of predictions.csv per test clip."""
    model, view = checkpoint.restore(checkpoint.load(weights, store.region), device)
    model.eval()
    predictions = []
    for batch in batches.in_order(store, store.select("test"), 64, view, device):
        memory = model.encode(batch.frames, batch.lengths)
        first = greedy(model.decoder, memory, decoding.max_length).tolist()
        ranked, _ = beam_search(
            model.decoder, memory, decoding.beam, decoding.max_length, decoding.length_normalisation
        )
        for row, characters, beam in zip(batch.rows, first, ranked[:, 0].tolist(), strict=True):
            clip = store.index[row]
            values = (clip.clip, clip.speaker, clip.text, decode(characters), decode(beam))
            predictions.append(dict(zip(PREDICTIONS, values, strict=True)))
    return predictions


def write_predictions(path: Path, rows: list[dict[str, str]]) -> None:
    with atomic_file(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_metrics(path: Path, metrics: dict) -> None:
    write_text(path, json.dumps(metrics, indent=2) + "\n")


def evaluate(
    clips: Path, weights: Path, outcome: Path, decoding: Decoding, device: torch.device, identity: dict
) -> None:
    """Write `outcome`/predictions.csv and metrics.json; `identity` (corpus, run, seed, protocol) opens the latter."""
    predictions = transcribe_test(weights, ClipStore(clips), decoding, device)
    references = [row["reference"] for row in predictions]
    metrics = identity | {"split": "test", "clips": len(predictions), "beam_size": decoding.beam}
    for kind in ("greedy", "beam"):
        metrics[kind] = error_rates(references, [row[kind] for row in predictions])
    write_predictions(outcome / "predictions.csv", predictions)
    write_metrics(outcome / "metrics.json", metrics)
