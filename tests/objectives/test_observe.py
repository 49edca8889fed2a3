"""What a history says of the policy, against sums over all transcriptions of the toy."""

import pytest
import torch
from test_proofs import REFERENCE, moved
from tiny import STEPS, Tiny, all_transcriptions, batch_of_tiny, log_policy, plain_rewards

from pcpg.learning.observe import _means


def test_reward_entropy_and_divergence_are_those_of_the_policy():
    tiny, start = Tiny(), moved(1.0)
    with torch.no_grad():
        found = _means(tiny, start, batch_of_tiny(2000), STEPS)
    wanted = dict.fromkeys(("policy_reward", "policy_entropy", "policy_kl"), 0.0)
    back = 0.0
    for text in all_transcriptions():
        places = torch.arange(len(text)), torch.tensor(text)
        log_p, log_q = (log_policy(of, text, 1.0)[places].sum().detach() for of in (tiny, start))
        wanted["policy_reward"] += float(log_p.exp()) * sum(plain_rewards(text, REFERENCE)) / len(REFERENCE)
        wanted["policy_entropy"] -= float(log_p.exp() * log_p)
        wanted["policy_kl"] += float(log_p.exp() * (log_p - log_q))
        back += float(log_q.exp() * (log_q - log_p))
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, rel=0.05, abs=0.02)
    assert abs(back - wanted["policy_kl"]) > 0.2 * wanted["policy_kl"]  # so the two can be told apart
