"""Measured costs of the preset `paper` at its corpora's true sizes, without a video: `make bench-scale`."""

import os
import random
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from pcpg.corpora.base import Clip
from tests.bench import full_size

ROOT = Path(__file__).parents[2]
DRY = ["snakemake", "--dry-run", "--quiet", "rules", "--cores", "8", "--configfile", "presets/paper.yaml"]


def alone(action: Callable, *arguments):
    """What `action` returns, called in a process of its own, with seconds, processor seconds and peak MB."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measured, action, *arguments).result()


def _measured(action: Callable, *arguments):
    start = time.perf_counter()
    returned = action(*arguments)
    seconds = time.perf_counter() - start
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    processor = sum(use.ru_utime + use.ru_stime for use in (own, children))
    status = Path("/proc/self/status").read_text()  # own.ru_maxrss counts the memory of who started this process
    peak = int(status.split("VmHWM:")[1].split()[0])
    return returned, seconds, processor, max(peak, children.ru_maxrss) / 1e3


def row(what: str, measured: tuple, of: str = "", limit: str = "–") -> None:
    _, seconds, processor, peak = measured
    print(f"| {what} | {seconds:,.1f} | {processor:,.1f} | {peak:,.0f} | {of} | {limit} |", flush=True)


def command(project: Path, *words: str) -> str:
    """Its standard output; an error where it fails."""
    run = subprocess.run(words, cwd=project, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{' '.join(words)}: {run.stdout}{run.stderr}")
    return run.stdout


def manifest(project: Path, corpus: str) -> int:
    """Read it and cut it into shards, as stage `shard` does -> clips."""
    from pcpg.mouths.join import part, read_manifest

    rows = read_manifest(project / "data" / "paper" / corpus / "manifest.csv")
    assert sum(len(part(rows, number, full_size.SHARDS)) for number in range(full_size.SHARDS)) == len(rows)
    return len(rows)


def opened(project: Path, corpus: str) -> int:
    """-> bytes of its frames."""
    from pcpg.mouths.store import ClipStore

    return sum(shard.bytes for shard in ClipStore(project / "clips" / "paper" / corpus).shards)


def clip(project: Path, corpus: str, count: int = 500) -> tuple[float, float]:
    """-> ms of a clip from anywhere in the store when it is first read, with its CRC-32, and again."""
    from pcpg.mouths.store import ClipStore

    store, times = ClipStore(project / "clips" / "paper" / corpus), []
    rows = random.Random(1).sample(range(len(store)), count)
    for _ in range(2):
        start = time.perf_counter()
        for number in rows:
            store[number].copy()
        times.append((time.perf_counter() - start) / count * 1e3)
    return tuple(times)


def mouths(corpus: str) -> float:
    """Frames per second of processor time in stage `shard`: real GRID clips, generated LRW and LRW-1000 clips."""
    from pcpg.mouths.join import read_manifest
    from pcpg.mouths.shard import Cutter
    from pcpg.mouths.store import Region
    from pcpg.settings.load import load
    from tests.bench import clips as bench_clips

    if corpus == "grid":
        videos = sorted((bench_clips.SHARED / "grid" / "s1").glob("*.mpg"))[:6]
        listed = [Clip(f"s1/{path.stem}", f"s1/{path.name}", "s1", "train", "", -1, 0, 0) for path in videos]
        return median([bench_clips.timed_process(video) for video in listed][1:]) if videos else float("nan")
    settings, rates = load(ROOT / "tests" / "smoke.params.yaml"), []
    with tempfile.TemporaryDirectory() as folder:
        command(Path(folder), "pcpg", "raw", corpus, "--params", str(ROOT / "tests" / "smoke.params.yaml"))
        raw, clips = Path(folder) / "data" / "smoke" / corpus, getattr(settings.corpora, corpus).clips
        cutter = Cutter(raw / "corpus", Region(kind=clips.roi, landmarks=None, size=clips.size))
        for made in read_manifest(raw / "manifest.csv"):
            start = time.process_time()
            out = cutter.cut(made)
            rates.append(len(out[0]) / (time.process_time() - start))
    return median(rates)


def counted() -> float:
    """Bytes per second of processor time: CRC-32, mean and deviation of pixels that no cache holds for long."""
    import numpy as np

    from pcpg.mouths.store import ClipStore
    from tests.conftest import store_of

    frames = np.random.default_rng(0).integers(0, 256, (200, 29, 96, 96), dtype=np.uint8)
    named = [Clip(str(number), "", "", "train", "a", 0, 0, 0) for number in range(len(frames))]
    with tempfile.TemporaryDirectory() as folder:
        store = ClipStore(store_of(Path(folder), named, list(frames)))
        start = time.process_time()
        store.mean_std(range(len(store)))
        return frames.nbytes / (time.process_time() - start)


def ledger(project: Path) -> tuple[int, int]:
    """Give every other output of every stage a few bytes and let DVC take note of all -> stages, files.

    The frames are cut to their headers first: DVC keeps copies.
    """
    from dvc.repo import Repo

    for frames in project.glob("clips/*/*/shards/*/frames.npy"):
        os.truncate(frames, 128)
    with Repo(str(project)) as repo:
        outs = [Path(out.fs_path) for stage in repo.index.stages for out in stage.outs]
        stages = len(list(repo.index.stages))
    for path in outs:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{path}\n")
    return stages, sum(len(list(path.rglob("*"))) if path.is_dir() else 1 for path in outs)


def dry_run(project: Path, when: str) -> None:
    measured = alone(command, project, *DRY)
    jobs = measured[0].split("total")[-1].split()[0]
    row(f"`snakemake --dry-run`, {when}", measured, f"{jobs} jobs", "60 s, 2,000 MB")


def snakemake(project: Path) -> None:
    """Lines of the job graph, the manifests and the stores."""
    dry_run(project, "nothing made yet")
    for corpus, size in full_size.SIZES.items():
        alone(full_size.write_manifest, project, corpus)
        row(f"manifest of {corpus} read and cut", alone(manifest, project, corpus), f"{size.clips:,} clips")
    dry_run(project, "behind the manifests")
    for corpus in full_size.SIZES:
        alone(full_size.write_shards, project, corpus)
        store = ("pcpg", "clips", "store", corpus, "--params", "params.yaml")
        row(f"stage `store` of {corpus}", alone(command, project, *store), f"{full_size.SHARDS} shards")
        measured = alone(opened, project, corpus)
        row(f"store of {corpus} opened", measured, f"{measured[0] / 1e9:,.1f} GB of frames")


def dvc(project: Path) -> None:
    """Lines of DVC, once the frames are cut to their headers."""
    for words in (["git", "init", "--quiet"], ["dvc", "init", "--quiet"]):
        command(project, *words)
    (project / ".gitignore").write_text("/data/\n/clips/\n/runs/\n/logs/\n")
    stages, files = ledger(project)
    row("`dvc commit`, once", alone(command, project, "dvc", "commit", "--force", "--quiet", "--no-relink"))
    for turn in ("first", "second"):
        measured = alone(command, project, "dvc", "status")
        assert "up to date" in measured[0], measured[0]
        row(f"`dvc status`, the {turn}", measured, f"{stages} stages, {files:,} files", "15 s")


def rates(project: Path) -> list[str]:
    """What else tests/scale.py takes as measured, a line each."""
    lines = [""]
    for corpus, size in full_size.SIZES.items():
        raw, shards = (project / kind / "paper" / corpus for kind in ("data", "clips"))
        files = [raw / "manifest.csv", *shards.glob("shards/*/index.csv"), *shards.glob("shards/*/quality.csv")]
        first, again = alone(clip, project, corpus)[0]
        lines.append(
            f"{corpus}: tables of {sum(file.stat().st_size for file in files) / size.clips:.0f} bytes a clip; "
            f"{alone(mouths, corpus)[0]:,.0f} frames/s of a core in stage `shard`; a clip from anywhere in the store: "
            f"{first:.2f} ms from a hole of the disk, {again:.2f} ms from memory."
        )
    return [*lines, f"Mean, deviation and CRC-32 of pixels: {alone(counted)[0] / 1e6:,.0f} MB/s of a core."]


def main() -> None:
    print("| what | seconds | of processor | peak MB | of | goal |\n| --- | ---: | ---: | ---: | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        full_size.checkout(ROOT, project)
        snakemake(project)
        lines = rates(project)  # before DVC has the frames cut
        dvc(project)
    print(*lines, sep="\n\n")


if __name__ == "__main__":
    main()
