"""What the tests of faults share: a project to break, its commands, and what they left."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
ENGINES = {"snakemake": ("snakemake", "--cores", "2"), "dvc": ("dvc", "repro")}
KINDS = ("data", "clips", "runs", "results", "figures")
TIMED = ("report.html",)  # hold measured times


def shell(*command: str, cwd: Path, **more) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, **more)


def pcpg(*command: str, cwd: Path, **more) -> subprocess.CompletedProcess:
    return shell(sys.executable, "-m", "pcpg.cli", *command, cwd=cwd, **more)


def said(done: subprocess.CompletedProcess) -> str:
    return done.stdout + done.stderr


def only_line(done: subprocess.CompletedProcess) -> str:
    """The one line that a stage which stopped says, beside progress bars and its notes; never a traceback."""
    assert done.returncode in (2, 3), said(done)
    assert "Traceback" not in done.stderr, done.stderr
    lines = [line for line in done.stderr.replace("\r", "\n").split("\n") if line.startswith("pcpg: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


def digests(folder: Path) -> dict[str, str]:
    """Path -> SHA-256 of everything that the engines made, but for files that hold measured times."""
    files = [path for kind in KINDS for path in (folder / kind).rglob("*") if path.is_file() and path.name[0] != "."]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name not in TIMED
    }


def leftovers(folder: Path) -> list[Path]:
    """What lies under a temporary name."""
    return [path for kind in KINDS for path in (folder / kind).rglob(".*") if path.name.endswith(".partial")]


def new_project(root: Path, folder: Path) -> Path:
    """The project as a git and DVC repository of its own, its active preset smoke, nothing made."""
    folder.mkdir()
    for name in ("src", "profiles"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "dvc.yaml", ".gitignore"):
        shutil.copy(root / name, folder / name)
    shutil.copy(root / "tests" / "smoke.params.yaml", folder / "params.yaml")
    assert pcpg("plan", cwd=folder).returncode == 0
    for command in (("git", "init", "--quiet"), ("dvc", "init", "--quiet")):
        assert shell(*command, cwd=folder).returncode == 0
    shutil.copy(root / ".dvcignore", folder / ".dvcignore")
    shutil.copy(root / ".dvc" / "config", folder / ".dvc" / "config")  # it asks no server
    return folder


def wait_for(condition: Callable[[], object], seconds: float = 60) -> object:
    """What `condition` says once that is true; else the test fails."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    pytest.fail(f"nothing came within {seconds} s")
