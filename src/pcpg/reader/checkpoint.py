"""Checkpoints: weights with all that is needed to use them. Loaded with weights_only, so no code runs on load."""

import io
import zipfile
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, NonNegativeInt
from torch import nn

from pcpg.mouths.store import ClipStore, Region
from pcpg.reader.network import LipReader
from pcpg.reader.view import View
from pcpg.settings.keys import Keys, Number, Positive, build
from pcpg.settings.training import Network, ViewKeys
from pcpg.workspace.errors import InputError, shortage
from pcpg.workspace.files import atomic_file


def _words(words: Any) -> list[str]:
    if not (isinstance(words, list) and all(isinstance(word, str) and word.isalnum() for word in words)):
        raise ValueError("not a list of words")
    return words


class Described(Keys):
    """What a checkpoint says of its weights."""

    view: ViewKeys
    network: Network
    region: Region
    mean: Number  # of the training pixels in [0, 1]
    std: Positive
    words: Annotated[Any, AfterValidator(_words)]  # those in the training texts
    iteration: NonNegativeInt


class Content(dict):
    """What a checkpoint holds; `path` is for messages, and is not saved again."""

    path: Path


def save(path: Path, content: dict) -> None:
    """Write atomically; the bytes depend on the content alone, not on the file's name."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with atomic_file(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def read(path: Path) -> object:
    """What `save` wrote, onto the CPU; an InputError names a file that is missing or damaged."""
    try:
        raw = io.BytesIO(path.read_bytes())
        with zipfile.ZipFile(raw) as archive:
            if (damaged := archive.testzip()) is not None:  # torch does not check the checksums
                raise InputError(path, f"damaged: the checksum of its part {damaged} is another")
        raw.seek(0)
        return torch.load(raw, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(path, "no such checkpoint") from None
    except (InputError, OSError):
        raise
    except Exception as error:  # zipfile and torch raise many kinds on foreign bytes
        if shortage(error):
            raise
        raise InputError(path, f"not a readable checkpoint ({type(error).__name__})") from None


def load(path: Path, region: Region | None = None) -> Content:
    """A lip-reader's checkpoint; an InputError names a file that is none or of other mouths than `region`."""
    content = read(path)
    if not isinstance(content, dict) or not {"model", "mean", "std", "iteration"} <= content.keys():
        raise InputError(path, "is not a checkpoint of a lip-reader")
    if missing := Described.model_fields.keys() - content.keys():
        raise InputError(path, f"does not say its {', '.join(sorted(missing))}: of an earlier pcpg; train it anew")
    described = build(Described, {key: content[key] for key in Described.model_fields}, path)
    learnt = described.region
    if region and (learnt.kind, learnt.size) != (region.kind, region.size):
        raise InputError(path, f"was trained on mouths of another kind ({learnt}) than these clips ({region})")
    content = Content(content | {"view": described.view.model_dump(), "network": described.network.model_dump()})
    content.path = path
    return content


def begin(
    store: ClipStore, start: Path | None, view: ViewKeys, network: Network, device: torch.device
) -> tuple[LipReader, View, dict]:
    """The lip-reader that a training begins with, its view, and what its checkpoint holds beside the weights.

    start: the checkpoint whose weights, network and view are taken; None for random weights, and a view that is
    normalised by the training split.
    """
    if start is not None:
        content = load(start, store.region)
        return *restore(content, device), {key: value for key, value in content.items() if key != "model"}
    rows = store.select("train")
    mean, std = store.mean_std(rows)
    content = {
        "view": view.model_dump(),
        "network": network.model_dump(),
        "region": store.region.model_dump(),
        "mean": mean,
        "std": std,
        "words": sorted({word for row in rows for word in store.index[row].text.lower().split()}),
        "iteration": 0,
    }
    return LipReader(**content["network"]).to(device), view_of(content), content


def restore(content: Content, device: torch.device) -> tuple[LipReader, View]:
    """The trained lip-reader and the view of the clips that it was trained on; an InputError as that of `fill`."""
    model = LipReader(**content["network"]).to(device)
    fill(model, content)
    return model, view_of(content)


def fill(model: nn.Module, content: Content) -> None:
    """Put the weights into their network; an InputError names the file where they do not fit."""
    try:
        model.load_state_dict(content["model"])
    except (AttributeError, RuntimeError, TypeError) as error:  # other names or shapes, or no weights
        if shortage(error):
            raise
        raise InputError(content.path, "does not fit the network of this version; train it anew") from None


def view_of(content: dict) -> View:
    return View(**content["view"], mean=content["mean"], std=content["std"])
