"""Checkpoints: weights with all that is needed to use them. Loaded with weights_only, so no code runs on load."""

import io
import zipfile
from pathlib import Path

import torch

from pcpg.mouths.store import Region
from pcpg.reader.batches import View
from pcpg.reader.network import LipReader
from pcpg.settings.strict import build
from pcpg.workspace.errors import InputError
from pcpg.workspace.files import atomic_file

_VIEW = ("crop", "shift", "pool", "flip", "repeat")


def save(path: Path, content: dict) -> None:
    """Write atomically; the bytes depend on the content alone, not on the file's name."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with atomic_file(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def read(path: Path) -> object:
    """What `save` wrote, onto the CPU; an InputError names a file that is missing or damaged."""
    try:
        raw = io.BytesIO(path.read_bytes())
        with zipfile.ZipFile(raw) as archive:
            if (damaged := archive.testzip()) is not None:  # torch does not look at the checksums
                raise InputError(path, f"damaged: the checksum of its part {damaged} is another")
        raw.seek(0)
        return torch.load(raw, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(path, "no such checkpoint") from None
    except (InputError, OSError, MemoryError):
        raise
    except Exception as error:  # whatever zipfile and torch raise on bytes that somebody else has chosen
        raise InputError(path, f"not a readable checkpoint ({type(error).__name__})") from None


def load(path: Path, region: Region | None = None) -> dict:
    """A lip-reader's checkpoint; an InputError names a file that is none, or of other mouths than those of `region`."""
    content = read(path)
    if not isinstance(content, dict) or not {"settings", "model", "mean", "std", "iteration"} <= content.keys():
        raise InputError(path, "is not a checkpoint of a lip-reader")
    if not (isinstance(content["settings"], dict) and set(_VIEW) < content["settings"].keys()):
        raise InputError(path, "its settings are not those of a lip-reader")
    if "region" not in content:
        raise InputError(path, "does not say which mouth clips it was trained on: of an earlier pcpg; train it anew")
    words = content.setdefault("words", [])  # of an earlier pcpg
    if not (isinstance(words, list) and all(isinstance(word, str) and word.isalnum() for word in words)):
        raise InputError(path, "words: not a list of words")
    learnt = build(Region, content["region"], str(path), "region")
    if region and (learnt.kind, learnt.size) != (region.kind, region.size):
        raise InputError(path, f"was trained on mouths of another kind ({learnt}) than these clips ({region})")
    return content


def split_settings(settings: dict) -> tuple[dict, dict]:
    """The `model` section of params.yaml -> what the view needs, what the network needs."""
    view = {key: settings[key] for key in _VIEW}
    return view, {key: value for key, value in settings.items() if key not in _VIEW}


def restore(content: dict, device: torch.device) -> tuple[LipReader, View]:
    """The trained lip-reader and the view of the clips that it was trained on."""
    view, network = split_settings(content["settings"])
    model = LipReader(**network).to(device)
    model.load_state_dict(content["model"])
    return model, View(**view, mean=content["mean"], std=content["std"])
