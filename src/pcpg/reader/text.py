"""The 40 classes of the decoder (Section III-B of the paper): padding, begin, end, space, 26 letters, 10 digits."""

from itertools import takewhile

import torch
from torch.nn.utils.rnn import pad_sequence

from pcpg.corpora.base import CHARACTERS
from pcpg.workspace.errors import InputError

PAD, BEGIN, END = 0, 1, 2
CLASSES = 3 + len(CHARACTERS)
_INDEX = {character: index for index, character in enumerate(CHARACTERS, start=3)}


def encode(text: str) -> list[int]:
    """Class indices of `text` (any case), without begin and end; a character outside the 37 is an InputError."""
    try:
        return [_INDEX[character] for character in text.lower()]
    except KeyError as unknown:
        raise InputError(repr(text), f"character {unknown} is not one of the 40 classes") from None


def decode(indices: list[int]) -> str:
    """Text up to the first end symbol; begin and padding are left out."""
    written = takewhile(lambda index: index != END, indices)
    return "".join(CHARACTERS[index - 3] for index in written if index not in (PAD, BEGIN))


def to_batch(texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Encode to targets (N, U) that end with END and are filled with PAD, and lengths (N,) that count END."""
    rows = [torch.tensor([*encode(text), END]) for text in texts]
    lengths = torch.tensor([len(row) for row in rows])
    return pad_sequence(rows, batch_first=True, padding_value=PAD), lengths
