"""Leave-one-out REINFORCE: its advantages by hand, its gradient by enumeration of all pairs of samples."""

from itertools import product

import pytest
import torch
from tiny import STEPS, Tiny, all_transcriptions, batch_of_tiny, log_policy, plain_rewards

from pcpg.objectives.base import Context
from pcpg.objectives.cross_entropy import CrossEntropy
from pcpg.objectives.rewards import rewards_of
from pcpg.objectives.rloo import RLOO, TINY, advantages
from pcpg.objectives.rollout import sample
from pcpg.reader.text import encode

CE = CrossEntropy(label_smoothing=0.0, teacher_forcing=1.0, mask_padding=True)
ALONE = {"cross_entropy": CE, "lambda_pg": 1, "temperature": 1.0, "top_p": 1.0, "kl": None, "entropy": 0.0}


def test_advantages_by_hand():
    reward = torch.tensor([[1.0, 0.5, 0.0], [0.25, 0.25, 0.25]])
    assert advantages(reward, "none").tolist() == [[0.75, 0.0, -0.75], [0.0, 0.0, 0.0]]
    torch.testing.assert_close(
        advantages(reward, "group"), torch.tensor([[1.0, 0.0, -1.0], [0.0, 0.0, 0.0]]), rtol=0, atol=3 * TINY
    )


def test_the_group_mean_only_shrinks_the_step():
    reward = torch.rand(20, 5, dtype=torch.float64)
    own = reward - reward.mean(dim=1, keepdim=True)
    torch.testing.assert_close(advantages(reward, "none"), own * 5 / 4)
    others = (reward.sum(dim=1, keepdim=True) - reward) / 4
    torch.testing.assert_close(advantages(reward, "none"), reward - others)


def expected(tiny: Tiny, scale: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Exact expectation of the gradient over all 225 pairs of samples, and the gradient of E[R]."""
    texts, reference = all_transcriptions(), encode("ab")

    def log_probabilities() -> list[torch.Tensor]:
        return [log_policy(tiny, text, 1.0)[torch.arange(len(text)), torch.tensor(text)].sum() for text in texts]

    logs = log_probabilities()
    reward = [sum(plain_rewards(text, reference)) / len(reference) for text in texts]
    loss = torch.zeros(())
    for i, j in product(range(len(texts)), repeat=2):
        one, other = advantages(torch.tensor([[reward[i], reward[j]]]), scale)[0]
        loss = loss - (logs[i] + logs[j]).exp().detach() * (one * logs[i] + other * logs[j]) / 2
    value = sum(log.exp() * earned for log, earned in zip(log_probabilities(), reward, strict=True))
    return tiny.gradient(loss), tiny.gradient(-value)


def test_the_expected_gradient_is_that_of_the_expected_reward():
    gradient, wanted = expected(Tiny(), "none")
    assert wanted.abs().max() > 0.01
    torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-6)


def test_scaled_by_the_group_it_is_another():
    """Weighing up clips whose samples hardly differ: the test above can fail."""
    gradient, wanted = expected(Tiny(), "group")
    assert (gradient - wanted).norm() > 0.1 * wanted.norm()


@pytest.mark.parametrize("scale", ["none", "group"])
def test_the_loss_of_a_batch_is_that_of_its_samples(scale):
    """The texts that were drawn, scored one step after the other."""
    tiny, batch = Tiny(), batch_of_tiny(40)
    found = RLOO(samples=3, scale=scale, **ALONE).losses(tiny, batch, Context(STEPS))
    with torch.no_grad():
        rollout = sample(tiny, tiny.encode(batch.frames, batch.lengths), batch, STEPS, samples=3)
    rows = [row[: row.index(2) + 1] if 2 in row else row for row in rollout.sampled.tolist()]
    logs = [log_policy(tiny, row, 1.0)[torch.arange(len(row)), torch.tensor(row)].sum() for row in rows]
    earned = torch.tensor([sum(plain_rewards(row, encode("ab"))) / 2 for row in rows]).view(40, 3)
    torch.testing.assert_close(rewards_of(rollout.sampled, batch), earned)
    wanted = -(advantages(earned, scale).flatten() * torch.stack(logs)).mean()
    torch.testing.assert_close(found["loss"], wanted, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(tiny.gradient(found["loss"]), tiny.gradient(wanted), rtol=1e-3, atol=1e-6)
    assert found["alike"].item() == pytest.approx((earned == earned[:, :1]).all(dim=1).float().mean().item())
    assert 0 < found["alike"] < 1


def test_samples_that_earn_the_same_teach_nothing():
    for scale in ("none", "group"):
        assert advantages(torch.full((4, 5), 0.6), scale).abs().max() < 1e-3
