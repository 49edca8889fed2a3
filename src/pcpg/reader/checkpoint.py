"""Checkpoints: weights with all that is needed to use them. Loaded with weights_only, so no code runs on load."""

import io
import zipfile
from pathlib import Path

import torch
from pydantic import NonNegativeInt
from torch import nn

from pcpg.mouths.store import ClipStore, Region
from pcpg.reader.network import LipReader
from pcpg.reader.view import View
from pcpg.settings.keys import Keys, Number, Positive, build
from pcpg.settings.training import Network, ViewKeys
from pcpg.workspace.errors import InputError, shortage
from pcpg.workspace.files import atomic_file

PARTS = {"view", "network", "model", "region", "mean", "std", "words", "iteration"}


class Numbers(Keys):
    """The numbers that a checkpoint holds beside its sections."""

    mean: Number
    std: Positive
    iteration: NonNegativeInt


class Content(dict):
    """What a checkpoint holds; `path` is for messages, and is not saved again."""

    path: Path


def new_lip_reader(store: ClipStore, view: ViewKeys, network: Network, device: torch.device) -> tuple[LipReader, View]:
    """A lip-reader of random weights, and its view of the clips, normalised by the training split."""
    mean, std = store.mean_std(store.select("train"))
    return LipReader(**network.model_dump()).to(device), View(**view.model_dump(), mean=mean, std=std)


def describe(store: ClipStore, keys: ViewKeys, network: Network, view: View) -> dict:
    """What a checkpoint holds beside its weights: the network's sizes, its input, the words of its training."""
    words = {word for row in store.select("train") for word in store.index[row].text.lower().split()}
    return {
        "view": keys.model_dump(),
        "network": network.model_dump(),
        "region": store.region.model_dump(),
        "mean": view.mean,
        "std": view.std,
        "words": sorted(words),
        "iteration": 0,
    }


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
    if not content.keys() >= PARTS:
        missing = ", ".join(sorted(PARTS - content.keys()))
        raise InputError(path, f"does not say its {missing}: of an earlier pcpg; train it anew")
    for key, kind in (("view", ViewKeys), ("network", Network)):
        content[key] = build(kind, content[key], path, key).model_dump()
    words = content["words"]
    if not (isinstance(words, list) and all(isinstance(word, str) and word.isalnum() for word in words)):
        raise InputError(path, "words: not a list of words")
    learnt = build(Region, content["region"], path, "region")
    if region and (learnt.kind, learnt.size) != (region.kind, region.size):
        raise InputError(path, f"was trained on mouths of another kind ({learnt}) than these clips ({region})")
    build(Numbers, {key: content[key] for key in Numbers.model_fields}, path)
    content = Content(content)
    content.path = path
    return content


def begin(
    store: ClipStore, start: Path | None, view: ViewKeys, network: Network, device: torch.device
) -> tuple[LipReader, View, dict]:
    """The lip-reader that a training begins with, its view, and what its checkpoint holds beside the weights.

    start: the checkpoint whose weights, network and view are taken; None for random weights.
    """
    if start is None:
        model, clip_view = new_lip_reader(store, view, network, device)
        return model, clip_view, describe(store, view, network, clip_view)
    content = load(start, store.region)
    return *restore(content, device), {key: value for key, value in content.items() if key != "model"}


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
