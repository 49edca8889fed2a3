"""Quantities of the policy that every history has beside the error rates, whatever is minimised."""

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

CLIPS, SAMPLES, BATCH = 32, 5, 16  # training clips, texts of each
PATH = 2**31 + 1  # in place of an epoch's number: always the same random numbers


@torch.no_grad()
def observe(model: LipReader, anchor: LipReader | None, training: Training, max_length: int) -> dict[str, float]:
    """Means over training clips, decoded as in testing: reward (1 - CER) of sampled and of greedy texts, entropy.

    Also the share of clips whose samples have equal rewards, and KL to the anchor. Entropy and KL in nats a text.
    anchor: the frozen weights that the run began with; None if these were random, for which there is no KL.
    """
    rows = training.rows[:: max(1, len(training.rows) // CLIPS)][:CLIPS]
    mine = rows[parallel.rank() :: parallel.world()]
    share: list[tuple[int, dict[str, float]]] = []
    with in_test(model):
        for batch in batches.in_order(training.store, mine, BATCH, training.view, training.device):
            seeded = replace(batch, seeds=[stream(training.seed, PATH, row) for row in batch.rows])
            share.append((len(batch.rows), _means(model, anchor, seeded, max_length)))
    parts = list(chain.from_iterable(parallel.gather(share)))
    clips = sum(count for count, _ in parts)
    return {name: sum(count * means[name] for count, means in parts) / clips for name in parts[0][1]}


def _means(model: LipReader, anchor: LipReader | None, batch: Batch, max_length: int) -> dict[str, float]:
    memory = model.encode(batch.frames, batch.lengths)
    rollout = sample(model, memory, batch, max_length, samples=SAMPLES, greedy=True)
    taken, reward = steps_taken(rollout.sampled), rewards_of(rollout.sampled, batch)
    means = {"policy_reward": reward.mean(), "policy_greedy": rewards_of(rollout.greedy, batch).mean()}
    means |= {"policy_entropy": entropy(rollout.log_probs, taken), "policy_alike": alike(reward)}
    if anchor is not None:
        memory = anchor.encode(batch.frames, batch.lengths)
        anchor_log_probs = score(anchor, memory, batch, rollout.sampled).log_probs
        means["policy_kl"] = divergence(rollout.log_probs, anchor_log_probs, taken)
    return {name: float(value) for name, value in means.items()}
