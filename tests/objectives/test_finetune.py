"""The policy-gradient update: its parts by hand, and its gradient against exact enumeration over all transcriptions."""

import math
from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest
import torch
from rapidfuzz.distance import Levenshtein
from torch import nn

from pcpg.learning.finetune import draw, mixed_losses, policy_returns, rollout, steps_taken
from pcpg.learning.loop import Learner
from pcpg.learning.session import Session
from pcpg.learning.train import forced_losses, teacher
from pcpg.objectives.pseudo_conv import coverage
from pcpg.reader.batches import Batch
from pcpg.reader.network import Decoder, LipReader, Memory
from pcpg.reader.text import BEGIN, END, encode, to_batch
from pcpg.settings.load import load

NOBODY = torch.zeros(0, 0, dtype=torch.long)


def batch_of(texts: list[str], pixels: int = 8) -> Batch:
    targets, lengths = to_batch(texts)
    frames = torch.randn(len(texts), 9, pixels, pixels, generator=torch.Generator().manual_seed(0))
    full, rows = torch.full((len(texts),), 9), list(range(len(texts)))
    return Batch(frames, full, targets, lengths, full, rows, [f"clip{row}" for row in rows], rows)


@pytest.fixture
def run(root):
    return load(root / "presets" / "mini.yaml").runs.grid["k1s1"]


@pytest.fixture
def model():
    torch.manual_seed(0)
    sizes = {"stem_channels": 4, "stem_kernel": [3, 3, 3], "stem_stride": [2, 2, 2], "stem_pool": False, "widths": [4]}
    rnn = {"encoder_layers": 1, "encoder_hidden": 6, "directions": "concat", "decoder_layers": 2, "decoder_hidden": 8}
    return LipReader(**sizes, **rnn, blocks=1, embedding=4, attention=5, dropout=0.0).eval()


def characters_of(texts: list[str], steps: int) -> torch.Tensor:
    rows = [([*encode(text), END] + [7] * steps)[:steps] for text in texts]  # what follows the end is meaningless
    return torch.tensor(rows)


def test_steps_count_the_first_end_symbol():
    assert steps_taken(characters_of(["ab", "abcde", ""], 5)).tolist() == [3, 5, 1]


def test_returns_of_samples_by_hand(run):
    """Reference "abc"; samples "abc" (all right), "xbc" (one wrong), "ab" (one missing), "abcd" (one too many)."""
    sampled = characters_of(["abc", "xbc", "ab", "abcd"], 6)
    batch, plain = batch_of(["abc"]), {"samples": 4, "gamma": 1.0, "divide_by_length": False}
    weights, lengths, reward = policy_returns(sampled, NOBODY, batch, replace(run, **plain))
    assert lengths.tolist() == [4, 4, 3, 5]
    assert weights.tolist() == [
        [3, 2, 1, 0, 0, 0],
        [2, 2, 1, 0, 0, 0],
        [2, 1, 0, 0, 0, 0],
        [2, 1, 0, -1, 0, 0],
    ]
    assert reward.tolist() == pytest.approx([1, 2 / 3, 2 / 3, 2 / 3])
    halved, _, _ = policy_returns(sampled, NOBODY, batch, replace(run, **plain | {"divide_by_length": True}))
    assert torch.allclose(halved, weights / 3)


def test_baselines_by_hand(run):
    """What the others, or the greedy transcription "bc", earn from the same step on is taken off."""
    sampled, greedy = characters_of(["abc", "xbc"], 4), characters_of(["bc"], 4)
    batch, plain = batch_of(["abc"]), {"samples": 2, "gamma": 1.0, "divide_by_length": False}
    mean, _, _ = policy_returns(sampled, NOBODY, batch, replace(run, **plain, baseline="mean"))
    assert mean.tolist() == [[1, 0, 0, 0], [-1, 0, 0, 0]]
    critical, _, _ = policy_returns(sampled, greedy, batch, replace(run, **plain, baseline="greedy"))
    assert critical.tolist() == [[1, 1, 1, 0], [0, 1, 1, 0]]  # greedy: rewards 0 or 1 that sum to 2, the second 1


def test_padding_that_is_not_masked_counts_as_steps(run):
    sampled, batch = characters_of(["ab"], 6), batch_of(["abc"])
    settings = replace(run, samples=1, gamma=0.5, divide_by_length=False)
    masked, lengths, _ = policy_returns(sampled, NOBODY, batch, settings)
    assert lengths.tolist() == [3]
    assert masked.tolist() == [[0.5**2 + 0.5, 0.5, 0, 0, 0, 0]]  # counted from the end, its own third step
    scored, lengths, _ = policy_returns(sampled, NOBODY, batch, replace(settings, mask_padding=False))
    assert lengths.tolist() == [6]
    assert scored.tolist() == [[0.5**5 + 0.5**4, 0.5**4, 0, 0, 0, 0]]


def test_drawing_follows_the_distribution_and_never_takes_what_has_no_probability():
    probabilities = torch.tensor([[0.0, 0.25, 0.0, 0.75, 0.0]])
    uniforms = torch.tensor([0.0, 0.1, 0.2499, 0.2501, 0.9999999])
    assert draw(probabilities.expand(5, 5), uniforms).tolist() == [1, 1, 1, 3, 3]
    many = draw(probabilities.expand(20_000, 5), torch.rand(20_000, generator=torch.Generator().manual_seed(0)))
    assert (many == 1).double().mean().item() == pytest.approx(0.25, abs=0.015)


def test_the_decoder_is_taught_by_coins():
    targets = torch.tensor([[5, 6, END, 0]] * 2)
    logits = torch.eye(40)[[9, END]]  # the decoder's own choice: a character, or the end
    coins = torch.tensor([[0.4, 0.6, 0.6, 0.6]] * 2)
    half = teacher(targets, 0.5, coins)
    assert [half(u, logits).tolist() for u in range(4)] == [[5, 5], [9, 6], [END, END], [0, 0]]
    assert [teacher(targets)(u, logits).tolist() for u in range(4)] == [[5, 5], [6, 6], [END, END], [0, 0]]


@pytest.mark.parametrize("baseline", ["none", "greedy"])
def test_one_rollout_serves_both_losses(model, run, baseline):
    """The forced rows are what teacher forcing alone gives; log p belongs to the sampled characters."""
    batch = batch_of(["ab", "place red"])
    passed = rollout(model, batch, replace(run, samples=3, baseline=baseline), max_length=12)
    memory = model.encode(batch.frames, batch.lengths)
    forced, _ = model.decoder.unroll(memory, teacher(batch.targets), batch.targets.shape[1])
    assert torch.allclose(passed.forced, forced, atol=1e-5)
    sampled = passed.sampled
    logits, _ = model.decoder.unroll(memory, lambda u, _: sampled[:, u], sampled.shape[1], each=3)
    assert torch.allclose(passed.log_probs[:, : logits.shape[1]], logits.log_softmax(dim=2), atol=1e-4)
    assert len({tuple(row) for row in sampled.tolist()}) == 6  # six samples of two clips, all different
    _, likeliest = model.decoder.unroll(memory, lambda u, logits: logits.argmax(dim=1), 12)
    assert passed.greedy.shape[0] == (2 if baseline == "greedy" else 0)
    if baseline == "greedy":
        assert passed.greedy[:, : likeliest.shape[1]].tolist() == likeliest.tolist()


def test_argmax_takes_the_likeliest_character_in_place_of_a_sample(model, run):
    batch = batch_of(["ab", "place red"])
    passed = rollout(model, batch, replace(run, samples=1, sampling="argmax"), max_length=12)
    _, likeliest = model.decoder.unroll(
        model.encode(batch.frames, batch.lengths), lambda u, logits: logits.argmax(dim=1), 12
    )
    assert passed.sampled[:, : likeliest.shape[1]].tolist() == likeliest.tolist()


def test_lambda_mixes_the_two_losses(model, run):
    batch = batch_of(["ab", "place red"])
    ce = forced_losses(run, model, batch)["loss"].item()
    assert mixed_losses(replace(run, lambda_pg=Fraction(0)), 12, model, batch)["loss"].item() == ce
    mixed = mixed_losses(replace(run, lambda_pg=Fraction(1, 4)), 12, model, batch)
    assert mixed["loss"].item() == pytest.approx(0.75 * ce + 0.25 * mixed["pcpg"].item(), rel=1e-4)
    bonus = mixed_losses(replace(run, lambda_pg=Fraction(1, 4), entropy=0.1), 12, model, batch)
    assert (mixed["loss"] - bonus["loss"]).item() == pytest.approx(0.025 * mixed["entropy"].item(), rel=1e-3)


def test_bfloat16_gives_nearly_the_same_losses(model, run):
    batch, settings = batch_of(["ab", "place red"]), replace(run, baseline="greedy", entropy=0.1)
    wanted = mixed_losses(settings, 12, model, batch)
    with torch.autocast("cpu", torch.bfloat16):
        found = mixed_losses(settings, 12, model, batch)
    found["loss"].backward()
    assert found["ce"].item() == pytest.approx(wanted["ce"].item(), rel=0.02)
    assert all(value.dtype == torch.float32 for value in found.values())
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


# The gradient of a whole update, of the real decoder cut down to the classes "a", "b" and end, over at most three
# steps, against the sum over all fifteen transcriptions.

STEPS, ALPHABET = 3, [*encode("ab"), END]


class Tiny(nn.Module):
    """A decoder that sees the same clip in every row; all but three classes are impossible."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.decoder = Decoder(memory=4, state=4, layers=2, hidden=5, embedding=3, attention=4, dropout=0.0)
        with torch.no_grad():
            for parameter in self.decoder.parameters():
                parameter.mul_(3)  # far from uniform
            closed = [c for c in range(40) if c not in ALPHABET]
            self.decoder.output.weight[closed] = 0
            self.decoder.output.bias[closed] = -1e4
        self.outputs, self.state = torch.randn(1, 6, 4), torch.randn(1, 4)

    def encode(self, frames: torch.Tensor, lengths: torch.Tensor) -> Memory:
        outputs, state = self.outputs.expand(len(frames), -1, -1), self.state.expand(len(frames), -1)
        return self.decoder.remember(outputs, torch.ones(len(frames), 6, dtype=torch.bool), state)

    def gradient(self, loss: torch.Tensor) -> torch.Tensor:
        found = torch.autograd.grad(loss, list(self.decoder.parameters()))
        return torch.cat([part.flatten() for part in found])


def all_transcriptions() -> list[list[int]]:
    found = []

    def extend(prefix: list[int]) -> None:
        if len(prefix) == STEPS or prefix[-1:] == [END]:
            found.append(prefix)
        else:
            for character in ALPHABET:
                extend([*prefix, character])

    extend([])
    assert len(found) == 15
    return found


def log_policy(tiny: Tiny, sequence: list[int], temperature: float) -> torch.Tensor:
    """log p (U, C) of every step of one transcription, one step after the other."""
    memory, rows = tiny.encode(torch.zeros(1), torch.ones(1)), []
    state, before = memory.state, BEGIN
    for character in sequence:
        logits, state, _ = tiny.decoder.step(torch.tensor([before]), state, memory)
        rows.append((logits[0] / temperature).log_softmax(dim=0))
        before = character
    return torch.stack(rows)


def plain_rewards(sequence: list[int], reference: list[int]) -> list[int]:
    text = [c for c in sequence if c != END]
    distances = [Levenshtein.distance(text[:u], reference) for u in range(len(text) + 1)]
    earned = [distances[u] - distances[u + 1] for u in range(len(text))]
    return earned + [0] * (len(sequence) - len(text))


def exact(tiny: Tiny, run, reference: list[int]) -> torch.Tensor:
    """Gradient of the expected loss: every transcription, weighted by its probability, its returns in plain loops."""
    loss = 0.0
    for sequence in all_transcriptions():
        log_probs, earned, length = log_policy(tiny, sequence, run.temperature), None, len(sequence)
        earned = plain_rewards(sequence, reference)
        chosen = log_probs[torch.arange(length), torch.tensor(sequence)]
        discount = (lambda u, i, n=length: n - 1 - i) if run.discount_from == "end" else (lambda u, i: i - u)
        returns = [
            sum(run.gamma ** discount(u, i) * earned[i] for i in range(u, length)) / len(reference)
            for u in range(length)
        ]
        weight = coverage(length, torch.tensor([float(w) for w in run.kernel]), run.stride) * torch.tensor(returns)
        entropy = -(log_probs.exp() * log_probs).sum(dim=1)
        probability = chosen.sum().exp().detach()
        loss = loss - probability * ((weight * chosen).sum() + run.entropy * entropy.sum())
    return tiny.gradient(loss)


CASES = {
    "plain": {},
    "mean of the other samples": {"baseline": "mean"},
    "self-critical": {"baseline": "greedy"},
    "temperature": {"temperature": 2.0},
    "discounted from the end": {"gamma": 0.5, "discount_from": "end"},
    "discounted from the step": {"gamma": 0.5, "discount_from": "step", "baseline": "greedy"},
    "pseudo-convolution": {"kernel": [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)], "stride": 1},
    "no overlap": {"kernel": [Fraction(1, 3)] * 3, "stride": 3, "baseline": "mean"},
    "entropy": {"entropy": 0.5},
}


def estimates(tiny: Tiny, run, draws: int) -> torch.Tensor:
    """(draws, parameters): the gradient of that many independent updates, of 300 clips each."""
    targets, lengths = to_batch(["ab"] * 300)
    full, rows, found = torch.ones(300), list(range(300)), []
    for number in range(draws):
        seeds = [1000 * number + row for row in rows]
        batch = Batch(full, full, targets, lengths, full, rows, [""] * 300, seeds)
        found.append(tiny.gradient(mixed_losses(run, STEPS, tiny, batch)["loss"]))
    return torch.stack(found)


@pytest.mark.parametrize("case", CASES)
def test_the_estimate_converges_to_the_exact_gradient(run, case):
    plain = {"lambda_pg": Fraction(1), "gamma": 1.0, "samples": 5, "divide_by_length": True}
    run, tiny, draws = replace(run, **plain | CASES[case]), Tiny(), 60
    found, wanted = estimates(tiny, run, draws), exact(tiny, run, encode("ab"))
    mean, error = found.mean(dim=0), found.std(dim=0) / math.sqrt(draws)
    moving = wanted.abs() > 1e-4  # parameters of impossible classes have no gradient at all
    assert moving.sum() > 100
    assert torch.allclose(mean[~moving], wanted[~moving], atol=1e-3)
    z = (mean - wanted)[moving] / error[moving]
    assert z.abs().max() < 5 and z.square().mean() < 1.8  # 90,000 samples: what chance allows
    assert ((mean + wanted)[moving] / error[moving]).abs().max() > 30  # and no more: a wrong sign is far off


def test_the_exact_gradient_is_that_of_the_expected_reward(run):
    """The policy-gradient theorem itself: without discount the expectation above is the derivative of the reward."""
    tiny, reference, expected = Tiny(), encode("ab"), 0.0
    run = replace(run, gamma=1.0)
    for sequence in all_transcriptions():
        log_probs = log_policy(tiny, sequence, 1.0)[torch.arange(len(sequence)), torch.tensor(sequence)]
        expected = expected + log_probs.sum().exp() * sum(plain_rewards(sequence, reference)) / len(reference)
    gradient = tiny.gradient(-expected)
    assert torch.allclose(gradient, exact(tiny, run, reference), atol=1e-5)
    assert gradient.abs().max() > 0.01


def test_a_wrong_step_is_seen(run):
    """The exact gradient with the returns one step late is rejected by the estimates, so the test above can fail."""
    run = replace(run, lambda_pg=Fraction(1), gamma=1.0)
    tiny, late = Tiny(), replace(run, kernel=[Fraction(0), Fraction(0), Fraction(1)])  # the weight of the step after
    found = estimates(tiny, run, 30)
    wanted = exact(tiny, late, encode("ab"))
    moving = wanted.abs() > 1e-4
    z = (found.mean(dim=0) - wanted)[moving] / (found.std(dim=0)[moving] / math.sqrt(30))
    assert z.abs().max() > 10


@pytest.mark.parametrize("parts", [2, 3, 7])
@pytest.mark.parametrize("policy", [False, True])
def test_a_batch_in_parts_gives_the_update_of_the_whole(run, model, monkeypatch, parts, policy):
    """Losses, gradient and norm, for more parts than clips too; what each part has of its own, the statistics of batch
    normalisation, stands still here."""
    monkeypatch.setattr(nn.BatchNorm2d, "train", lambda self, mode: nn.Module.train(self, False))
    run = replace(run, baseline="greedy", samples=3, entropy=0.1, lambda_pg=Fraction(policy, 2))
    batch, learned = batch_of(["bin blue", "set", "lay red now", "a", "place"]), []
    for accumulate in (1, parts):
        copy, settings = deepcopy(model), replace(run, accumulate=accumulate, clip_norm=1e9)
        session = Session("test", 1, torch.device("cpu"), "float32", *[Path()] * 3)
        losses = Learner(copy, partial(mixed_losses, settings, 12), settings, 10, session).update(batch)
        learned.append((losses, [parameter.grad for parameter in copy.parameters()]))
    (whole, gradient), (in_parts, added) = learned
    assert whole.keys() == in_parts.keys() and len(whole) == (6 if policy else 3)
    del whole["ce"]  # only to be read: per character, and each part has its own number of them
    for name, value in whole.items():
        torch.testing.assert_close(in_parts[name], value, rtol=1e-5, atol=1e-6)
    for one, other in zip(gradient, added, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-6)


def test_one_pass_gives_the_gradient_of_the_authors_many(root, capsys):
    """The comparison of `make bench`, and that its lines can be printed."""
    bench = pytest.importorskip("tests.bench.speeds", exc_type=ImportError)  # OpenCV wants libGL
    mini = load(root / "presets" / "mini.yaml")
    assert bench.check_same_gradient(mini) < 1e-5
    bench.updates(mini, 2, 1, torch.device("cpu"))
    assert capsys.readouterr().out.count("| update of M = 5 against") == 2


def test_the_bench_asks_a_made_up_gpu(root, monkeypatch):
    """A step is as long as its FLOPs say, 0.068 GFLOP a clip forwards, or as its batch takes to come."""
    bench = pytest.importorskip("tests.bench.stand_in", exc_type=ImportError)
    monkeypatch.setattr(bench, "STEPS", 2)
    monkeypatch.setattr(bench, "RATES", (1, 1000))  # TFLOP/s
    found = {}
    bench.beside(
        lambda what, waited, each, limit: found.update({what.split(": ")[1]: (waited, each)}),
        load(root / "presets" / "mini.yaml"),
    )
    assert len(found) == 10 and all(0 <= waited <= each for waited, each in found.values())
    slow, fast = (found[f"grid, cross-entropy, batch 16, {rate} TFLOP/s"] for rate in (1, 1000))
    assert slow[1] > 3 * 16 * 0.067e9 / 1e12 and fast[0] > 0.5 * fast[1]
