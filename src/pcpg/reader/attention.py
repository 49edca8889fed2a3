"""Where the decoder looks while it writes given characters."""

import torch

from pcpg.reader.network import Decoder, Memory
from pcpg.reader.text import BEGIN, PAD


@torch.no_grad()
def attend(decoder: Decoder, memory: Memory, characters: torch.Tensor) -> torch.Tensor:
    """Attention weights of the decoder as it is fed `characters` (N, U) int64, padded with PAD -> float (N, U, S).

    Row u holds the weights over the encoder's S steps from which character u is written, so after the characters
    before it: they sum to 1 and are 0 behind the clip's end. Rows of padding are 0. Put the decoder in eval mode
    first, or dropout disturbs its state.
    """
    weights = memory.outputs.new_zeros(*characters.shape, memory.outputs.shape[1])
    state = memory.state
    fed = torch.full_like(characters[:, :1], BEGIN)
    for u, character in enumerate(torch.cat([fed, characters], dim=1)[:, :-1].T):
        _, state, weights[:, u] = decoder.step(character, state, memory)
    return weights * (characters != PAD)[:, :, None]
