"""Stage `finetune`: the mixed loss of Eq. 8 from a corpus' cross-entropy baseline."""

import math
from functools import partial
from pathlib import Path

import torch

from pcpg import batches, checkpoint
from pcpg.batches import Batch
from pcpg.history import write_history
from pcpg.model import LipReader
from pcpg.objectives import cross_entropy, leave_one_out, policy_gradient, standardise
from pcpg.params import Decoding, Run
from pcpg.rewards import returns, rewards
from pcpg.store import ClipStore
from pcpg.text import END
from pcpg.train import validate
from pcpg.training import fit


def rollout(
    model: LipReader, batch: Batch, samples: int, temperature: float, max_length: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """One encoder pass and one decoder pass that serve both losses of Eq. 8.

    The first N rows are teacher-forced, the next N * M sample freely (Eq. 9-10), M side by side per clip.
    -> forced logits (N, U, C), sampled log p (N * M, U'), sampled characters (N * M, U').
    """
    memory = model.encode(batch.frames, batch.lengths)
    count, longest = batch.targets.shape
    steps = max(longest, max_length)
    forced = torch.nn.functional.pad(batch.targets, (0, steps - longest))

    def choose(u: int, logits: torch.Tensor) -> torch.Tensor:
        probabilities = (logits[count:].detach() / temperature).softmax(dim=1)
        return torch.cat([forced[:, u], torch.multinomial(probabilities, 1).squeeze(1)])

    logits, characters = model.decoder.unroll(memory.join(memory.repeat(samples)), choose, steps)
    sampled = characters[count:]
    log_probs = logits[count:].log_softmax(dim=2).gather(2, sampled[:, :, None]).squeeze(2)
    return logits[:count, :longest], log_probs, sampled


def steps_taken(characters: torch.Tensor) -> torch.Tensor:
    """characters (N, U) -> (N,): steps up to and with the first end symbol, U where there is none."""
    return (~(characters == END).cumsum(dim=1).bool()).sum(dim=1).add(1).clamp(max=characters.shape[1])


def policy_returns(sampled: torch.Tensor, batch: Batch, run: Run) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """-> returns (N * M, U) as the gradient weighs them, lengths (N * M,) steps taken, reward per sample (N * M,)."""
    lengths = steps_taken(sampled)
    ended = sampled.gather(1, (lengths - 1)[:, None]).squeeze(1) == END
    reference = batch.targets.repeat_interleave(run.samples, 0)
    reference_lengths = batch.target_lengths.repeat_interleave(run.samples) - 1  # without the end symbol
    immediate = rewards(sampled, lengths - ended.long(), reference, reference_lengths)
    future = returns(immediate, lengths, run.gamma, run.discount_from)
    if run.divide_by_length:
        future = future / reference_lengths[:, None]
    if run.baseline == "mean":
        future = leave_one_out(future, run.samples)
    taken = torch.arange(sampled.shape[1], device=sampled.device) < lengths[:, None]
    return standardise(future, taken, run.standardise), lengths, immediate.sum(dim=1) / reference_lengths


def mixed_losses(model: LipReader, run: Run, max_length: int, batch: Batch) -> dict[str, torch.Tensor]:
    """Eq. 8: loss = (1 - lambda) L_CE + lambda L_PCPG, with its parts and the mean reward (1 - CER of a sample)."""
    logits, log_probs, sampled = rollout(model, batch, run.samples, run.temperature, max_length)
    with torch.no_grad():
        weights, lengths, reward = policy_returns(sampled, batch, run)
    kernel = torch.tensor([float(w) for w in run.kernel], device=log_probs.device)
    pcpg = policy_gradient(log_probs, weights, lengths, kernel, run.stride, run.convolve, run.padding)
    ce = cross_entropy(logits, batch.targets, run.label_smoothing)
    per_character = cross_entropy(logits.detach(), batch.targets) / batch.target_lengths.float().mean()
    loss = (1 - run.lambda_pg) * ce + run.lambda_pg * pcpg
    return {"loss": loss, "ce": per_character, "pcpg": pcpg, "reward": reward.mean()}


def finetune(
    clips: Path,
    baseline: Path,
    weights: Path,
    outcome: Path,
    run: Run,
    decoding: Decoding,
    device: torch.device,
    generator: torch.Generator,
    name: str,
) -> None:
    """From the checkpoint `baseline`, write `weights` (the best on validation) and `outcome`/history.csv."""
    store, content = ClipStore(clips), checkpoint.load(baseline)
    model, view = checkpoint.restore(content, device)
    train_rows, val_rows = store.select("train"), store.select("val")

    def evaluate() -> dict[str, float]:
        return validate(model, store, val_rows, view, device, decoding.max_length)

    left = {"iteration": content["iteration"], "epoch": 0, **evaluate()}
    best, history = fit(
        model,
        run,
        epoch=lambda: batches.epoch(store, train_rows, run.batch, view, device, generator),
        updates_per_epoch=math.ceil(len(train_rows) / run.batch),
        losses_of=partial(mixed_losses, model, run, decoding.max_length),
        validate=evaluate,
        select="val_cer",
        start=content["iteration"],
        name=name,
    )
    write_history(outcome / "history.csv", [left, *history])
    iteration = min(history, key=lambda row: row["val_cer"])["iteration"]
    checkpoint.save(weights, content | {"model": best, "iteration": iteration})
