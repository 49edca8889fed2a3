"""Transcriptions of one clip, and the decoder's attention while it writes them."""

from dataclasses import dataclass

import numpy as np
import torch

from pcpg.reader.decode import beam_search
from pcpg.reader.network import Decoder, LipReader, Memory
from pcpg.reader.text import BEGIN, END, PAD
from pcpg.reader.view import View, normalise


@dataclass(frozen=True)
class Transcriptions:
    """The results of beam search, best first, and the attention weights of the best."""

    characters: list[list[int]]  # class indices, up to the end symbol where there is one
    scores: list[float]  # log p per character
    weights: np.ndarray  # (U, S) of the best, over encoder steps


@torch.no_grad()
def read_lips(model: LipReader, view: View, pixels: torch.Tensor, beam: int, max_length: int) -> Transcriptions:
    """The `beam` best transcriptions of one clip, uint8 (T, crop, crop), as `view` cuts it."""
    lengths = torch.tensor([len(pixels)])
    memory = model.eval().encode(normalise(pixels[None], lengths, view), lengths)
    ranked, scores = beam_search(model.decoder, memory, beam, max_length, length_normalisation=1.0)
    characters = [row[: row.index(END) + 1] if END in row else row for row in ranked[0].tolist()]
    weights = attend(model.decoder, memory, torch.tensor(characters[:1]))
    return Transcriptions(characters, scores[0].tolist(), weights[0].numpy())


@torch.no_grad()
def attend(decoder: Decoder, memory: Memory, characters: torch.Tensor) -> torch.Tensor:
    """Attention weights of the decoder as it is fed `characters` (N, U) int64, padded with PAD -> float (N, U, S).

    Row u holds the weights over the encoder's S steps from which character u is written, so after the characters
    before it: they sum to 1 and are 0 after the clip's end. Rows of padding are 0. Put the decoder in eval mode
    first: dropout would change its state.
    """
    weights = memory.outputs.new_zeros(*characters.shape, memory.outputs.shape[1])
    state = memory.state
    fed = torch.full_like(characters[:, :1], BEGIN)
    for u, character in enumerate(torch.cat([fed, characters], dim=1)[:, :-1].T):
        _, state, weights[:, u] = decoder.step(character, state, memory)
    return weights * (characters != PAD)[:, :, None]
