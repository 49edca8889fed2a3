"""The network: ResNet-18's body, batched equal to one by one, and both decoders."""

import pytest
import torch
import torchvision

from pcpg.reader.decode import beam_search, greedy
from pcpg.reader.network import Classifier, LipReader, ResidualBlock, Stem
from pcpg.reader.text import END, decode

TINY = {
    "stem_channels": 4, "stem_kernel": [5, 5, 5], "stem_stride": [3, 2, 2], "stem_pool": False, "widths": [4, 8],
    "blocks": 1, "encoder_layers": 2, "encoder_hidden": 8, "directions": "concat", "decoder_layers": 2,
    "decoder_hidden": 12, "embedding": 6, "attention": 10, "dropout": 0.3,
}  # fmt: skip


@pytest.fixture
def model():
    torch.manual_seed(0)
    return LipReader(**TINY).eval()


@pytest.fixture
def frames():
    return torch.randn(3, 20, 16, 16, generator=torch.Generator().manual_seed(1))


LENGTHS = torch.tensor([20, 13, 7])


def masked(frames):
    return frames * (torch.arange(20) < LENGTHS[:, None])[:, :, None, None]


def test_paper_sized_body_is_that_of_torchvisions_resnet18(frames):
    """From the same weights the same features, and the same gradients down to the first layer, bit for bit."""
    ours = LipReader(**TINY | {"stem_channels": 64, "widths": [64, 128, 256, 512], "blocks": 2}).encoder.front_end.body
    reference = torchvision.models.resnet18(weights=None)
    theirs = torch.nn.Sequential(reference.layer1, reference.layer2, reference.layer3, reference.layer4)
    ours.load_state_dict(theirs.state_dict())
    maps = torch.randn(2, 64, 16, 16, generator=torch.Generator().manual_seed(1))
    found = []
    for body in (ours, theirs):
        features = body(maps)
        features.square().sum().backward()
        found.append([features, *(parameter.grad for parameter in body.parameters())])
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))
    assert [*ours.state_dict()] == [*theirs.state_dict()]


@pytest.mark.parametrize("stride", [1, 2])
def test_a_block_draws_the_initial_weights_that_torchvisions_draws(stride):
    torch.manual_seed(1)
    ours = ResidualBlock(4, 8, stride)
    torch.manual_seed(1)
    shortcut = torch.nn.Sequential(torch.nn.Conv2d(4, 8, 1, stride, bias=False), torch.nn.BatchNorm2d(8))
    theirs = torchvision.models.resnet.BasicBlock(4, 8, stride, shortcut)
    assert all(torch.equal(value, theirs.state_dict()[name]) for name, value in ours.state_dict().items())


@pytest.mark.parametrize(("kernel", "stride"), [([5, 7, 7], [1, 2, 2]), ([3, 5, 5], [3, 2, 2]), ([4, 3, 3], [2, 1, 1])])
def test_the_stem_is_the_3d_convolution_that_its_weights_say(frames, kernel, stride):
    stem = Stem(6, kernel, stride)
    wanted = torch.nn.Conv3d.forward(stem, frames[:, None]).transpose(1, 2).flatten(0, 1)
    assert torch.allclose(stem(frames), wanted, atol=1e-5)


@pytest.mark.parametrize("directions", ["concat", "sum"])
def test_batched_equals_one_by_one(frames, directions):
    torch.manual_seed(0)
    model = LipReader(**TINY | {"directions": directions}).eval()
    frames = masked(frames)
    together = model.encode(frames, LENGTHS)
    text = greedy(model.decoder, together, 12)
    best, scores = beam_search(model.decoder, together, 3, 12, 1.0)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = model.encode(frames[row : row + 1, :length], LENGTHS[row : row + 1])
        steps = alone.outputs.shape[1]
        assert torch.allclose(together.outputs[row, :steps], alone.outputs[0], atol=1e-5)
        assert decode(text[row].tolist()) == decode(greedy(model.decoder, alone, 12)[0].tolist())
        best_alone, scores_alone = beam_search(model.decoder, alone, 3, 12, 1.0)
        assert torch.allclose(scores[row], scores_alone[0], atol=1e-4)
        assert decode(best[row, 0].tolist()) == decode(best_alone[0, 0].tolist())


def test_a_beam_of_one_is_greedy(model, frames):
    memory = model.encode(frames, LENGTHS)
    ranked, _ = beam_search(model.decoder, memory, 1, 15, 1.0)
    for row, first in zip(ranked[:, 0].tolist(), greedy(model.decoder, memory, 15).tolist(), strict=True):
        assert decode(row) == decode(first)


def test_beam_scores_are_the_log_probabilities_of_their_texts(model, frames):
    memory = model.encode(frames[:1], LENGTHS[:1])
    ranked, scores = beam_search(model.decoder, memory, 4, 6, 1.0)
    for characters, score in zip(ranked[0], scores[0], strict=True):
        logits, _ = model.decoder.unroll(memory, lambda u, _, c=characters: c[u : u + 1], len(characters))
        steps = characters.tolist().index(END) + 1 if END in characters else len(characters)
        log_probs = logits[0].log_softmax(dim=1).gather(1, characters[: logits.shape[1], None])[:steps]
        assert score.item() == pytest.approx(log_probs.sum().item() / steps, rel=1e-4)
    assert scores[0].tolist() == sorted(scores[0].tolist(), reverse=True)


def test_a_wide_beam_finds_the_best_text_of_all(model, frames):
    """With a beam as wide as all prefixes, beam search is exhaustive: no text of 2 steps scores higher."""
    memory = model.encode(frames[:1], LENGTHS[:1])
    _, scores = beam_search(model.decoder, memory, 40, 2, 0.0)
    first, state, _ = model.decoder.step(torch.tensor([1]), memory.state, memory)
    first = first.log_softmax(dim=1)[0]
    best = first[END].item()
    for character in range(40):
        if character != END:
            second, _, _ = model.decoder.step(torch.tensor([character]), state, memory)
            best = max(best, (first[character] + second.log_softmax(dim=1).max()).item())
    assert scores[0, 0].item() == pytest.approx(best, rel=1e-5)


def test_classifier_ignores_padding(frames):
    torch.manual_seed(0)
    model = Classifier(LipReader(**TINY).encoder, 5).eval()
    frames = masked(frames)
    together = model(frames, LENGTHS)
    assert together.shape == (3, 5)
    assert torch.allclose(together[2], model(frames[2:3, :7], LENGTHS[2:3])[0], atol=1e-5)
