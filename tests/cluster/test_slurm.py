"""The whole pipeline through a real Slurm of two nodes: same bytes as without it, also after a job that Slurm killed.

make test-cluster                                         # the smoke preset
make test-cluster PCPG_CLUSTER_PRESET=presets/mini.yaml   # another: a run on this machine, a run through Slurm
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from two_nodes import missing, slurm

from pcpg.settings.plan import KEYS
from pcpg.settings.yaml_file import read_yaml

PRESET = os.environ.get("PCPG_CLUSTER_PRESET", "tests/smoke.params.yaml")
STAGES = tuple(KEYS)
REPORT = ("store", "tables", "claims", "figures", "page")  # of one core
# of every stage something else, so that no mix-up passes
RESOURCES = {
    stage: {"gpu": int(stage in ("train", "probe")), "mem_mb": 2000 + number, "runtime": 60 + number}
    for number, stage in enumerate(STAGES)
}
MEASURED = ("report.html",)  # time and memory
KILLED = "train"  # a rule; the first of its jobs that runs is killed

SNAKEMAKE = (
    "snakemake", "--profile", "profiles/slurm",
    "--slurm-status-command", "squeue",  # this cluster keeps no accounts for sacct
    "--slurm-init-seconds-before-status-checks", "2",
)  # fmt: skip


@pytest.fixture(scope="module")
def cluster():
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())} (Debian: apt install slurm-wlm munge)")
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip("not installed: snakemake-executor-plugin-slurm (pip install -e '.[cluster]')")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path)
        with slurm() as environment:
            yield environment


def checkout(root: Path, folder: Path) -> Path:
    """A clean copy of the project, with the preset as its parameters, but for what its jobs ask for."""
    for name in ("src", "profiles"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "Snakefile", folder)
    shutil.copy(root / PRESET, folder / "params.yaml")
    profile = folder / "profiles/slurm/config.yaml"
    profile.write_text(yaml.safe_dump(yaml.safe_load(profile.read_text()) | {"set-resources": RESOURCES}))
    for name in ("corpora", "models"):  # real data, where the preset needs them
        if (root / name).exists():
            (folder / name).symlink_to(root / name)
    return folder


@pytest.fixture(scope="module")
def local(root, tmp_path_factory) -> Path:
    """The same pipeline without a cluster."""
    folder = checkout(root, tmp_path_factory.mktemp("local"))
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(["snakemake", "--quiet", "all", "--cores", "2"], cwd=folder, env=environment, check=True)
    return folder


@pytest.fixture(scope="module")
def project(root, tmp_path_factory) -> Path:
    return checkout(root, tmp_path_factory.mktemp("cluster"))


@pytest.fixture(scope="module")
def broken(cluster, project) -> tuple[int, str, str]:
    """A run of which Slurm kills one job: exit status, what it printed, the killed job's id."""
    printed = project / "broken.txt"
    with printed.open("w") as file:
        run = subprocess.Popen(
            [*SNAKEMAKE, "--retries", "0"], cwd=project, env=cluster, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            killed = cancel_first(KILLED, run, cluster, project)
            run.wait()
        finally:
            run.terminate()
            run.wait()
    return run.returncode, printed.read_text(), killed


def cancel_first(rule: str, run: subprocess.Popen, environment: dict[str, str], project: Path) -> str:
    """Kill the first job of a rule that is seen at work: its log is there."""
    queue = ["squeue", "--noheader", "--states=running", "--format=%i %k"]
    while run.poll() is None:
        at_work = {path.stem.replace("-", "_") for path in project.glob(f"logs/*/{rule}/*.log")}
        jobs = subprocess.run(queue, env=environment, capture_output=True, text=True).stdout
        for job, comment in map(str.split, jobs.splitlines()):
            if comment.removeprefix(f"rule_{rule}_wildcards_").replace("-", "_") in at_work:
                subprocess.run(["scancel", job], env=environment, check=True)
                return job
        time.sleep(0.5)
    raise AssertionError(f"no job of {rule} ran")


@pytest.fixture(scope="module")
def finished(broken, cluster, project) -> str:
    """What the run after the broken one printed."""
    run = subprocess.run(SNAKEMAKE, cwd=project, env=cluster, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def test_a_training_over_two_nodes(root, cluster, tmp_path):
    """By the same rules: two processes, one on each node, that train a baseline and a run from it."""
    folder, runs = checkout(root, tmp_path), ("ce", "k1s1")
    parameters = read_yaml(folder / "params.yaml") | {"processes": 2, "nodes": 2}
    profile = folder / "profiles/slurm/config.yaml"
    asked = yaml.safe_load(profile.read_text())
    del asked["set-resources"]["train"]["gpu"]
    asked["set-resources"]["train"]["gres"] = "gpu:1"  # on each node
    profile.write_text(yaml.safe_dump(asked))
    (folder / "params.yaml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    preset = parameters["preset"]
    targets = [f"runs/{preset}/grid/{run}/seed{parameters['seeds'][0]}/model.pt" for run in runs]
    done = subprocess.run([*SNAKEMAKE, *targets], cwd=folder, env=cluster, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for run in runs:
        record = folder / f"logs/{preset}/records/grid/{run}/seed{parameters['seeds'][0]}.json"
        assert json.loads(record.read_text())["processes"] == 2
    books = subprocess.run(["scontrol", "--oneliner", "show", "job"], env=cluster, capture_output=True, text=True)
    job = next(job for job in books.stdout.splitlines() if "Comment=rule_train" in job and f"WorkDir={folder} " in job)
    assert "NumNodes=2 " in job and "TresPerNode=gres:gpu:1" in job


def test_a_killed_job_is_reported(broken):
    status, printed, job = broken
    assert status != 0
    reports = re.findall(rf"Error in rule {KILLED}:\n.*SLURM-job '(\d+)' failed, SLURM status is: '(\w+)'", printed)
    assert reports == [(job, "CANCELLED")]
    log = re.search(r"log: (logs/\S+\.log), (\S+\.log) \(check", printed)
    assert log[1].startswith("logs/") and log[2].endswith(f"/{job}.log") and Path(log[2]).exists()
    assert "Traceback" not in printed


def test_the_other_jobs_went_on(broken, project):
    """What does not need the killed job's output is done in the same run."""
    _, printed, _ = broken
    submitted = len(re.findall(r"^Job \d+ has been submitted", printed, re.M))
    assert len(re.findall(r"^Finished jobid", printed, re.M)) == submitted - 1 > 5


def test_the_next_run_takes_up_what_is_missing_and_nothing_else(broken, finished):
    _, printed, _ = broken
    planned = int(re.search(r"^total +(\d+)$", printed, re.M)[1])
    rest = int(re.search(r"^total +(\d+)$", finished, re.M)[1])
    assert rest == planned - len(re.findall(r"^Finished jobid", printed, re.M))


def test_the_same_bytes_as_without_a_cluster(finished, local, project):
    """Data, weights, predictions, tables and figures; not what tells of time and memory."""
    names = [path.relative_to(local) for kind in ("data", "clips", "runs", "results", "figures")
             for path in sorted((local / kind).rglob("*")) if path.is_file() and path.name not in MEASURED]  # fmt: skip
    assert any(name.suffix == ".tex" for name in names) and any(name.name == "model.pt" for name in names)
    different = [str(name) for name in names if (project / name).read_bytes() != (local / name).read_bytes()]
    assert different == []


def test_what_the_profile_asks_for_reaches_the_scheduler(finished, cluster, project):
    """GPUs, memory, minutes and cores of every job, as Slurm has them in its books."""
    books = subprocess.run(["scontrol", "--oneliner", "show", "job"], env=cluster, capture_output=True, text=True)
    parameters, rules = read_yaml(project / "params.yaml"), set()
    for job in (line for line in books.stdout.splitlines() if f"WorkDir={project} " in line):
        entry = dict(item.split("=", 1) for item in job.split() if "=" in item)
        rule = re.match(r"rule_([a-z]+)", entry["Comment"])[1]
        need = RESOURCES[rule]
        cores = {"raw": "workers", "shard": "workers"}.get(rule, "threads")
        asked = {
            "MinMemoryNode": f"{need['mem_mb']}M",
            "TimeLimit": f"01:{need['runtime'] - 60:02d}:00",
            "CPUs/Task": str(1 if rule in REPORT else parameters[cores]),
        } | ({"TresPerJob": f"gres:gpu:{need['gpu']}"} if need["gpu"] else {})
        assert {key: entry.get(key) for key in (*asked, "TresPerJob") if key in asked or key in entry} == asked, job
        rules.add(rule)
    assert rules == set(STAGES)
