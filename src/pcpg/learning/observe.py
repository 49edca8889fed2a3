"""What a policy does, beside how well it reads: the same few quantities of every run, whatever it minimises."""

from dataclasses import replace
from itertools import chain

import torch

from pcpg.learning.epochs import Training
from pcpg.objectives.policy import divergence, entropy
from pcpg.objectives.rewards import alike, rewards_of
from pcpg.objectives.rollout import sample, score, steps_taken
from pcpg.reader import batches
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader, in_test
from pcpg.workspace import parallel
from pcpg.workspace.seeding import stream

CLIPS, SAMPLES, BATCH = 32, 5, 16  # training clips that are looked at, texts of each
PATH = 2**31 + 1  # in the place of an epoch: always the same random numbers


@torch.no_grad()
def observe(model: LipReader, start: LipReader | None, training: Training, max_length: int) -> dict[str, float]:
    """Means over training clips, read as in testing: reward (1 - CER) of sampled and of greedy texts, entropy.

    And the share of clips whose samples all earn the same, and KL to the start. Entropy and KL are in nats a text.
    start: None for random weights, from which nothing is far.
    """
    rows = training.rows[:: max(1, len(training.rows) // CLIPS)][:CLIPS]
    mine = rows[parallel.rank() :: parallel.world()]
    share: list[tuple[int, dict[str, float]]] = []
    with in_test(model):
        for batch in batches.in_order(training.store, mine, BATCH, training.view, training.device):
            seeded = replace(batch, seeds=[stream(training.seed, PATH, row) for row in batch.rows])
            share.append((len(batch.rows), _means(model, start, seeded, max_length)))
    parts = list(chain.from_iterable(parallel.gather(share)))
    clips = sum(count for count, _ in parts)
    return {name: sum(count * means[name] for count, means in parts) / clips for name in parts[0][1]}


def _means(model: LipReader, start: LipReader | None, batch: Batch, max_length: int) -> dict[str, float]:
    memory = model.encode(batch.frames, batch.lengths)
    passed = sample(model, memory, batch, max_length, samples=SAMPLES, greedy=True)
    taken, reward = steps_taken(passed.sampled), rewards_of(passed.sampled, batch)
    means = {"policy_reward": reward.mean(), "policy_greedy": rewards_of(passed.greedy, batch).mean()}
    means |= {"policy_entropy": entropy(passed.log_probs, taken), "policy_alike": alike(reward)}
    if start is not None:
        at_start = score(start, start.encode(batch.frames, batch.lengths), batch, passed.sampled).log_probs
        means["policy_kl"] = divergence(passed.log_probs, at_start, taken)
    return {name: float(value) for name, value in means.items()}
