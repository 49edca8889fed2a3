"""The Snakefile and dvc.yaml are one list of jobs: same commands, outputs, dependencies and parameters."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
SOURCES = ("src", "profiles", "Snakefile", "dvc.yaml", "params.yaml", "presets")


@pytest.fixture(scope="module")
def checkout(root, tmp_path_factory) -> Path:
    """The project without data or results, as a git and DVC repository of its own."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        source = root / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    for command in (["git", "init", "--quiet"], ["dvc", "init", "--quiet"]):
        subprocess.run(command, cwd=folder, check=True, env=ENVIRONMENT)
    return folder


@pytest.fixture(scope="module")
def snakemake_jobs(checkout) -> dict[str, dict]:
    """Command -> inputs and outputs of every job, as a dry run prints them."""
    command = ["snakemake", "--dry-run", "--printshellcmds", "--forceall", "--cores", "64"]
    run = subprocess.run(command, cwd=checkout, env=ENVIRONMENT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    jobs = {}
    for block in re.split(r"\n(?=\[|rule |localrule )", run.stdout + run.stderr):
        found = re.search(r"Shell command: (pcpg .*?) 2> \S+", block) or re.search(r"^(pcpg .*?) 2> \S+", block, re.M)
        if found:
            lines = {key: re.search(rf"^ +{key}: (.*)$", block, re.M) for key in ("input", "output")}
            jobs[found.group(1)] = {key: set(line.group(1).split(", ")) for key, line in lines.items()}
    return jobs


@pytest.fixture(scope="module")
def dvc_jobs(checkout) -> dict[str, dict]:
    with Repo(str(checkout)) as repo:
        return {
            stage.cmd: {
                "input": {dep.def_path for dep in stage.deps if not hasattr(dep, "params")},
                "output": {out.def_path for out in stage.outs},
            }
            for stage in repo.index.stages
        }


def test_the_same_commands(snakemake_jobs, dvc_jobs):
    assert len(dvc_jobs) == 208
    assert snakemake_jobs.keys() == dvc_jobs.keys()


def test_the_same_outputs(snakemake_jobs, dvc_jobs):
    for command, job in dvc_jobs.items():
        assert job["output"] == snakemake_jobs[command]["output"], command


def test_the_same_dependencies(snakemake_jobs, dvc_jobs):
    """A folder in dvc.yaml, which cannot list the files of many runs, stands for what Snakemake lists inside it."""
    for command, job in dvc_jobs.items():
        listed = snakemake_jobs[command]["input"]
        for dependency in job["input"]:
            assert any(lies_in(name, dependency) for name in listed), (command, dependency)
        for name in listed:
            assert any(lies_in(name, dependency) for dependency in job["input"]), (command, name)


def lies_in(name: str, folder: str) -> bool:
    return name == folder or name.startswith(f"{folder}/")


def test_the_same_parameters(checkout):
    """Per stage, the keys that trigger a rerun."""
    rules = {}
    for block in re.split(r"\nrule ", (checkout / "Snakefile").read_text())[1:]:
        keys = re.findall(r'lookup\("([^"]+)"', block)
        rules[block.split(":")[0]] = {re.sub(r"\{(\w+)\}", r"<\1>", key.replace("/", ".")) for key in keys}
    stages: dict[str, set] = {}
    for name, stage in yaml.safe_load((checkout / "dvc.yaml").read_text())["stages"].items():
        rule, _, corpus = name.partition("_")
        keys = {re.sub(r"\$\{item\.(\w+)\}", r"<\1>", key) for key in stage.get("params", [])}
        keys = {re.sub(rf"^(runs|model)\.{corpus}\b", r"\1.<corpus>", key) for key in keys} if corpus else keys
        stages.setdefault(rule, keys)
        assert stages[rule] == keys, name
    del rules["all"]
    assert stages == rules


@pytest.mark.parametrize("preset", sorted(path.name for path in (Path(__file__).parents[2] / "presets").glob("*.yaml")))
def test_every_preset_is_a_list_of_jobs(checkout, preset):
    command = ["snakemake", "--dry-run", "--quiet", "--cores", "2", "--configfile", f"presets/{preset}"]
    run = subprocess.run(command, cwd=checkout, env=ENVIRONMENT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_wrong_key_stops_snakemake_before_the_first_job(checkout):
    text = (checkout / "params.yaml").read_text()
    (checkout / "wrong.yaml").write_text(
        text.replace("    k5s5: {<<: *grid_policy,", "    k5s5: {<<: *grid_policy, strid: 2,")
    )
    command = ["snakemake", "--dry-run", "--configfile", "wrong.yaml"]
    run = subprocess.run(command, cwd=checkout, env=ENVIRONMENT, capture_output=True, text=True)
    assert run.returncode != 0
    said = run.stdout + run.stderr
    assert "wrong.yaml: runs.grid.k5s5.strid: unknown key; did you mean runs.grid.k5s5.stride?" in said
    assert "Traceback" not in said
