"""Two engines in one folder: the second says so and stops before it touches anything, and the first ends as ever."""

import fcntl
import os
import signal
import subprocess
from pathlib import Path

import pytest
from common import ENGINES, ENVIRONMENT, digests, said, shell, wait_for

GOALS = {"snakemake": ["data/smoke/lrw"], "dvc": ["raw@lrw"]}


def at_work(folder: Path) -> bool:
    """Whether a stage holds its lock."""
    path = folder / "logs/smoke/stages.lock"
    if not path.is_file():
        return False
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.mark.parametrize("second", ENGINES)
@pytest.mark.parametrize("first", ENGINES)
def test_the_second_engine_stops(first, second, project, unbroken):
    """The stage that runs is held up by SIGSTOP while the second engine looks."""
    command = [*ENGINES[first], *GOALS[first]]
    with open(project / "first.log", "w") as log:
        engine = subprocess.Popen(command, cwd=project, env=ENVIRONMENT, stdout=log, stderr=log, start_new_session=True)
    wait_for(lambda: at_work(project))
    os.killpg(engine.pid, signal.SIGSTOP)
    try:
        before = digests(project)
        other = shell(*ENGINES[second], *GOALS[second], cwd=project, timeout=120)
        assert digests(project) == before
    finally:
        os.killpg(engine.pid, signal.SIGCONT)
    assert other.returncode != 0 and "Traceback" not in said(other)
    told = {
        ("snakemake", "snakemake"): f"preset smoke: process {engine.pid} of ",
        ("snakemake", "dvc"): f"(PID {engine.pid}): snakemake",
        ("dvc", "snakemake"): "preset smoke: a pcpg process of DVC, of a killed engine or started by hand is still",
        ("dvc", "dvc"): f"(PID {engine.pid}): ",
    }
    assert told[first, second] in said(other)
    assert engine.wait(300) == 0, (project / "first.log").read_text()
    assert digests(project).items() <= digests(unbroken).items()
    assert (project / "data/smoke/lrw/manifest.csv").is_file()


def test_what_a_killed_engine_left_running_is_waited_for(project, unbroken):
    """SIGKILL to Snakemake alone: its stage lives on; the next engine says so, and goes on once that has ended.

    SIGSTOP holds the stage up while the next engine looks.
    """
    command = [*ENGINES["snakemake"], *GOALS["snakemake"]]
    engine = subprocess.Popen(command, cwd=project, env=ENVIRONMENT, stderr=subprocess.DEVNULL, start_new_session=True)
    wait_for(lambda: at_work(project))
    os.kill(engine.pid, signal.SIGKILL)
    engine.wait()
    os.killpg(engine.pid, signal.SIGSTOP)
    try:
        next_one = shell(*command, cwd=project, timeout=120)
    finally:
        os.killpg(engine.pid, signal.SIGCONT)
    assert next_one.returncode != 0 and "is still at work on it in this folder; wait for its end" in said(next_one)
    wait_for(lambda: not at_work(project), 120)
    next_one = shell(*command, cwd=project)
    assert next_one.returncode == 0, said(next_one)
    made = digests(project)
    assert made and made.items() <= digests(unbroken).items()


def test_two_presets_do_not_meet(project):
    """Paths carry the preset's name: what holds one preset leaves the next alone."""
    text = (project / "params.yaml").read_text()
    (project / "other.yaml").write_text(text.replace("preset: smoke", "preset: other"))
    lock = project / "logs/smoke/engine.lock"
    lock.parent.mkdir(parents=True)
    with open(lock, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        taken = shell(*ENGINES["snakemake"], *GOALS["snakemake"], cwd=project)
        free = shell("snakemake", "--cores", "2", "data/other/lrw", "--configfile", "other.yaml", cwd=project)
    assert taken.returncode != 0 and "in this folder already" in said(taken)
    assert free.returncode == 0, said(free)
