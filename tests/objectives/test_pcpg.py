"""The policy-gradient update: its parts by hand, and its gradient against exact enumeration over all transcriptions."""

import math
from copy import deepcopy
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from tiny import Tiny, all_transcriptions, estimates, log_policy, plain_rewards
from torch import nn

from pcpg.learning.loop import Learner
from pcpg.learning.session import Session
from pcpg.objectives import policy
from pcpg.objectives.base import Context, of_run
from pcpg.objectives.cross_entropy import CrossEntropy, teacher
from pcpg.objectives.pcpg import PCPG
from pcpg.objectives.policy import draw
from pcpg.objectives.pseudo_conv import coverage
from pcpg.objectives.rollout import sample, steps_taken
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader
from pcpg.reader.text import END, encode, to_batch
from pcpg.settings.load import load

NOBODY = torch.zeros(0, 0, dtype=torch.long)


def batch_of(texts: list[str], pixels: int = 8) -> Batch:
    targets, lengths = to_batch(texts)
    frames = torch.randn(len(texts), 9, pixels, pixels, generator=torch.Generator().manual_seed(0))
    full, rows = torch.full((len(texts),), 9), list(range(len(texts)))
    return Batch(frames, full, targets, lengths, full, rows, [f"clip{row}" for row in rows], rows)


@pytest.fixture
def run(root) -> PCPG:
    return of_run(load(root / "params.yaml").runs["grid"]["k1s1"])


def replace(objective: PCPG, **changes) -> PCPG:
    """Unchecked: halves and limits that a parameter file refuses too. Keys of the cross-entropy find their place."""
    inner = {key: changes.pop(key) for key in CrossEntropy.model_fields.keys() & changes.keys()}
    return objective.model_copy(update=changes | {"cross_entropy": objective.cross_entropy.model_copy(update=inner)})


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
    weights, lengths, reward = replace(run, **plain).weights(sampled, NOBODY, batch)
    assert lengths.tolist() == [4, 4, 3, 5]
    assert weights.tolist() == [
        [3, 2, 1, 0, 0, 0],
        [2, 2, 1, 0, 0, 0],
        [2, 1, 0, 0, 0, 0],
        [2, 1, 0, -1, 0, 0],
    ]
    assert reward.tolist() == pytest.approx([1, 2 / 3, 2 / 3, 2 / 3])
    halved, _, _ = replace(run, **plain | {"divide_by_length": True}).weights(sampled, NOBODY, batch)
    assert torch.allclose(halved, weights / 3)


def test_baselines_by_hand(run):
    """What the others, or the greedy transcription "bc", earn from the same step on is taken off."""
    sampled, greedy = characters_of(["abc", "xbc"], 4), characters_of(["bc"], 4)
    batch, plain = batch_of(["abc"]), {"samples": 2, "gamma": 1.0, "divide_by_length": False}
    mean, _, _ = replace(run, **plain, baseline="mean").weights(sampled, NOBODY, batch)
    assert mean.tolist() == [[1, 0, 0, 0], [-1, 0, 0, 0]]
    critical, _, _ = replace(run, **plain, baseline="greedy").weights(sampled, greedy, batch)
    assert critical.tolist() == [[1, 1, 1, 0], [0, 1, 1, 0]]  # greedy: rewards 0 or 1 that sum to 2, the second 1


def test_padding_that_is_not_masked_counts_as_steps_that_earn_nothing(run):
    """And returns are those of the text alone, however long its neighbours in the batch are."""
    sampled, batch = characters_of(["ab"], 6), batch_of(["abc"])
    settings = replace(run, samples=1, gamma=0.5, divide_by_length=False)
    masked, lengths, _ = settings.weights(sampled, NOBODY, batch)
    assert lengths.tolist() == [3]
    assert masked.tolist() == [[0.5**2 + 0.5, 0.5, 0, 0, 0, 0]]  # counted from the end, its own third step
    scored, lengths, _ = replace(settings, mask_padding=False).weights(sampled, NOBODY, batch)
    assert lengths.tolist() == [6]
    assert torch.equal(scored, masked)


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
def test_one_rollout_serves_both_losses(model, baseline):
    """The forced rows are what teacher forcing alone gives; log p belongs to the sampled characters."""
    batch = batch_of(["ab", "place red"])
    memory = model.encode(batch.frames, batch.lengths)
    rollout = sample(model, memory, batch, 12, samples=3, greedy=baseline == "greedy")
    forced, _ = model.decoder.unroll(memory, teacher(batch.targets), batch.targets.shape[1])
    assert torch.allclose(rollout.forced, forced, atol=1e-5)
    sampled = rollout.sampled
    logits, _ = model.decoder.unroll(memory, lambda u, _: sampled[:, u], sampled.shape[1], rows_per_clip=3)
    assert torch.allclose(rollout.log_probs[:, : logits.shape[1]], policy.log_policy(logits), atol=1e-4)
    assert len({tuple(row) for row in sampled.tolist()}) == 6  # six samples of two clips, all different
    _, likeliest = model.decoder.unroll(memory, lambda u, logits: policy.log_policy(logits).argmax(dim=1), 12)
    assert rollout.greedy.shape[0] == (2 if baseline == "greedy" else 0)
    if baseline == "greedy":
        assert rollout.greedy[:, : likeliest.shape[1]].tolist() == likeliest.tolist()


def test_argmax_takes_the_likeliest_character_in_place_of_a_sample(model):
    batch = batch_of(["ab", "place red"])
    memory = model.encode(batch.frames, batch.lengths)
    rollout = sample(model, memory, batch, 12, samples=1, sampling="argmax")
    _, likeliest = model.decoder.unroll(memory, lambda u, logits: policy.log_policy(logits).argmax(dim=1), 12)
    assert rollout.sampled[:, : likeliest.shape[1]].tolist() == likeliest.tolist()


def test_lambda_mixes_the_two_losses(model, run):
    batch = batch_of(["ab", "place red"])
    ce = run.cross_entropy.losses(model, batch, Context(12))["loss"].item()
    none = replace(run, lambda_pg=Fraction(0)).losses(model, batch, Context(12))
    assert none["loss"].item() == pytest.approx(ce, rel=1e-6)
    mixed = replace(run, lambda_pg=Fraction(1, 4)).losses(model, batch, Context(12))
    assert mixed["loss"].item() == pytest.approx(0.75 * ce + 0.25 * mixed["pcpg"].item(), rel=1e-4)
    bonus = replace(run, lambda_pg=Fraction(1, 4), entropy=0.1).losses(model, batch, Context(12))
    assert (mixed["loss"] - bonus["loss"]).item() == pytest.approx(0.025 * mixed["entropy"].item(), rel=1e-3)


def test_bfloat16_gives_nearly_the_same_losses(model, run):
    batch, settings = batch_of(["ab", "place red"]), replace(run, baseline="greedy", entropy=0.1)
    wanted = settings.losses(model, batch, Context(12))
    with torch.autocast("cpu", torch.bfloat16):
        found = settings.losses(model, batch, Context(12))
    found["loss"].backward()
    assert found["ce"].item() == pytest.approx(wanted["ce"].item(), rel=0.02)
    assert all(value.dtype == torch.float32 for value in found.values())
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


# The gradient of a whole update against the sum over all fifteen transcriptions of a tiny decoder.


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
def test_a_batch_in_parts_gives_the_update_of_the_whole(root, run, model, monkeypatch, parts, policy):
    """Losses, gradient and norm, for more parts than clips too; what each part has of its own, the statistics of batch
    normalisation, stands still here."""
    monkeypatch.setattr(nn.BatchNorm2d, "train", lambda self, mode: nn.Module.train(self, False))
    objective = replace(run, baseline="greedy", samples=3, entropy=0.1) if policy else run.cross_entropy
    optimisation = load(root / "params.yaml").runs["grid"]["k1s1"].optimisation
    batch, learned = batch_of(["bin blue", "set", "lay red now", "a", "place"]), []
    for accumulate in (1, parts):
        copy = deepcopy(model)
        settings = optimisation.model_copy(update={"accumulate": accumulate, "clip_norm": 1e9})
        session = Session("test", 1, torch.device("cpu"), "float32", "", *[Path()] * 4)
        losses = Learner(copy, objective, Context(12), settings, 10, session).learn(batch, 0)
        learned.append((losses, [parameter.grad for parameter in copy.parameters()]))
    (whole, gradient), (in_parts, added) = learned
    assert whole.keys() == in_parts.keys() and len(whole) == (6 if policy else 3)
    del whole["ce"]  # only to be read: per character, and each part has its own number of them
    for name, value in whole.items():
        torch.testing.assert_close(in_parts[name], value, rtol=1e-5, atol=1e-6)
    for one, other in zip(gradient, added, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-6)
