"""Attention weights: what they sum to, what they leave out, and the same as decoding step by step."""

import pytest
import torch

from pcpg.reader.attention import attend
from pcpg.reader.decode import greedy
from pcpg.reader.network import LipReader
from pcpg.reader.text import BEGIN, END, PAD
from pcpg.settings.load import load

FRAMES = [9, 20, 14]


@pytest.fixture(scope="module")
def reader(root) -> LipReader:
    """Random weights, drawn wide apart so that attention is no mere mean; it never writes a symbol."""
    network = load(root / "tests" / "smoke.params.yaml").network["grid"]
    torch.manual_seed(3)
    model = LipReader(**network.model_dump()).eval()
    with torch.no_grad():
        for weights in model.decoder.parameters():
            weights.mul_(3)
        model.decoder.output.bias[[PAD, BEGIN, END]] = -1e4
    return model


@pytest.fixture(scope="module")
def clips() -> tuple[torch.Tensor, torch.Tensor]:
    lengths = torch.tensor(FRAMES)
    frames = torch.randn(3, 20, 32, 32, generator=torch.Generator().manual_seed(1))
    return frames * (torch.arange(20) < lengths[:, None])[:, :, None, None], lengths


def padded(rows: list[list[int]]) -> torch.Tensor:
    length = max(map(len, rows))
    return torch.tensor([row + [PAD] * (length - len(row)) for row in rows])


ROWS = [[5, 9, 3, END], [7, END], [8, 8, 12, 30, 4, END]]


@torch.no_grad()
def test_real_characters_share_one_over_real_steps(reader, clips):
    memory = reader.encode(*clips)
    characters = padded(ROWS)
    weights = attend(reader.decoder, memory, characters)
    assert weights.shape == (3, 6, 7) and not weights.requires_grad
    steps = [(frames + 2) // 3 for frames in FRAMES]
    for clip, (row, count) in enumerate(zip(ROWS, steps, strict=True)):
        torch.testing.assert_close(weights[clip, : len(row), :count].sum(dim=1), torch.ones(len(row)))
        assert (weights[clip, : len(row), :count] > 0).all()
        assert (weights[clip, :, count:] == 0).all() and (weights[clip, len(row) :] == 0).all()


@torch.no_grad()
def test_padding_changes_nothing(reader, clips):
    frames, lengths = clips
    together = attend(reader.decoder, reader.encode(*clips), padded(ROWS))
    for clip, row in enumerate(ROWS):
        memory = reader.encode(frames[clip : clip + 1, : lengths[clip]], lengths[clip : clip + 1])
        alone = attend(reader.decoder, memory, torch.tensor([row]))
        torch.testing.assert_close(together[clip : clip + 1, : len(row), : alone.shape[2]], alone)


@torch.no_grad()
def test_the_same_as_greedy_decoding_step_by_step(reader, clips):
    reader.decoder.query.weight.mul_(4)  # an untrained one hardly listens to what was written
    memory = reader.encode(*clips)
    character, state, expected, written = torch.full((3,), BEGIN), memory.state, [], []
    for _ in range(8):
        logits, state, weights = reader.decoder.step(character, state, memory)
        character = logits.argmax(dim=1)
        expected.append(weights)
        written.append(character)
    characters = torch.stack(written, dim=1)
    assert torch.equal(characters, greedy(reader.decoder, memory, 8))
    weights = attend(reader.decoder, memory, characters)
    torch.testing.assert_close(weights, torch.stack(expected, dim=1))
    assert (weights[:, 1:] - weights[:, :-1]).abs().max() > 0.01  # the characters do move it


@torch.no_grad()
def test_no_characters(reader, clips):
    empty = torch.empty(3, 0, dtype=torch.int64)
    assert attend(reader.decoder, reader.encode(*clips), empty).shape == (3, 0, 7)
