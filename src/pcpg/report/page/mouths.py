"""What the lip-reader sees of a test clip, and where it looks: strips of mouths and attention maps, small enough to
stand in the page."""

import base64
import io
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from pcpg.mouths.store import ClipStore, Region
from pcpg.reader import batches, checkpoint
from pcpg.reader.attention import attend
from pcpg.reader.text import to_batch
from pcpg.settings.schema import Params
from pcpg.workspace.paths import Paths

CLIPS = 60  # of each corpus
FRAMES, SIZE, QUALITY = 10, 40, 45
PREFERRED = ("k5s1", "ce")  # the run whose attention is shown: the paper's own, else the baseline


def media(settings: Params, paths: Paths, corpus: dict, content: dict) -> dict:
    """Strips, and the attention of one run, of the corpus' first clips; {} where the clip store is absent.

    content, and corpus, a part of it: as pcpg.report.page.predictions.collect_predictions made them.
    """
    name = corpus["name"]
    if not (paths.clips(name) / "store.json").is_file():
        print(f"page: {paths.clips(name)} is not there: no mouths of {name}", file=sys.stderr)
        return {}
    store = ClipStore(paths.clips(name))
    places = {row.clip: number for number, row in enumerate(store.index)}
    rows = {i: places[clip] for i, clip in enumerate(corpus["clips"][:CLIPS]) if clip in places}
    return {
        "strips": {i: strip(np.asarray(store[row]), settings.view[name].crop) for i, row in rows.items()},
        "attention": _looks(settings, paths, corpus, content, store, rows),
    }


def strip(frames: np.ndarray, crop: int) -> str:
    """uint8 (T, size, size) -> FRAMES moments side by side as WebP in base64.

    Each is the frame in the middle of its share of the clip, of which a short clip repeats some; `crop` pixels of the
    centre are shown.
    """
    edge = (frames.shape[1] - crop) // 2
    chosen = frames[((np.arange(FRAMES) + 0.5) * len(frames) / FRAMES).astype(int)]
    cut = np.ascontiguousarray(chosen[:, edge : edge + crop, edge : edge + crop])
    small = [np.asarray(Image.fromarray(frame).resize((SIZE, SIZE))) for frame in cut]
    picture = io.BytesIO()
    Image.fromarray(np.concatenate(small, axis=1)).save(picture, "WEBP", quality=QUALITY, method=6)
    return base64.b64encode(picture.getvalue()).decode()


def _looks(settings: Params, paths: Paths, corpus: dict, content: dict, store: ClipStore, rows: dict) -> dict | None:
    """The maps of the first preferred run that has weights of these settings; None where none has."""
    name, runs = corpus["name"], {run["name"]: run["seeds"][0] for run in corpus["runs"]}
    for run in (run for run in PREFERRED if "greedy" in runs.get(run, {}).get("decoders", {})):
        seed, greedy = runs[run]["seed"], runs[run]["decoders"]["greedy"]
        network = trained_network(paths.weights(name, run, seed), settings, name, store.region)
        if network:
            written = {i: content["texts"][content["pairs"][greedy[i]][1]] for i in rows}
            maps = attention_maps(*network, store, {i: row for i, row in rows.items() if written[i]}, written)
            return {"run": run, "seed": seed, "maps": maps}
    return None


def trained_network(weights: Path, settings: Params, corpus: str, region: Region) -> tuple | None:
    """The trained lip-reader and its view; None where there is none, or one of other settings than today's."""
    if not weights.is_file():
        return None
    content = checkpoint.load(weights, region)
    today = {"view": settings.view[corpus].model_dump(), "network": settings.network[corpus].model_dump()}
    if any(content[key] != value for key, value in today.items()):
        print(f"page: {weights} was made with other settings: no attention from it", file=sys.stderr)
        return None
    return checkpoint.restore(content, torch.device("cpu"))


def attention_maps(model, view, store: ClipStore, rows: dict[int, int], written: dict[int, str]) -> dict[int, list]:
    """For each clip [encoder steps S, base64 of uint8 (characters, S)], the weights as it writes what is `written`.

    255 is the highest weight of its map. rows: our number of a clip -> its place in the store.
    """
    maps, cpu = {}, torch.device("cpu")
    model.eval()
    with torch.no_grad():
        for i, row in rows.items():  # one clip at a time: they are few, and need no padding then
            batch = batches.collate(store, [row], view, cpu)
            memory = model.encode(batch.frames, batch.lengths)
            characters, _ = to_batch([written[i]])
            weights = attend(model.decoder, memory, characters)[0, :-1].numpy()  # without the end symbol
            levels = np.rint(255 * weights / weights.max()).astype(np.uint8)
            maps[i] = [levels.shape[1], base64.b64encode(levels.tobytes()).decode()]
    return maps
