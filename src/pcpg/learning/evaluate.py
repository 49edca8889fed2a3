"""Stages `evaluate` and `classify`: a run's or a classifier's predictions of the test split, with all seeds."""

import json
from collections.abc import Callable
from pathlib import Path

import torch

from pcpg.learning.validate import BATCH, accuracy, refuse_longer
from pcpg.learning.validate import classify as classify_clips
from pcpg.mouths.store import ClipStore
from pcpg.reader import batches, checkpoint
from pcpg.reader.decode import beam_search, greedy
from pcpg.reader.metrics import error_rates
from pcpg.reader.network import Classifier, LipReader
from pcpg.reader.text import decode
from pcpg.settings.training import Decoding
from pcpg.workspace.errors import InputError
from pcpg.workspace.files import write_text
from pcpg.workspace.rows import write_csv

Rows = list[dict[str, str]]  # of predictions.csv, but for the seed


@torch.no_grad()
def transcribe_test(
    weights: Path, store: ClipStore, decoding: Decoding, max_length: int, device: torch.device
) -> tuple[Rows, dict]:
    """-> one row per test clip, and the error rates of both decoders."""
    refuse_longer(store, max_length)
    model, view = checkpoint.restore(checkpoint.load(weights, store.region), device)
    model.eval()
    rows: Rows = []
    for batch in batches.in_order(store, store.select("test"), BATCH, view, device):
        memory = model.encode(batch.frames, batch.lengths)
        first = greedy(model.decoder, memory, max_length).tolist()
        ranked, _ = beam_search(model.decoder, memory, decoding.beam, max_length, decoding.length_normalisation)
        for row, characters, beam in zip(batch.rows, first, ranked[:, 0].tolist(), strict=True):
            rows.append(_described(store, row) | {"greedy": decode(characters), "beam": decode(beam)})
    references = [row["reference"] for row in rows]
    return rows, {kind: error_rates(references, [row[kind] for row in rows]) for kind in ("greedy", "beam")}


def classify_test(weights: Path, store: ClipStore, device: torch.device) -> tuple[Rows, dict]:
    """-> one row per test clip, its class named by its word, and the accuracy."""
    content = checkpoint.load(weights, store.region)
    if not isinstance(content.get("classes"), int):
        raise InputError(weights, "is not a checkpoint of a word classifier")
    model = Classifier(LipReader(**content["network"]).encoder, content["classes"]).to(device)
    checkpoint.fill(model, content)
    view = checkpoint.view_of(content)
    classes = classify_clips(model, store, store.select("test"), view, device)
    words = {clip.label: clip.text for clip in store.index}
    # labels are places in the list of all words: a class may have no clip here, so no word
    rows = [_described(store, row) | {"classified": words.get(label, "")} for row, label in classes.items()]
    return rows, {"accuracy": accuracy(store, classes)}


def evaluate_seeds(
    weights: dict[int, Path],
    of_seed: Callable[[Path], tuple[Rows, dict]],
    identity: dict,
    metrics: Path,
    predictions: Path,
) -> None:
    """Write predictions.csv and metrics.json of all seeds.

    weights: by seed; of_seed: weights -> rows of predictions, scores; identity: first entries of metrics.json
    (corpus, run, protocol, ...).
    """
    by_seed = {seed: of_seed(path) for seed, path in weights.items()}
    rows = [{"seed": seed} | row for seed, (of_one, _) in by_seed.items() for row in of_one]
    write_csv(predictions, list(rows[0]), rows)
    scores = {str(seed): score for seed, (_, score) in by_seed.items()}
    content = identity | {"split": "test", "clips": len(rows) // len(by_seed), "seeds": scores}
    write_text(metrics, json.dumps(content, indent=2) + "\n")


def _described(store: ClipStore, row: int) -> dict[str, str]:
    clip = store.index[row]
    return {"clip": clip.clip, "speaker": clip.speaker, "reference": clip.text}
