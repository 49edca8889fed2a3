"""Greedy and beam-search decoding of a whole batch at once."""

from collections.abc import Callable

import torch

from pcpg.reader.network import Decoder, Memory
from pcpg.reader.text import BEGIN, END, PAD


def greedy(decoder: Decoder, memory: Memory, max_length: int) -> torch.Tensor:
    """The likeliest character at each of up to max_length steps -> (N, U); what follows a row's END is meaningless."""
    _, characters = decoder.unroll(memory, lambda u, logits: logits.argmax(dim=1), max_length)
    return characters


def beam_search(
    decoder: Decoder,
    memory: Memory,
    beam: int,
    max_length: int,
    length_normalisation: float,
    log_p: Callable[[torch.Tensor], torch.Tensor] = torch.nn.LogSoftmax(dim=-1),  # noqa: B008, it holds no state
) -> tuple[torch.Tensor, torch.Tensor]:
    """The `beam` best transcriptions -> characters (N, beam, U), scores (N, beam), best first.

    score = log p / length^length_normalisation, the end symbol counted. The search itself ranks by log p, so a beam
    of 1 is greedy decoding. A finished transcription stays in the beam, followed by padding with log p 0. log_p:
    logits (R, C) -> log p (R, C).
    """
    count, device = len(memory.outputs), memory.outputs.device
    state = memory.state.repeat_interleave(beam, 1)
    first_row = torch.arange(count, device=device)[:, None] * beam  # (N, 1)
    scores = torch.full((count, beam), -torch.inf, device=device)
    scores[:, 0] = 0.0  # all beams start equal: only one may branch
    characters = torch.full((count * beam, 1), BEGIN, device=device)
    finished = torch.zeros(count * beam, dtype=torch.bool, device=device)
    lengths = torch.zeros(count * beam, device=device)
    for _ in range(max_length):
        logits, state, _ = decoder.step(characters[:, -1], state, memory)
        log_probs = log_p(logits)
        log_probs[finished] = -torch.inf
        log_probs[finished, PAD] = 0.0
        totals = (scores.view(-1, 1) + log_probs).view(count, -1)  # (N, beam * C)
        scores, best = totals.topk(beam, dim=1)
        origin = (first_row + best // logits.shape[1]).flatten()
        chosen = (best % logits.shape[1]).flatten()
        characters = torch.cat([characters[origin], chosen[:, None]], dim=1)
        state, lengths = state[:, origin], lengths[origin] + ~finished[origin]
        finished = finished[origin] | (chosen == END)
        if bool(finished.all()):
            break
    normalised = scores / lengths.view(count, beam) ** length_normalisation
    normalised, order = normalised.sort(dim=1, descending=True, stable=True)
    ranked = characters[:, 1:][(first_row + order).flatten()]
    return ranked.view(count, beam, -1), normalised
