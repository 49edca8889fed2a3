"""Minimum word error rate in its limits: the list that is the whole space, equal errors, a list of one."""

import pytest
import torch
from tiny import STEPS, Tiny, all_transcriptions, batch_of_tiny, log_policy, plain_rewards

from pcpg.objectives.base import Context
from pcpg.objectives.mwer import MWER, error_rates, minimum_risk
from pcpg.reader.decode import beam_search
from pcpg.reader.text import encode, to_batch

EVERYTHING = MWER(hypotheses=15, cross_entropy=0.0)


def expected_reward(tiny: Tiny) -> torch.Tensor:
    """E[R] over all fifteen transcriptions, R = 1 - ED / |S|, in plain loops."""
    reference, total = encode("ab"), torch.zeros(())
    for sequence in all_transcriptions():
        log_p = log_policy(tiny, sequence, 1.0)[torch.arange(len(sequence)), torch.tensor(sequence)].sum()
        total = total + log_p.exp() * sum(plain_rewards(sequence, reference)) / len(reference)
    return total


def test_a_list_of_the_whole_space_gives_the_gradient_of_the_expected_reward():
    """Exactly, for no sample is drawn; and a wrong sign is far off."""
    tiny = Tiny()
    found = EVERYTHING.losses(tiny, batch_of_tiny(2), Context(STEPS))
    reward = expected_reward(tiny)
    assert found["reward"].item() == pytest.approx(reward.item(), abs=1e-5)
    gradient, wanted = tiny.gradient(found["loss"]), tiny.gradient(-reward)
    assert wanted.abs().max() > 0.01
    torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-6)
    assert (gradient + wanted).norm() > wanted.norm()


def test_a_shorter_list_gives_another_gradient():
    """That of the expectation over the list alone: the test above can fail."""
    tiny = Tiny()
    gradient = tiny.gradient(
        MWER(hypotheses=3, cross_entropy=0.0).losses(tiny, batch_of_tiny(1), Context(STEPS))["loss"]
    )
    wanted = tiny.gradient(-expected_reward(tiny))
    assert (gradient - wanted).norm() > 0.01 * wanted.norm()


def test_a_list_by_hand():
    """The three best texts of the beam, their errors by plain loops, their probabilities normalised by hand."""
    tiny = Tiny()
    memory = tiny.encode(torch.zeros(1), torch.ones(1))
    best, _ = beam_search(tiny.decoder, memory, 3, STEPS, 0.0)
    listed, errors = [], []
    for row in best[0].tolist():
        text = row[: row.index(2) + 1] if 2 in row else row
        listed.append(log_policy(tiny, text, 1.0)[torch.arange(len(text)), torch.tensor(text)].sum())
        errors.append(1 - sum(plain_rewards(text, encode("ab"))) / 2)
    q, errors = torch.stack(listed).softmax(dim=0), torch.tensor(errors)
    assert len({tuple(row) for row in best[0].tolist()}) == 3
    found = MWER(hypotheses=3, cross_entropy=0.0).losses(tiny, batch_of_tiny(1), Context(STEPS))
    assert found["mwer"].item() == pytest.approx((q * (errors - errors.mean())).sum().item(), abs=1e-5)
    assert found["reward"].item() == pytest.approx(1 - (q * errors).sum().item(), abs=1e-5)


def test_the_gradient_is_that_of_the_closed_form():
    """d loss / d log p_i = q_i (W_i - sum_j q_j W_j) / N; the mean that is taken off changes nothing."""
    log_probs = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    errors = torch.rand(4, 6, dtype=torch.float64)
    [found] = torch.autograd.grad(minimum_risk(log_probs, errors), log_probs)
    q = log_probs.detach().softmax(dim=1)
    wanted = q * (errors - (q * errors).sum(dim=1, keepdim=True)) / 4
    torch.testing.assert_close(found, wanted)
    assert (found + wanted).norm() > wanted.norm()
    detached = log_probs.exp() / log_probs.exp().sum(dim=1, keepdim=True).detach()  # a known mistake: trap (b)
    [wrong] = torch.autograd.grad((detached * errors).sum(dim=1).mean(), log_probs)
    assert (wrong - wanted).norm() > 0.1 * wanted.norm()
    [plain] = torch.autograd.grad((log_probs.softmax(dim=1) * errors).sum(dim=1).mean(), log_probs)
    torch.testing.assert_close(found, plain)


@pytest.mark.parametrize("errors", [torch.full((3, 5), 0.25), torch.rand(3, 1)], ids=["equal errors", "one candidate"])
def test_nothing_is_learned_where_nothing_differs(errors):
    log_probs = torch.randn(errors.shape, requires_grad=True)
    [found] = torch.autograd.grad(minimum_risk(log_probs, errors), log_probs)
    assert found.abs().max() < 1e-8


def test_error_rates_by_hand():
    """Of the characters before the end symbol, by the length of each clip's own reference."""
    texts = torch.full((2, 3, 6), 0)
    for clip, row in enumerate((["abc", "xbc", "ab"], ["", "abcd", "b"])):
        for number, text in enumerate(row):
            padded, _ = to_batch([text])
            texts[clip, number, : padded.shape[1]] = padded[0]
            texts[clip, number, padded.shape[1] :] = 7  # what follows the end is meaningless
    batch = batch_of_tiny(2)
    targets, lengths = to_batch(["abc", "b"])
    batch = type(batch)(**vars(batch) | {"targets": targets, "target_lengths": lengths})
    expected = torch.tensor([[0, 1 / 3, 1 / 3], [1, 3, 0]])
    torch.testing.assert_close(error_rates(texts, batch), expected)


def test_cross_entropy_beside_it_is_that_of_the_reference():
    tiny, batch = Tiny(), batch_of_tiny(1)
    alone, mixed = (
        MWER(hypotheses=4, cross_entropy=weight).losses(tiny, batch, Context(STEPS)) for weight in (0.0, 0.5)
    )
    reference = [*encode("ab"), 2]
    ce = -log_policy(tiny, reference, 1.0)[torch.arange(3), torch.tensor(reference)].sum().item()
    assert (mixed["loss"] - alone["loss"]).item() == pytest.approx(0.5 * ce, rel=1e-4)
    assert alone["ce"].item() == pytest.approx(ce / 3, rel=1e-4)
