"""What docs/scale.md says of a preset at its true sizes: python -m tests.bench.scale presets/paper.yaml 25 50 100

The numbers behind the parameter file are effective rates of a GPU in TFLOP/s: assumed, for none was measured.
"""

import math
import sys
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import NamedTuple

from pcpg.reader.sizes import measure
from pcpg.settings.load import load
from pcpg.settings.schema import Params
from pcpg.settings.training import SCRATCH, Optimisation
from tests.bench.full_size import SIZES, Size

GPUS = (1, 4, 16)
CORES = 8  # beside each GPU, as `workers` and `threads` of the preset
MOUTHS = {"grid": 100, "lrw": 3300, "lrw1000": 3900}  # frames/s of a core in stage `shard`
COUNTED = 600e6  # bytes/s of a core: CRC-32, mean and deviation of the training split
STORED = 40e-6  # s a clip in stage `store`
TABLES = {"grid": 168, "lrw": 209, "lrw1000": 238}  # bytes a clip: manifest.csv, index.csv, quality.csv
BACKWARD = 3  # FLOPs of an update by those of its forward pass
POLICY = 1.5  # an update of policy gradient by one of cross-entropy, at most: the limit in `make bench`
WEIGHTS = 4  # bytes a parameter
ENCODER = ("stem", "residual body", "encoder GRU")


class Job(NamedTuple):
    """One job of the engines, which takes a GPU and CORES cores."""

    stage: str
    corpus: str
    after: list[str]  # names of the jobs that it waits for
    idle: float = 0.0  # s in which the GPU has nothing to do
    updates: int = 0
    flops: float = 0.0
    clips: int = 0  # read, each as often as it is

    def seconds(self, rate: float) -> float:
        return self.idle + self.flops / rate


class Pass(NamedTuple):
    """FLOPs of one clip's forward pass."""

    encoder: int
    bridge: int  # of the decoder, whatever its steps
    step: int  # each of the decoder's

    def read(self, steps: int) -> int:
        return self.encoder + self.bridge + steps * self.step


def forward(settings: Params, corpus: str, frames: int) -> Pass:
    one, two = (measure(settings.view[corpus], settings.network[corpus], frames, steps) for steps in (1, 2))
    total, longer = (sum(part.flops for part in sizes.values()) for sizes in (one, two))
    encoder = sum(one[part].flops for part in ENCODER)
    return Pass(encoder, 2 * total - longer - encoder, longer - total)


def training(
    settings: Optimisation, size: Size, update: float, validated: float, more: int = 0
) -> tuple[int, float, int]:
    """-> updates, FLOPs, clips read; `update`, `validated`: FLOPs a clip; `more`: evaluations beside the preset's."""
    trained, seen = settings.epochs * size.train, (settings.evaluations + more) * size.val
    updates = settings.epochs * math.ceil(size.train / settings.batch)
    return updates, trained * update + seen * validated, trained + seen


def clip_bytes(settings: Params, corpus: str) -> int:
    return SIZES[corpus].frames * getattr(settings.corpora, corpus).clips.size ** 2


def plan(settings: Params, corpus: str) -> Iterator[tuple[str, Job]]:
    """Name and job for each of a corpus' jobs up to its results."""
    size, longest = SIZES[corpus], settings.max_length
    clip = forward(settings, corpus, size.frames)
    update, validated = BACKWARD * clip.read(size.characters), clip.read(size.characters + longest)
    tested = size.test * clip.read(longest * (1 + settings.decoding.beam))  # greedily and by beam search
    counted = size.train * clip_bytes(settings, corpus) / COUNTED
    cut = size.clips * size.frames / MOUTHS[corpus] / len(settings.shards) / CORES
    shards = {f"{corpus}/shard/{number}": Job("shard", corpus, [], cut) for number in settings.shards}
    yield from shards.items()
    store = f"{corpus}/store"
    yield store, Job("store", corpus, list(shards), size.clips * STORED)

    def learning(kind: str, name: str, of, factor: float, more: int, forwards: tuple[float, float]) -> Job:
        scratch, (once, seen) = of.start == SCRATCH, forwards
        after, idle = (store, counted) if scratch else (name.format(of.start), 0.0)
        return Job(kind, corpus, [after], idle, *training(of.optimisation, size, factor * once, seen, more))

    runs, classifiers = settings.runs[corpus], settings.classifiers.get(corpus, {})
    for seed in settings.seeds:
        name = f"{corpus}/{{}}/{seed}"
        for run in sorted(runs, key=lambda run: depth(runs, run)):
            of = runs[run]
            kind = "train, from scratch" if of.start == SCRATCH else "train, from a run"
            factor = 1 if of.objective_name == "cross_entropy" else POLICY
            yield name.format(run), learning(kind, name, of, factor, 1, (update, validated))  # one more: the start
        for run, of in classifiers.items():
            factor = 1 if of.encoder == "fixed" else BACKWARD
            kind = f"probe, {of.encoder} encoder"
            yield name.format(run), learning(kind, name, of, factor, 0, (clip.encoder, clip.encoder))
    for stage, named, flops in (("evaluate", runs, tested), ("classify", classifiers, size.test * clip.encoder)):
        for run in named:  # all seeds in one job
            after = [f"{corpus}/{run}/{seed}" for seed in settings.seeds]
            done = len(settings.seeds)
            yield f"{corpus}/{run}/{stage}", Job(stage, corpus, after, flops=done * flops, clips=done * size.test)


def depth(runs: dict, run: str) -> int:
    """How many runs stand before it."""
    start = runs[run].start
    return 0 if start == SCRATCH else 1 + depth(runs, start)


def chains(jobs: dict[str, Job], rate: float) -> dict[str, float]:
    """Seconds from the start of each job to the end of the longest chain of jobs that wait for it."""
    behind = dict.fromkeys(jobs, 0.0)
    for name in reversed(jobs):  # a job stands behind those that it waits for
        behind[name] += jobs[name].seconds(rate)
        for before in jobs[name].after:
            behind[before] = max(behind[before], behind[name])
    return behind


def makespan(jobs: dict[str, Job], gpus: int, rate: float) -> float:
    """Seconds until all jobs are done by list scheduling: of those that may start, that of the longest chain does."""
    behind, waits = chains(jobs, rate), {name: len(job.after) for name, job in jobs.items()}
    ready, running, now = [], [], 0.0
    followers = {name: [] for name in jobs}
    for name, job in jobs.items():
        for before in job.after:
            followers[before].append(name)
        if not job.after:
            heappush(ready, (-behind[name], name))
    while ready or running:
        while ready and len(running) < gpus:
            _, name = heappop(ready)
            heappush(running, (now + jobs[name].seconds(rate), name))
        now, done = heappop(running)
        for name in followers[done]:
            waits[name] -= 1
            if not waits[name]:
                heappush(ready, (-behind[name], name))
    return now


def hours(jobs: dict[str, Job], gpus: int, rate: float) -> str:
    return f"{makespan(jobs, gpus, rate) / 3600:,.1f}"


def line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def storage(settings: Params, jobs: dict[str, Job]) -> Iterator[str]:
    """Lines: what stays of each corpus on the disk."""
    yield line("corpus", "clips", "mouths", "tables", "checkpoints", "of all runs")
    yield line("---", *["---:"] * 5)
    for corpus, size in SIZES.items():
        parts = {
            name: part.parameters
            for name, part in measure(settings.view[corpus], settings.network[corpus], 1, 1).items()
        }
        reader, encoder = sum(parts.values()), sum(parts[name] for name in ENCODER)
        stages = [job.stage for job in jobs.values() if job.corpus == corpus and job.updates]
        weights = WEIGHTS * sum(reader if stage.startswith("train") else encoder for stage in stages)
        pixels, tables = size.clips * clip_bytes(settings, corpus), size.clips * TABLES[corpus]
        gigabytes = (f"{count / 1e9:,.1f} GB" for count in (pixels, tables, weights))
        yield line(corpus, f"{size.clips:,}", *gigabytes, len(stages))


def work(jobs: dict[str, Job], rates: list[float]) -> Iterator[str]:
    """Lines: each stage of each corpus by itself; the hours on several GPUs are those of the middle rate."""
    middle = rates[len(rates) // 2]
    at, on = ([f"at {rate / 1e12:g}" for rate in rates], [f"on {gpus}" for gpus in GPUS[1:]])
    yield line("corpus", "stage", "jobs", "updates a job", "PFLOP", *at, *on)
    yield line("---", "---", *["---:"] * (3 + len(at) + len(on)))
    groups: dict[tuple[str, str], dict[str, Job]] = {}
    for name, job in jobs.items():
        groups.setdefault((job.corpus, job.stage), {})[name] = job._replace(after=[])
    for (corpus, stage), group in groups.items():
        updates = next(iter(group.values())).updates
        flops = sum(job.flops for job in group.values()) / 1e15
        alone, several = [hours(group, 1, rate) for rate in rates], [hours(group, gpus, middle) for gpus in GPUS[1:]]
        counts = (f"{updates:,}" if updates else "–", f"{flops:,.0f}" if flops else "–")
        yield line(corpus, stage, len(group), *counts, *alone, *several)
    flops = sum(job.flops for job in jobs.values()) / 1e15
    yield line("all", "", len(jobs), "–", f"{flops:,.0f}", *(hours(jobs, 1, rate) for rate in rates), *["–"] * len(on))


def clock(settings: Params, jobs: dict[str, Job], rates: list[float]) -> Iterator[str]:
    """Lines: hours from the videos to the last result, and how fast the hungriest job reads clips."""
    yield line("corpora", "TFLOP/s", *(f"on {gpus}" for gpus in GPUS), "longest chain", "a GPU reads at most")
    yield line("---", *["---:"] * (3 + len(GPUS)))
    for corpora in [*([corpus] for corpus in SIZES), list(SIZES)]:
        own = {name: job for name, job in jobs.items() if job.corpus in corpora}
        for rate in rates:
            chain = f"{max(chains(own, rate).values()) / 3600:,.1f}"
            reads = max(job.clips * clip_bytes(settings, job.corpus) / job.seconds(rate) for job in own.values())
            several = (hours(own, gpus, rate) for gpus in GPUS)
            yield line(", ".join(corpora), f"{rate / 1e12:g}", *several, chain, f"{reads / 1e6:,.0f} MB/s")


def report(path: str, rates: list[float]) -> str:
    """The tables of docs/scale.md."""
    settings = load(path)
    jobs = {name: job for corpus in SIZES for name, job in plan(settings, corpus)}
    blocks = [storage(settings, jobs), work(jobs, rates), clock(settings, jobs, rates)]
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


if __name__ == "__main__":
    print(report(sys.argv[1], [float(rate) * 1e12 for rate in sys.argv[2:]]), end="")
