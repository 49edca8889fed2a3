"""Stage `finetune`: the mixed loss of Eq. 8, from a corpus' cross-entropy baseline or from scratch."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F

from pcpg.learning.loop import fit
from pcpg.learning.resume import Resume, fingerprint
from pcpg.learning.session import Session
from pcpg.learning.train import cross_entropies, facts, forced_losses, new_lip_reader, teacher, validate, write_outcome
from pcpg.mouths.store import ClipStore
from pcpg.objectives import policy_gradient as objectives
from pcpg.objectives.rewards import returns, rewards
from pcpg.reader import checkpoint
from pcpg.reader.batches import Batch, Training
from pcpg.reader.network import LipReader
from pcpg.reader.text import END
from pcpg.settings.schema import Decoding, Model, Run


class Rollout(NamedTuple):
    """What one pass over a batch of N clips gives; the M samples of a clip stand side by side."""

    forced: torch.Tensor  # (N, U, C) logits under teacher forcing
    log_probs: torch.Tensor  # (N * M, U', C) of the policy where the samples went
    sampled: torch.Tensor  # (N * M, U') characters
    greedy: torch.Tensor  # (N, U') the likeliest characters; (0, U') where the baseline is another


def draw(probabilities: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """probabilities (..., C), uniforms (...) in [0, 1) -> classes (...), by inversion of the distribution function."""
    cumulative = probabilities.double().cumsum(dim=-1)
    thresholds = uniforms.double()[..., None] * cumulative[..., -1:]
    return torch.searchsorted(cumulative, thresholds, right=True).squeeze(-1)


def rollout(model: LipReader, batch: Batch, run: Run, max_length: int) -> Rollout:
    """One encoder pass and one decoder pass that serve both losses of Eq. 8.

    Of a clip's rows the first is teacher-forced, the next M sample freely (Eq. 9-10), and for the self-critical
    baseline one more takes the likeliest character.
    """
    memory = model.encode(batch.frames, batch.lengths)
    count, longest = batch.targets.shape
    steps, samples = max(longest, max_length), slice(1, 1 + run.samples)
    each = 1 + run.samples + (run.baseline == "greedy")
    uniforms = batch.uniforms(1 + run.samples, steps)  # (N, 1 + M, U')
    force = teacher(F.pad(batch.targets, (0, steps - longest)), run.teacher_forcing, uniforms[:, 0])

    def choose(u: int, logits: torch.Tensor) -> torch.Tensor:
        logits = logits.detach().view(count, each, -1)
        chosen = logits.argmax(dim=2)
        chosen[:, 0] = force(u, logits[:, 0])
        if run.sampling == "multinomial":
            policy = (logits[:, samples].float() / run.temperature).softmax(dim=2)
            chosen[:, samples] = draw(policy, uniforms[:, 1:, u])
        return chosen.flatten()

    logits, characters = model.decoder.unroll(memory, choose, steps, each)
    logits, characters = logits.unflatten(0, (count, each)), characters.unflatten(0, (count, each))
    log_probs = (logits[:, samples].float() / run.temperature).log_softmax(dim=3).flatten(0, 1)
    greedy = characters[:, 1 + run.samples :].flatten(0, 1)
    return Rollout(logits[:, 0, :longest], log_probs, characters[:, samples].flatten(0, 1), greedy)


def steps_taken(characters: torch.Tensor) -> torch.Tensor:
    """characters (N, U) -> (N,): steps up to and with the first end symbol, U where there is none."""
    return (~(characters == END).cumsum(dim=1).bool()).sum(dim=1).add(1).clamp(max=characters.shape[1])


def future_rewards(characters: torch.Tensor, batch: Batch, run: Run) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Returns (N * m, U) of m transcriptions a clip, lengths (N * m,) steps taken, and reward a character (N * m,)."""
    each = len(characters) // len(batch.targets)
    taken = steps_taken(characters)
    ended = characters.gather(1, (taken - 1)[:, None]).squeeze(1) == END
    reference = batch.targets.repeat_interleave(each, 0)
    reference_lengths = batch.target_lengths.repeat_interleave(each) - 1  # without the end symbol
    immediate = rewards(characters, taken - ended.long(), reference, reference_lengths)
    lengths = taken if run.mask_padding else torch.full_like(taken, characters.shape[1])
    future = returns(immediate, lengths, run.gamma, run.discount_from)
    if run.divide_by_length:
        future = future / reference_lengths[:, None]
    return future, lengths, immediate.sum(dim=1) / reference_lengths


def policy_returns(
    sampled: torch.Tensor, greedy: torch.Tensor, batch: Batch, run: Run
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """-> returns (N * M, U) as the gradient weighs them, lengths (N * M,), reward a character (N * M,).

    The baseline of a step is what others of the same clip still earn from that step on: the other samples ("mean"),
    or the greedy transcription ("greedy", self-critical). Neither depends on the sample: the estimate stays unbiased.
    """
    future, lengths, reward = future_rewards(sampled, batch, run)
    if run.baseline == "mean":
        future = objectives.leave_one_out(future, run.samples)
    elif run.baseline == "greedy":
        future = future - future_rewards(greedy, batch, run)[0].repeat_interleave(run.samples, 0)
    taken = torch.arange(sampled.shape[1], device=sampled.device) < lengths[:, None]
    return objectives.standardise(future, taken, run.standardise), lengths, reward


def mixed_losses(run: Run, max_length: int, model: LipReader, batch: Batch) -> dict[str, torch.Tensor]:
    """Eq. 8: loss = (1 - lambda) L_CE + lambda L_PCPG, with its parts and the mean reward (1 - CER of a sample)."""
    if run.lambda_pg == 0:
        return forced_losses(run, model, batch)
    passed = rollout(model, batch, run, max_length)
    with torch.no_grad():
        weights, lengths, reward = policy_returns(passed.sampled, passed.greedy, batch, run)
    chosen = passed.log_probs.gather(2, passed.sampled[:, :, None]).squeeze(2)
    kernel = torch.tensor([float(w) for w in run.kernel], device=chosen.device)
    pcpg = objectives.policy_gradient(chosen, weights, lengths, kernel, run.stride, run.convolve, run.padding)
    with torch.set_grad_enabled(run.entropy > 0):
        spread = objectives.entropy(passed.log_probs, lengths)
    ce, plain = cross_entropies(passed.forced, batch, run)
    share = float(run.lambda_pg)
    loss = (1 - share) * ce + share * (pcpg - run.entropy * spread)
    return {"loss": loss, "ce": plain, "pcpg": pcpg, "reward": reward.mean(), "entropy": spread}


def finetune(
    clips: Path, baseline: Path, model_settings: Model, run: Run, decoding: Decoding, session: Session
) -> None:
    """From the checkpoint `baseline`, or from scratch, write the session's weights (the best on validation) and
    history.csv, whose first row is the start; a run may not choose its own start.
    """
    store, device = ClipStore(clips), session.device
    settings = [model_settings, run, decoding]
    if run.init == "ce":
        content = checkpoint.load(baseline, store.region)
        model, view = checkpoint.restore(content, device)
        identity = fingerprint(session, settings, store, baseline)
    else:
        model, view = new_lip_reader(store, model_settings, device)
        content = facts(store, model_settings, view) | {"iteration": 0}
        identity = fingerprint(session, settings, store)
    rows, resume = store.select("val"), Resume(session.weights, identity)

    def evaluate() -> dict[str, float]:
        return validate(model, store, rows, view, device, decoding.max_length)

    left = {"iteration": content["iteration"], "epoch": 0, **evaluate()}
    progress = fit(
        model,
        run,
        Training(store, store.select("train"), run.batch, view, device, session.seed),
        losses_of=partial(mixed_losses, run, decoding.max_length),
        validate=evaluate,
        select="val_cer",
        start=content["iteration"],
        session=session,
        resume=resume,
    )
    write_outcome(session, content, [model_settings, run], model, progress, resume, left)
