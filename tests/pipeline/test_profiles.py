"""What a job asks a scheduler for, and the profiles that hand it on. A real Slurm: tests/cluster."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
NEED = {"gpu": 8, "mem_mb": 10_000_000, "runtime": 7}  # no machine of ours has it

# kubectl, without a cluster: a Job runs here, as soon as it is created, in the folder and with the path that it names.
KUBECTL = """#!{python}
import os, pathlib, subprocess, sys, yaml
books = pathlib.Path(__file__).parent
verb = sys.argv[1]
if verb == "create":
    job, number = yaml.safe_load(sys.stdin), len(list(books.glob("*.yaml")))
    (books / f"{{number}}.yaml").write_text(yaml.safe_dump(job))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    environment = {{item["name"]: item["value"] for item in container["env"]}}
    keep = {{name: os.environ[name] for name in ("HOME", "PYTHONPATH") if name in os.environ}}
    with (books / f"{{number}}.log").open("w") as log:
        run = subprocess.run(
            container["command"], cwd=container["workingDir"], env=keep | environment, stdout=log, stderr=log
        )
    (books / f"{{number}}.end").write_text("Failed" if run.returncode else "Complete")
    print(f"job.batch/pcpg-{{number}}")
elif verb == "get":
    print("found", (books / (sys.argv[3].split("-")[-1] + ".end")).read_text(), end="")
"""


def snakemake(*arguments: str, cwd: Path) -> str:
    command = ["snakemake", *arguments]
    run = subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


@pytest.fixture
def checkout(root, tmp_path) -> Path:
    """The project with the smoke preset, whose jobs ask for more than there is."""
    folder = tmp_path / "project"
    for name in ("src", "profiles", "presets"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "Snakefile", folder)
    shutil.copy(root / "tests" / "smoke.params.yaml", folder / "params.yaml")
    for profile in ("slurm", "kubernetes"):
        asked = folder / "profiles" / profile / "config.yaml"
        config = yaml.safe_load(asked.read_text())
        (asked.parent / "given.yaml").write_text(asked.read_text())
        asked.write_text(yaml.safe_dump(config | {"set-resources": dict.fromkeys(config["set-resources"], NEED)}))
    return folder


def skip_without(plugin: str) -> None:
    if importlib.util.find_spec(f"snakemake_executor_plugin_{plugin}") is None:
        name = f"snakemake-executor-plugin-{plugin.replace('_', '-')}"
        pytest.skip(f"not installed: {name} (pip install -e '.[cluster]')")


def test_alone_on_a_machine_nothing_is_asked(checkout):
    """A preset for GPUs starts without one, and without its memory; nor is what is asked a reason to run again."""
    snakemake("--cores", "1", "data/smoke/lrw", cwd=checkout)
    assert (checkout / "data/smoke/lrw").is_dir()
    asked = ("--set-resources", "raw:runtime=8", "raw:gpu=0", "raw:mem_mb=9")
    assert "Nothing to be done" in snakemake("--cores", "1", "data/smoke/lrw", *asked, cwd=checkout)


@pytest.mark.parametrize(("profile", "plugin"), [("slurm", "slurm"), ("kubernetes", "cluster_generic")])
def test_a_profile_plans_the_paper(checkout, profile, plugin):
    """The one command of docs/cluster.md, as a dry run: every job has what the profile asks for its stage."""
    skip_without(plugin)
    config = checkout / "profiles" / profile / "config.yaml"
    (config.parent / "given.yaml").replace(config)  # as the project has it
    arguments = ("--profile", f"profiles/{profile}", "--configfile", "presets/paper.yaml", "--dry-run")
    planned = snakemake(*arguments, cwd=checkout)
    given = yaml.safe_load(config.read_text())
    usual = dict(item.split("=") for item in given["default-resources"])
    for rule in ("raw", "train", "tables"):
        need = usual | {key: str(value) for key, value in given["set-resources"].get(rule, {}).items()}
        jobs = re.findall(rf"^rule {rule}:\n(?: .*\n)*?    resources: (.*)$", planned, re.M)
        assert len(jobs) > 2
        for job in jobs:
            asked = dict(item.split("=", 1) for item in job.split(", "))
            assert {key: asked[key] for key in ("gpu", "mem_mb", "runtime")} == need
    booked = {
        rule: re.findall(rf"^rule {rule}:\n(?: .*\n)*?    threads: (.*)$", planned, re.M) for rule in ("raw", "shard")
    }
    assert not booked["raw"] and set(booked["shard"]) == {"8"}  # a corpus on disk is read in one thread


@pytest.fixture
def kubectl(tmp_path) -> Path:
    skip_without("cluster_generic")
    script = tmp_path / "bin" / "kubectl"
    script.parent.mkdir()
    script.write_text(KUBECTL.format(python=sys.executable))
    script.chmod(0o755)
    return script


def on_kubernetes(checkout: Path, kubectl: Path) -> subprocess.CompletedProcess:
    command = ["snakemake", "--profile", "profiles/kubernetes", "--retries", "0", "data/smoke/lrw"]
    environment = ENVIRONMENT | {"PATH": f"{kubectl.parent}:{ENVIRONMENT['PATH']}"}
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)


def test_kubernetes_is_asked_for_the_same(checkout, kubectl):
    """The manifest that kubectl gets; the kubectl of this test runs the Job at once, on this machine."""
    run = on_kubernetes(checkout, kubectl)
    assert run.returncode == 0 and (checkout / "data/smoke/lrw").is_dir(), run.stdout + run.stderr
    job = yaml.safe_load((kubectl.parent / "0.yaml").read_text())["spec"]
    (container,) = job["template"]["spec"]["containers"]
    assert job["activeDeadlineSeconds"] == 7 * 60
    assert container["resources"] == {
        "requests": {"cpu": "2", "memory": "10000000M"}, "limits": {"memory": "10000000M", "nvidia.com/gpu": "8"}
    }  # fmt: skip


def test_a_job_that_fails_on_kubernetes_is_named(checkout, kubectl):
    (checkout / "data").write_text("in the way of the folder")
    run = on_kubernetes(checkout, kubectl)
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert "Error in rule raw:" in said and "external_jobid: job.batch/pcpg-0" in said and "Traceback" not in said
