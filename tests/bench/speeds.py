"""Measured speeds, as `make bench` prints them. Every ratio is taken within one run, on one thread or one GPU."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import nn

from pcpg.learning.loop import Learner
from pcpg.learning.session import Session
from pcpg.objectives.base import Context, Objective, of_run
from pcpg.objectives.pcpg import PCPG
from pcpg.objectives.policy import draw, log_policy
from pcpg.objectives.policy_gradient import policy_gradient
from pcpg.objectives.rollout import sample as sample_all
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader, Memory
from pcpg.reader.sizes import measure
from pcpg.reader.text import BEGIN, END, to_batch
from pcpg.settings.load import load
from pcpg.settings.schema import Params
from tests.bench import clips as bench_clips
from tests.bench import stand_in as bench_stand_in

try:
    from editdistance import eval as edit_distance
except ImportError:  # it has no wheels for Python 3.13 and later
    from rapidfuzz.distance.Levenshtein import distance as edit_distance

PRESETS = Path(__file__).parents[2] / "presets"
FRAMES = 75  # of a GRID clip; its sentences have 25 characters or so
SENTENCES = (
    "bin blue with f seven now", "place green at x six soon", "set white in p nine again", "lay red by a three please",
)  # fmt: skip


def fastest(actions: list[Callable[[], object]], repeats: int) -> list[float]:
    """Seconds of the fastest of `repeats` calls of each, after one that is not counted.

    The actions take turns, so that whatever else the machine does meets all of them.
    """
    times = [[timed(action) for action in actions] for _ in range(repeats + 1)]
    return [min(column) for column in zip(*times[1:], strict=True)]


def timed(action: Callable[[], object]) -> float:
    _wait()
    start = time.perf_counter()
    action()
    _wait()
    return time.perf_counter() - start


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def made_up_batch(size: int, settings: Params, device: torch.device) -> Batch:
    view = settings.view["grid"]
    pixels = view.crop // view.pool
    targets, lengths = to_batch([SENTENCES[i % len(SENTENCES)] for i in range(size)])
    full, rows = torch.full((size,), FRAMES, device=device), list(range(size))
    frames = torch.randn(size, FRAMES, pixels, pixels, device=device)
    names = [str(row) for row in rows]
    return Batch(frames, full, targets.to(device), lengths.to(device), full, rows, names, seeds=rows)


def policy(settings: Params) -> PCPG:
    return of_run(settings.runs["grid"]["k5s1"])


def learner(settings: Params, objective: Objective, steps: int, device: torch.device, **changes) -> Learner:
    """Random weights: no sample ends early, so every pass takes as many steps as a sentence has."""
    torch.manual_seed(0)
    network = LipReader(**settings.network["grid"].model_dump() | changes).to(device)
    precision = settings.precision if device.type == "cuda" else "float32"
    where = Session("bench", 0, device, precision, "", *[Path()] * 4)
    return Learner(network, objective, Context(steps), settings.runs["grid"]["k5s1"].optimisation, 1000, where)


# The author's way: an encoder pass for every sample, and rewards and returns character by character in Python.


def rewards_by_python(hyp: list[int], ref: list[int]) -> list[float]:
    """Eq. 4 of one transcription, up to and with its end symbol: an edit distance for every prefix."""
    rewards, before = [], len(ref)
    for u, character in enumerate(hyp):
        if character == END:
            return [*rewards, 0.0]
        distance = edit_distance(hyp[: u + 1], ref)
        rewards.append(before - distance)
        before = distance
    return rewards


def returns_by_python(rewards: list[float], gamma: float, ref: list[int]) -> list[float]:
    """R_u = sum over i >= u of gamma^(U - i) r_i, divided by the length of the reference."""
    total, returns = 0.0, []
    for ahead, reward in enumerate(reversed(rewards)):
        total += gamma**ahead * reward
        returns.append(total / len(ref))
    return returns[::-1]


def one_sample(model: LipReader, batch: Batch, run: PCPG, uniforms: torch.Tensor) -> torch.Tensor:
    """L_PCPG of one sample a clip from its own pass; uniforms (N, U) draw the characters."""
    memory = model.encode(batch.frames, batch.lengths)
    sampled, log_probs = sample(model, memory, uniforms)
    references = [row[: row.index(END)] for row in batch.targets.tolist()]
    returns = [
        torch.tensor(returns_by_python(rewards_by_python(hyp, ref), run.gamma, ref))
        for hyp, ref in zip(sampled, references, strict=True)
    ]
    lengths = torch.tensor([len(row) for row in returns], device=log_probs.device)
    returns = nn.utils.rnn.pad_sequence(returns, batch_first=True).to(log_probs.device)
    kernel = torch.tensor([float(w) for w in run.kernel], device=log_probs.device)
    log_probs = log_probs[:, : returns.shape[1]]
    return policy_gradient(log_probs, returns, lengths, kernel, run.stride, run.convolve, run.padding)


def sample(model: LipReader, memory: Memory, uniforms: torch.Tensor) -> tuple[list[list[int]], torch.Tensor]:
    """Characters of each clip, and log p (N, U) of them."""
    character, state = torch.full_like(uniforms[:, 0], BEGIN, dtype=torch.long), memory.state
    sampled, log_probs = [[] for _ in range(len(uniforms))], []
    for threshold in uniforms.T:
        logits, state, _ = model.decoder.step(character, state, memory)
        log_p = log_policy(logits)
        character = draw(log_p.detach().exp(), threshold)
        log_probs.append(log_p.gather(1, character[:, None]))
        for row, index in zip(sampled, character.tolist(), strict=True):
            row.append(index)
        if all(END in row for row in sampled):
            break
    return sampled, torch.cat(log_probs, dim=1)


def authors_gradient(learner: Learner, batch: Batch, run: PCPG) -> None:
    """The gradient of Eq. 8, summed over 1 + M passes; the samples are those that our one pass draws."""
    model, share = learner.model.train(), float(run.lambda_pg)
    learner.optimiser.zero_grad(set_to_none=True)
    with learner.loss_module.autocast:
        loss = (1 - share) * run.cross_entropy.losses(model, batch, Context(0))["loss"]
    loss.backward()
    uniforms = batch.uniforms(1 + run.samples, batch.targets.shape[1])
    for number in range(1, run.samples + 1):
        with learner.loss_module.autocast:
            loss = share / run.samples * one_sample(model, batch, run, uniforms[:, number])
        loss.backward()


def authors_update(learner: Learner, batch: Batch, run: PCPG) -> None:
    authors_gradient(learner, batch, run)
    nn.utils.clip_grad_norm_(learner.parameters, learner.settings.clip_norm)
    learner.optimiser.step()


def check_same_gradient(settings: Params) -> float:
    """Without dropout both ways give one gradient; -> the norm of the difference by the norm of ours."""
    run, cpu = policy(settings), torch.device("cpu")
    batch = made_up_batch(8, settings, cpu)
    gradients = []
    for authors in (False, True):
        one = learner(settings, run, batch.targets.shape[1], cpu, dropout=0.0)
        if authors:
            authors_gradient(one, batch, run)
        else:
            one.loss_module.train()(batch, None)["loss"].backward()
        gradients.append(nn.utils.parameters_to_vector([p.grad for p in one.parameters]))
    ours, theirs = gradients
    difference = float((ours - theirs).norm() / ours.norm())
    assert difference < 1e-5, f"the two ways differ by {difference}"
    return difference


def matrix_rate(device: torch.device, precision: torch.dtype) -> float:
    """FLOP/s of a product of square matrices."""
    size = 8192 if device.type == "cuda" else 2048
    matrix = torch.randn(size, size, device=device, dtype=precision)
    return 2 * size**3 / fastest([lambda: torch.mm(matrix, matrix)], 5)[0]


def line(what: str, ours: float, other: float, limit: str = "–", unit: str = "ms", scale: float = 1e3) -> None:
    print(f"| {what} | {ours * scale:,.1f} {unit} | {other * scale:,.1f} {unit} | {ours / other:.3f} | {limit} |")


def updates(settings: Params, size: int, repeats: int, device: torch.device) -> float:
    """Lines of one preset -> seconds of an update by cross-entropy."""
    run, batch = policy(settings), made_up_batch(size, settings, device)
    steps, where = batch.targets.shape[1], f"{settings.preset}, batch {size}"
    forced, mixed = (learner(settings, objective, steps, device) for objective in (run.cross_entropy, run))
    ours_of = [partial(one.learn, batch, 0) for one in (forced, mixed)]
    actions = [*ours_of, partial(authors_update, forced, batch, run)]
    ce, ours, theirs = fastest(actions, repeats)
    with torch.no_grad():
        memory = mixed.model.encode(batch.frames, batch.lengths)
        rollout = sample_all(mixed.model, memory, batch, steps, samples=run.samples)
        [reward] = fastest([lambda: run.weights(rollout.sampled, rollout.greedy, batch)], 10)
    line(f"update of M = {run.samples} against cross-entropy alone: {where}", ours, ce, "1.5 at most")
    line(f"update of M = {run.samples} against the author's way: {where}", ours, theirs, "0.2 at most")
    line(f"rewards and returns against the whole update: {where}", reward, ours, "0.02 at most")
    return ce


def reward_alone(settings: Params, device: torch.device) -> None:
    """Both ways for the same random transcriptions, as if 16 clips had 5 samples each."""
    run, batch = policy(settings), made_up_batch(16, settings, device)
    hyp = torch.randint(3, 40, (16 * run.samples, batch.targets.shape[1]), device=device)
    references = [ref[: ref.index(END)] for ref in batch.targets.tolist() for _ in range(run.samples)]

    def by_python() -> None:
        for row, ref in zip(hyp.tolist(), references, strict=True):
            returns_by_python(rewards_by_python(row, ref), run.gamma, ref)

    ours, theirs = fastest([lambda: run.weights(hyp, hyp[:0], batch), by_python], 10)
    line(f"rewards and returns of {len(hyp)} samples against Python's, prefix by prefix", ours, theirs)


def rates(settings: Params, size: int, ce: float, device: torch.device) -> None:
    """How much of the machine an update by cross-entropy, of `ce` seconds, makes use of."""
    parts = measure(settings.view["grid"], settings.network["grid"], FRAMES, len(SENTENCES[0]) + 1)
    reached = 3 * size * sum(part.flops for part in parts.values()) / ce
    for kind in ["float32", "bfloat16"] if device.type == "cuda" else ["float32"]:
        what = f"cross-entropy against torch.mm in {kind}: {settings.preset}, batch {size}"
        line(what, reached, matrix_rate(device, getattr(torch, kind)), unit="GFLOP/s", scale=1e-9)


def threads(settings: Params) -> None:
    """One run of two threads, against which two runs of one thread each stand."""
    batch = made_up_batch(16, settings, torch.device("cpu"))
    one = learner(settings, policy(settings).cross_entropy, batch.targets.shape[1], torch.device("cpu"))
    times = []
    for count in (2, 1):
        torch.set_num_threads(count)
        times += fastest([partial(one.learn, batch, 0)], 10)
    line(f"cross-entropy on two threads against one: {settings.preset}, batch 16", *times)


def processes(preset: str, count: int) -> None:
    """Rows of one training in so many processes, each on a GPU of its own where there are some."""
    sys.stdout.flush()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    quiet = os.environ | {"LOGLEVEL": "ERROR", "PYTHONWARNINGS": "ignore"}
    subprocess.run([*command, "-m", "tests.bench.processes", preset], env=quiet, check=True)


def report(title: str, mini: Params, paper: Params, size: int, repeats: int, device: torch.device) -> None:
    """The table of one device, with `size` clips a batch of the paper's network."""
    print(f"\n## {title}\n\n| what | ours | other | ours / other | limit |\n| --- | ---: | ---: | ---: | ---: |")
    updates(mini, 16, 10, device)
    ce = updates(paper, size, repeats, device)
    reward_alone(mini, device)
    rates(paper, size, ce, device)
    settings, count = (paper, 20) if device.type == "cuda" else (mini, 8)
    clips = settings.runs["grid"]["k5s1"].optimisation.batch
    trained = learner(settings, policy(settings).cross_entropy, settings.max_length, device)
    bench_clips.on_device(line, settings, clips, device, trained, count)


def main(devices: list[str]) -> None:
    mini, paper = load(PRESETS.parent / "params.yaml"), load(PRESETS / "paper.yaml")
    torch.set_num_threads(1)
    print(f"The author's way and ours give one gradient: relative difference {check_same_gradient(mini):.1e}.")
    if "cpu" in devices:
        report("One thread", mini, paper, 2, 4, torch.device("cpu"))
        threads(mini)
        processes("grid-s1-cpu", 2)
        bench_stand_in.beside(line, paper)
        bench_clips.mouths(line)
    if "cuda" in devices and torch.cuda.is_available():
        report(
            torch.cuda.get_device_name(),
            mini,
            paper,
            paper.runs["grid"]["k5s1"].optimisation.batch,
            5,
            torch.device("cuda"),
        )
        if torch.cuda.device_count() > 1:
            processes("grid-s1", torch.cuda.device_count())
    print("\nAn update: forward and backward pass, clipping, Adam, for clips of 75 frames and texts of 25 characters."
          "\nIts FLOPs: three times those of the forward pass, which `pcpg network grid` prints."
          "\nConvolutions do not go through torch.mm and may outrun it."
          "\nClips and mouths: medians of processor time; on a GPU, made up or not, the clock counts.")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:] or ["cpu", "cuda"])
