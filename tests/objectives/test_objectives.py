"""The losses against hand computation; the policy gradient as a whole is in test_pcpg.py."""

import math

import pytest
import torch

from pcpg.objectives.cross_entropy import cross_entropy
from pcpg.objectives.policy import entropy
from pcpg.objectives.policy_gradient import leave_one_out, policy_gradient, standardise
from pcpg.reader.text import PAD


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


def test_padding_can_be_scored_as_in_the_first_authors_code():
    logits, targets = torch.randn(2, 3, 40), torch.tensor([[5, 6, 2], [7, 2, PAD]])
    padding = -logits.log_softmax(dim=2)[1, 2, PAD].item() / 2
    scored = cross_entropy(logits, targets, mask_padding=False).item()
    assert scored - cross_entropy(logits, targets).item() == pytest.approx(padding, rel=1e-4)


def test_entropy_sums_the_steps_taken():
    uniform = torch.full((2, 3, 4), 0.25).log()
    assert entropy(uniform, torch.tensor([3, 1])).item() == pytest.approx(2 * math.log(4))
    certain = torch.tensor([0.0, -1e4, -1e4, -1e4]).expand(1, 3, 4)
    assert entropy(certain, torch.tensor([3])).item() == 0


def test_batch_standardisation_has_zero_mean_over_all_steps_of_all_samples():
    values, taken = torch.randn(4, 6), torch.arange(6) < torch.tensor([6, 3, 4, 5])[:, None]
    found = standardise(values, taken, "batch")
    assert found[taken].std(unbiased=False).item() == pytest.approx(1, abs=1e-4)
    assert (found[~taken] == 0).all()


def test_convolving_the_loss_with_stride_k_is_plain_policy_gradient_over_k():
    log_probs, weights = torch.randn(4, 10), torch.randn(4, 10)
    lengths, kernel = torch.tensor([10, 7, 5, 3]), torch.full((5,), 0.2)
    plain = policy_gradient(log_probs, weights, lengths, torch.ones(1), 1, "none", "same")
    strided = policy_gradient(log_probs, weights, lengths, kernel, 5, "loss", "same")
    assert strided.item() == pytest.approx(plain.item() / 5, rel=1e-5)
    smoothed = policy_gradient(log_probs, weights, lengths, kernel, 1, "return", "same")
    assert smoothed.item() != pytest.approx(plain.item(), rel=1e-3)
