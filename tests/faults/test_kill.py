"""SIGKILL at random moments of the whole smoke run, of an engine with all it runs or of one worker alone."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from common import ENGINES, ENVIRONMENT, digests, leftovers, pcpg, said, shell, wait_for

from pcpg.settings.load import load
from pcpg.settings.plan import Plan

KILLS = 10  # of each engine


def running(engine: subprocess.Popen) -> dict[str, psutil.Process]:
    """The pcpg commands that an engine has running."""
    found = {}
    try:
        for process in psutil.Process(engine.pid).children(recursive=True):
            words = process.cmdline()
            if len(words) > 2 and Path(words[1]).name == "pcpg":
                found[" ".join(words[2:])] = process
    except psutil.NoSuchProcess:
        pass
    return found


def start(engine: str, folder: Path) -> subprocess.Popen:
    with open(folder / "engine.log", "a") as log:
        return subprocess.Popen(
            ENGINES[engine], cwd=folder, env=ENVIRONMENT, stdout=log, stderr=log, start_new_session=True
        )


def end(engine: subprocess.Popen) -> None:
    """SIGKILL to the engine and all it started, at once."""
    os.killpg(engine.pid, signal.SIGKILL)
    engine.wait()


def repair_dvc(folder: Path) -> bool:
    """What docs/faults.md says to do where the kill hit DVC while it wrote its record, which it does in place."""
    broken = shell("dvc", "status", cwd=folder)
    if broken.returncode == 0:
        return False
    assert "dvc.lock" in said(broken) or "rwlock" in said(broken), said(broken)
    (folder / "dvc.lock").unlink(missing_ok=True)
    (folder / ".dvc/tmp/rwlock").unlink(missing_ok=True)
    return True


@pytest.mark.parametrize("engine", ENGINES)
def test_sigkill_at_random_moments_changes_no_byte(engine, project, unbroken, capsys):
    """Ten kills spread over the jobs of one run; the third and the seventh hit one pcpg alone and the engine lives."""
    draw = random.Random(f"kill {engine}")
    plan = Plan(load(project / "params.yaml"))
    jobs = 2 * len(plan.trained) * len(plan.params.seeds)  # at least: each has its test
    targets = sorted(draw.sample(range(1, jobs + 1), KILLS))
    seen, hits, repaired, done = set(), Counter(), 0, 0
    for number, target in enumerate(targets, start=1):
        process, delay, since = start(engine, project), draw.uniform(0, 3), None
        while process.poll() is None:
            now = running(process)
            seen |= now.keys()
            if since is None and len(seen) >= target:
                since = time.monotonic()
            if since is not None and time.monotonic() - since >= delay and now:
                break
            time.sleep(0.05)
        if process.poll() is not None:
            assert process.returncode == 0, (project / "engine.log").read_text()[-3000:]
            break
        done += 1
        if number in (3, 7):
            victim = draw.choice(sorted(now))
            hits[f"{victim.split()[0]} alone"] += 1
            now[victim].kill()
            assert process.wait(120) != 0
        else:
            hits.update({command.split()[0] for command in now})
            end(process)
        repaired += engine == "dvc" and repair_dvc(project)
    assert done >= KILLS - 1
    last = start(engine, project)
    assert last.wait(900) == 0, (project / "engine.log").read_text()[-3000:]
    with capsys.disabled():
        print(f"\n{engine}: {done} kills, of {dict(sorted(hits.items()))}; DVC's record repaired {repaired} times")
    assert digests(project) == digests(unbroken)
    assert leftovers(project) == []


def worker_of(process: subprocess.Popen) -> psutil.Process | None:
    """A process of the pool of a stage, once it works."""
    try:
        children = psutil.Process(process.pid).children()
        return next((child for child in children if "spawn_main" in " ".join(child.cmdline())), None)
    except psutil.NoSuchProcess:
        return None


@pytest.mark.parametrize(("stage", "after"), [("raw grid", 0.5), ("clips shard grid 0", 0.0)])
def test_sigkill_of_a_worker_costs_one_step_at_most(stage, after, finished, unbroken):
    """The stage says so in one line and writes nothing, or does the lost clip again; then the bytes are the same.

    after: seconds; a shard of the smoke preset takes less than half a second once its workers have started.
    """
    command = [sys.executable, "-m", "pcpg.cli", *stage.split()]
    process = subprocess.Popen(command, cwd=finished, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    worker = wait_for(lambda: worker_of(process))
    time.sleep(after)
    worker.kill()
    error = process.communicate(timeout=300)[1]
    assert "Traceback" not in error
    if process.returncode:
        assert error.count("pcpg: ") == 1 and "one of its processes was killed" in error
        assert leftovers(finished) == []
        again = pcpg(*stage.split(), cwd=finished)
        assert again.returncode == 0, said(again)
    assert digests(finished) == digests(unbroken)
