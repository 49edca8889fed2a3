"""The losses against hand computation, and the policy gradient against exact enumeration."""

import itertools

import pytest
import torch

from pcpg.objectives import cross_entropy, leave_one_out, policy_gradient, standardise
from pcpg.rewards import returns, rewards
from pcpg.text import PAD


def test_cross_entropy_sums_steps_and_leaves_padding_out():
    logits = torch.randn(2, 3, 40)
    targets = torch.tensor([[5, 6, 2], [7, 2, PAD]])
    log_probs = logits.log_softmax(dim=2)
    by_hand = -(log_probs[0, 0, 5] + log_probs[0, 1, 6] + log_probs[0, 2, 2] + log_probs[1, 0, 7] + log_probs[1, 1, 2])
    assert cross_entropy(logits, targets).item() == pytest.approx(by_hand.item() / 2, rel=1e-5)


def test_standardised_returns_have_zero_mean_and_unit_deviation():
    values, taken = torch.randn(4, 6), torch.arange(6) < torch.tensor([6, 3, 4, 5])[:, None]
    for row, mask in zip(standardise(values * taken, taken, "sequence"), taken, strict=True):
        assert row[mask].mean().item() == pytest.approx(0, abs=1e-5)
        assert row[mask].std(unbiased=False).item() == pytest.approx(1, abs=1e-4)
        assert (row[~mask] == 0).all()
    assert standardise(values * taken, taken, "batch")[taken].mean().item() == pytest.approx(0, abs=1e-5)


def test_leave_one_out_compares_each_sample_with_the_others():
    values = torch.tensor([[1.0], [2.0], [6.0], [0.0], [0.0], [3.0]])
    assert leave_one_out(values, 3).flatten().tolist() == [-3.0, -1.5, 4.5, -1.5, -1.5, 3.0]


SIZE, STEPS, REFERENCE = 3, 3, [0, 1, 2]


def sequence_log_probs(theta: torch.Tensor, sequences: torch.Tensor) -> torch.Tensor:
    """A tiny policy whose step u depends on the character before: theta (U, C + 1, C) -> log p (N, U)."""
    before = torch.cat([torch.full((len(sequences), 1), SIZE), sequences[:, :-1]], dim=1)
    log_probs = theta.log_softmax(dim=2)[torch.arange(STEPS), before]
    return log_probs.gather(2, sequences[:, :, None]).squeeze(2)


def sequence_returns(sequences: torch.Tensor) -> torch.Tensor:
    lengths = torch.full((len(sequences),), STEPS)
    reference = torch.tensor([REFERENCE]).expand(len(sequences), -1)
    return returns(rewards(sequences, lengths, reference, lengths), lengths, 1.0, "step")


def exact_gradient(theta: torch.Tensor) -> torch.Tensor:
    """d/d theta of minus the expected total reward, summed over all 27 sequences."""
    sequences = torch.tensor(list(itertools.product(range(SIZE), repeat=STEPS)))
    total = sequence_returns(sequences)[:, 0]
    expected = -(sequence_log_probs(theta, sequences).sum(dim=1).exp() * total).sum()
    return torch.autograd.grad(expected, theta)[0]


def sample(theta: torch.Tensor, count: int, generator: torch.Generator) -> torch.Tensor:
    character, characters = torch.full((count,), SIZE), []
    for u in range(STEPS):
        character = torch.multinomial(theta[u].softmax(dim=1)[character], 1, generator=generator).squeeze(1)
        characters.append(character)
    return torch.stack(characters, dim=1)


@pytest.mark.parametrize("baseline", ["none", "mean"])
def test_the_estimate_converges_to_the_exact_gradient(baseline):
    generator = torch.Generator().manual_seed(5)
    theta = torch.randn(STEPS, SIZE + 1, SIZE, generator=generator, requires_grad=True)
    count, samples = 200_000, 5
    sequences = sample(theta.detach(), count, generator)
    weights = sequence_returns(sequences)
    if baseline == "mean":
        weights = leave_one_out(weights, samples)
    lengths = torch.full((count,), STEPS)
    loss = policy_gradient(sequence_log_probs(theta, sequences), weights, lengths, torch.ones(1), 1, "loss", "same")
    estimate, exact = torch.autograd.grad(loss, theta)[0], exact_gradient(theta)
    # 200,000 samples of bounded variance: a standard error of about 0.003 an entry; a wrong sign or step is 0.1 off
    assert (estimate - exact).abs().max() < 0.015
    assert exact.abs().max() > 0.1


def test_convolving_the_loss_with_stride_k_is_plain_policy_gradient_over_k():
    log_probs, weights = torch.randn(4, 10), torch.randn(4, 10)
    lengths, kernel = torch.tensor([10, 7, 5, 3]), torch.full((5,), 0.2)
    plain = policy_gradient(log_probs, weights, lengths, torch.ones(1), 1, "none", "same")
    strided = policy_gradient(log_probs, weights, lengths, kernel, 5, "loss", "same")
    assert strided.item() == pytest.approx(plain.item() / 5, rel=1e-5)
    smoothed = policy_gradient(log_probs, weights, lengths, kernel, 1, "return", "same")
    assert smoothed.item() != pytest.approx(plain.item(), rel=1e-3)
