"""What docs/scale.md says, and that the job graph of the preset `paper` is built quickly."""

import re
from collections import Counter

import pytest
from command import called

from pcpg.corpora import lrw, lrw1000
from pcpg.corpora.grid_splits import assign
from pcpg.mouths.join import read_manifest
from pcpg.mouths.store import ClipStore
from pcpg.settings.load import load
from tests.bench import engines as bench_scale
from tests.bench import full_size, scale
from tests.bench.scale import Job, Pass

PAPER = "presets/paper.yaml"


@pytest.fixture
def jobs(root, monkeypatch) -> dict[str, Job]:
    """Those of the preset `paper`, for a network of round numbers."""
    monkeypatch.setattr(scale, "forward", lambda settings, corpus, frames: Pass(frames * 10**6, 1000, 10))
    settings = load(root / PAPER)
    return {name: job for corpus in settings.corpus_names for name, job in scale.plan(settings, corpus)}


def test_the_page_holds_what_the_command_prints(root):
    text = (root / "docs" / "scale.md").read_text()
    [command] = re.findall(rf"python -m tests\.bench\.scale {PAPER}([ \d]+)", text)
    printed = scale.report(str(root / PAPER), [float(rate) * 1e12 for rate in command.split()])
    for block in printed.split("\n\n"):
        assert block.strip() in text, f"run: python -m tests.bench.scale {PAPER}{command}"


def test_the_graph_of_the_paper_is_built_quickly_and_is_the_planned_one(root, tmp_path, jobs):
    """Goal: 60 s and 2 GB. The jobs that the page counts are those of the Snakefile."""
    full_size.checkout(root, tmp_path)
    printed, seconds, _, peak = bench_scale.alone(bench_scale.command, tmp_path, *bench_scale.DRY)
    counts = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", printed, re.M)}
    assert seconds < 60 and peak < 2000
    planned = Counter(job.stage.split(",")[0] for job in jobs.values())
    assert {stage: counts.get(stage) for stage in planned} == planned
    others = ("all", "raw", "tables", "claims", "figures", "page")
    assert counts["total"] == len(jobs) + sum(counts[rule] for rule in others)


def test_costs_by_hand(root, jobs):
    """75 million FLOPs a GRID clip, 1,010 and more for the text; the decoder reads its own 40 characters in test."""
    seeds = len(load(root / PAPER).seeds)
    forced = 75_000_000 + 1000 + 28 * 10
    validated = forced + 40 * 10
    ce, policy, control = (jobs[f"grid/{run}/1"] for run in ("ce", "k5s1", "ce-continued"))
    assert ce.flops == 40 * 27_550 * 3 * forced + 41 * 1_450 * validated
    assert policy.flops == 5 * 27_550 * 3 * 1.5 * forced + 6 * 1_450 * validated
    assert control.flops == 5 * 27_550 * 3 * forced + 6 * 1_450 * validated
    assert (ce.updates, ce.clips) == (40 * 861, 40 * 27_550 + 41 * 1_450)
    assert jobs["grid/ce/evaluate"].flops == seeds * 4_000 * (75_000_000 + 1000 + 240 * 10)
    fixed, trained = (jobs[f"lrw/ce-{probe}/3"] for probe in ("fe_tc", "te_tc"))
    once = 15 * 488_766 * 29_000_000
    assert trained.flops - fixed.flops == 2 * once
    assert fixed.flops == once + 15 * 25_000 * 29_000_000
    assert jobs["lrw/ce-te_tc/classify"].flops == seeds * 25_000 * 29_000_000
    assert sum(job.idle for job in jobs.values() if job.stage == "shard" and job.corpus == "grid") == pytest.approx(
        33_000 * 75 / 100 / 8
    )


def job(flops: float, *after: str) -> Job:
    return Job("", "", list(after), flops=flops)


def test_list_scheduling_by_hand():
    five = {"a": job(1), "b": job(1), "c": job(2), "d": job(4), "e": job(3, "a")}
    assert scale.makespan(five, 1, 1.0) == 11
    assert scale.makespan(five, 2, 1.0) == 6
    assert scale.makespan(five, 8, 1.0) == 4
    assert scale.makespan(five, 8, 2.0) == 2
    assert scale.makespan({"a": job(2), "b": job(2), "c": job(4)}, 2, 1.0) == 4  # not 6: the longest starts first
    assert scale.chains(five, 1.0) == {"a": 4, "b": 1, "c": 2, "d": 4, "e": 3}


@pytest.mark.parametrize("gpus", scale.GPUS)
def test_no_schedule_beats_its_bounds(jobs, gpus):
    total, chain = sum(job.seconds(1e9) for job in jobs.values()), max(scale.chains(jobs, 1e9).values())
    found, best = scale.makespan(jobs, gpus, 1e9), max(total / gpus, chain)
    assert best * (1 - 1e-9) <= found <= total / gpus + chain  # Graham's bound


def test_the_sizes_are_the_corpora(root):
    sizes = full_size.SIZES
    assert {split: getattr(sizes["lrw"], split) for split in lrw.CLIPS} == lrw.CLIPS
    assert sizes["lrw1000"].clips == lrw1000.SAMPLES
    raw = load(root / PAPER).corpora.grid.raw
    drawn = Counter(assign([f"c{i}" for i in range(1000)], "s3", 0, raw.validation, raw.split_seed).values())
    grid = sizes["grid"]
    assert (grid.train, grid.val) == (29 * drawn["train"], 29 * drawn["val"])
    assert grid.test == 1000 * len(raw.test_speakers) and grid.clips == 33_000


@pytest.mark.parametrize("corpus", ["grid", "lrw", "lrw1000"])
def test_a_simulated_store_is_a_store(tmp_path, monkeypatch, corpus):
    """Of fewer clips, through the real stage."""
    small = full_size.SIZES[corpus]._replace(train=70, val=40, test=20)
    monkeypatch.setitem(full_size.SIZES, corpus, small)
    for write in (full_size.write_manifest, full_size.write_shards):
        write(tmp_path, corpus)
    preset = str(bench_scale.ROOT / PAPER)
    assert called("clips", "store", corpus, "--params", preset, cwd=tmp_path).returncode == 0
    store = ClipStore(tmp_path / "clips" / "paper" / corpus)
    manifest = read_manifest(tmp_path / "data" / "paper" / corpus / "manifest.csv")
    assert [row.clip for row in store.index] == [clip.clip for clip in manifest] and len(store) == 130
    assert all(clip.shape == (small.frames, 96, 96) and not clip.any() for clip in store)
    frames = tmp_path / "clips" / "paper" / corpus / "shards" / "0" / "frames.npy"
    assert frames.stat().st_blocks * 512 < frames.stat().st_size / 10
