"""What the machine refuses: room on the disk, the right to write, memory; and a clock that goes wrong.

One clear line, nothing half-written, and the next run makes the same bytes.
"""

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from common import ENGINES, digests, leftovers, new_project, only_line, pcpg, said, shell

STAGES = {  # command: what it writes
    "raw grid": ["data/smoke/grid"],
    "raw lrw1000": ["data/smoke/lrw1000"],
    "clips shard grid 1": ["clips/smoke/grid/shards/1"],
    "clips store grid": ["clips/smoke/grid/store.json", "results/smoke/clips/grid"],
    "train grid ce --seed 1": ["runs/smoke/grid/ce", "results/smoke/runs/grid/ce/history-seed1.csv"],
    "train lrw k5s1 --seed 1": ["runs/smoke/lrw/k5s1", "results/smoke/runs/lrw/k5s1/history-seed1.csv"],
    "evaluate lrw k5s1": [
        "results/smoke/runs/lrw/k5s1/metrics.json",
        "results/smoke/runs/lrw/k5s1/predictions.csv",
    ],
    "probe lrw scratch --seed 1": ["runs/smoke/lrw/scratch", "results/smoke/runs/lrw/scratch/history-seed1.csv"],
    "probe lrw ce-fe_tc --seed 1": ["runs/smoke/lrw/ce-fe_tc", "results/smoke/runs/lrw/ce-fe_tc/history-seed1.csv"],
    "classify lrw ce-fe_tc": [
        "results/smoke/runs/lrw/ce-fe_tc/metrics.json",
        "results/smoke/runs/lrw/ce-fe_tc/predictions.csv",
    ],
    "tables table1": [f"results/smoke/table1.{kind}" for kind in ("csv", "md", "tex")],
    "claims": ["results/smoke/claims.csv", "results/smoke/claims.md", "results/smoke/evidence.md"],
    "figures fig6_grid": ["figures/smoke/fig6_grid.png", "figures/smoke/fig6_grid.svg"],
    "page": ["results/smoke/report.html"],
}


@contextmanager
def mounted(place: Path, *options: str):
    """Something mounted at `place`; skips where nobody may."""
    done = subprocess.run(["mount", *options, str(place)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"needs the right to mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def remove(folder: Path, names: list[str]) -> None:
    """As the engines do before they run a job."""
    for name in names:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def fill(file: Path, leave: int) -> None:
    """Take all room that the disk has but for `leave` bytes."""
    with open(file, "wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(1 << 12))
        except OSError:
            out.truncate(max(out.tell() - leave, 0))


def whole(before: dict, after: dict) -> bool:
    """Whether every file that is there is one of those that an undisturbed stage writes."""
    return after.items() <= before.items()


@pytest.fixture
def small_disk(unbroken, root, tmp_path):
    """A finished project on a disk of 96 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    with mounted(place, "-t", "tmpfs", "-o", "size=96m", "tmpfs"):
        for kind in ("data", "clips", "runs", "results", "figures"):
            shutil.copytree(unbroken / kind, place / kind)
        shutil.copy(root / "tests" / "smoke.params.yaml", place / "params.yaml")
        yield place


@pytest.mark.parametrize("command", STAGES)
def test_a_full_disk(command, small_disk):
    """No room at all; for the stages that write megabytes, also room for the beginning."""
    before, filler = digests(small_disk), small_disk / "filler"
    for leave in (0, 100_000) if command.startswith(("raw", "clips shard")) else (0,):
        remove(small_disk, [name for name in STAGES[command] if (small_disk / name).exists()])
        fill(filler, leave)
        try:
            line = only_line(pcpg(*command.split(), cwd=small_disk))
        finally:
            filler.unlink()
        assert "No space left on device" in line, line
        assert whole(before, digests(small_disk)) and leftovers(small_disk) == []
    done = pcpg(*command.split(), cwd=small_disk)
    assert done.returncode == 0, said(done)
    assert digests(small_disk) == before


@pytest.mark.parametrize(
    "command", ["raw grid", "clips shard grid 1", "train grid ce --seed 1", "tables table1", "figures strip"]
)
def test_a_read_only_folder(command, finished):
    before = digests(finished)
    kind = {"raw": "data", "train": "runs", "tables": "results"}.get(command.split()[0], command.split()[0])
    place = finished / kind
    with mounted(place, "--bind", str(place)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        line = only_line(pcpg(*command.split(), cwd=finished))
        assert "Read-only file system" in line and f" {kind}/smoke" in line
    assert digests(finished) == before and leftovers(finished) == []
    done = pcpg(*command.split(), cwd=finished)
    assert done.returncode == 0, said(done)
    assert digests(finished) == before


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_on_a_full_disk_ends_and_goes_on_later(engine, unbroken, root, tmp_path):
    """With Snakemake's records, DVC's cache and the logs on the same disk."""
    place = tmp_path / "disk"
    place.mkdir()
    goal = {"snakemake": ["data/smoke/lrw", "data/smoke/grid"], "dvc": ["raw@lrw", "raw@grid"]}[engine]
    with mounted(place, "-t", "tmpfs", "-o", "size=96m", "tmpfs"):
        folder = new_project(root, place / "project")
        fill(place / "filler", 400_000)
        done = shell(*ENGINES[engine], *goal, cwd=folder)
        assert done.returncode != 0
        assert "No space left on device" in said(done)
        assert whole(digests(unbroken), digests(folder)) and leftovers(folder) == []
        (place / "filler").unlink()
        done = shell(*ENGINES[engine], *goal, cwd=folder)
        assert done.returncode == 0, said(done)
        made = digests(folder)
        assert made and whole(digests(unbroken), made)


@pytest.mark.parametrize("room", [0, 12, 30, 50])
@pytest.mark.parametrize("command", ["train grid ce --seed 1", "evaluate lrw k5s1", "figures strip"])
def test_too_little_memory(command, room, finished):
    """Of a limit of so many MB more than the libraries take: the stage ends well or in one line, and never in part."""
    before = digests(finished)
    remove(finished, STAGES.get(command, []))
    limited = shell(
        sys.executable, str(Path(__file__).with_name("limited.py")), str(room), *command.split(), cwd=finished
    )
    assert whole(before, digests(finished))
    if limited.returncode:
        last = [line for line in limited.stderr.replace("\r", "\n").split("\n") if line.strip()][-1]
        assert "emory" in last or "thread" in last, limited.stderr[-2000:]
        done = pcpg(*command.split(), cwd=finished)
        assert done.returncode == 0, said(done)
    assert digests(finished) == before and leftovers(finished) == []


@pytest.mark.parametrize("room", [60, 250])
@pytest.mark.parametrize("command", ["raw grid", "clips shard grid 1"])
def test_too_little_memory_for_a_worker(command, room, finished, tmp_path):
    """So many MB for each process of a pool: all clips are made, or the stage says so in one line; none is left out."""
    (tmp_path / "sitecustomize.py").write_text(
        "import resource, sys\n"
        "if '--multiprocessing-fork' in sys.orig_argv:\n"
        f"    resource.setrlimit(resource.RLIMIT_AS, ({room} << 20, {room} << 20))\n"
    )
    before = digests(finished)
    remove(finished, STAGES[command])
    done = shell(
        "env", f"PYTHONPATH={tmp_path}:{os.environ.get('PYTHONPATH', '')}",
        sys.executable, "-m", "pcpg.cli", *command.split(), cwd=finished, timeout=300,
    )  # fmt: skip
    assert room > 60 or done.returncode
    if done.returncode:  # a process without room for numpy may say that at length before the stage says its line
        lines = [line for line in done.stderr.replace("\r", "\n").split("\n") if line.startswith("pcpg: ")]
        assert done.returncode == 3 and len(lines) == 1 and "emory" in lines[0], said(done)
    assert whole(before, digests(finished)) and leftovers(finished) == []
    done = pcpg(*command.split(), cwd=finished)
    assert done.returncode == 0, said(done)
    assert digests(finished) == before


def test_a_clock_set_back(finished):
    """Clips of tomorrow: Snakemake names them and stops; `touch` puts it right. The past changes nothing."""
    folder, goal = finished, ["results/smoke/runs/lrw/ce/metrics.json"]
    done = shell(*ENGINES["snakemake"], *goal, cwd=folder)
    assert done.returncode == 0, said(done)
    wanted, future = digests(folder), time.time() + 86_400
    clips = [folder / "clips/smoke/lrw/store.json"]
    for path in clips:
        os.utime(path, (future, future))
    stopped = shell(*ENGINES["snakemake"], *goal, cwd=folder)
    assert stopped.returncode != 0 and "older modification time" in said(stopped)
    assert "than input clips/smoke/lrw" in said(stopped) and whole(wanted, digests(folder))
    for path in clips:
        os.utime(path)
    again = shell(*ENGINES["snakemake"], *goal, cwd=folder)
    assert again.returncode == 0, said(again)
    assert digests(folder) == wanted
    for path in (folder / "data/smoke").rglob("*"):
        os.utime(path, (1, 1))
    again = shell(*ENGINES["snakemake"], *goal, cwd=folder)
    assert again.returncode == 0, said(again)
    assert digests(folder) == wanted
