"""The project as a scratch clone whose active preset is smoke, run once for all tests of this room."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import warm

ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
ENVIRONMENT.pop("PYTHONPATH", None)  # a clone runs its own sources


def call(*command: str, cwd: Path, clone: Path | None = None) -> subprocess.CompletedProcess:
    """A command of a clone's `warm` process; the clone is the folder where it runs, unless another is given."""
    return _call(command, cwd, f"{warm.commands(clone or cwd)}:{ENVIRONMENT['PATH']}")


def run(*command: str, cwd: Path) -> str:
    """What such a command says, which must end as it should."""
    return _said(call(*command, cwd=cwd))


def run_cold(*command: str, cwd: Path) -> str:
    """The same by a process of its own, as a user starts it."""
    return _said(_call(command, cwd, ENVIRONMENT["PATH"]))


def _call(command: tuple[str, ...], cwd: Path, path: str) -> subprocess.CompletedProcess:
    environment = ENVIRONMENT | {"PYTHONPATH": str(cwd / "src"), "PATH": path}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def _said(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def jobs_of(output: str) -> dict[str, int]:
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", output, re.M) if name != "total"}


def planned(folder: Path, *targets: str) -> dict[str, int]:
    """Rule -> how many jobs Snakemake would run, and why is its own business."""
    return jobs_of(run("snakemake", "--dry-run", "--quiet", "rules", "--cores", "2", *targets, cwd=folder))


@pytest.fixture(scope="session")
def smoke(root, tmp_path_factory) -> Path:
    """A copy of the project whose active preset is smoke, after one run of everything.

    PCPG_SMOKE: the folder of one that an earlier run of these tests has made.
    """
    if made := os.environ.get("PCPG_SMOKE"):
        return Path(made)
    folder = tmp_path_factory.mktemp("smoke")
    for name in ("src", "profiles"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "dvc.yaml", ".gitignore"):
        shutil.copy(root / name, folder / name)
    shutil.copy(root / "tests" / "smoke.params.yaml", folder / "params.yaml")
    run("pcpg", "plan", cwd=folder)
    run("git", "init", "--quiet", cwd=folder)
    run("dvc", "init", "--quiet", "--force", cwd=folder)
    shutil.copy(root / ".dvcignore", folder / ".dvcignore")
    run("snakemake", "--cores", "2", cwd=folder)
    run("dvc", "commit", "--force", "--quiet", "--no-relink", cwd=folder)
    run("git", "add", ".", cwd=folder)
    run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "smoke", cwd=folder)
    return folder
