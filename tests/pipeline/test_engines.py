"""The Snakefile and dvc.yaml are one list of jobs: same commands, outputs, dependencies and parameters."""

import re
import shutil
from functools import partial
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo
from smoke_clone import call, run

from pcpg import parameters
from pcpg.settings.plan import KEYS, LISTS, REPORT, SEEDS, Plan

ROOT = Path(__file__).parents[2]
SOURCES = ("src", "profiles", "Snakefile", "dvc.yaml", "params.yaml", "plan.json", "presets")
FILES = ["params.yaml", *(f"presets/{path.name}" for path in sorted((ROOT / "presets").glob("*.yaml")))]


@pytest.fixture(scope="module")
def checkout(root, tmp_path_factory) -> Path:
    """The project without data or results, as a git and DVC repository of its own."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    run("git", "init", "--quiet", cwd=folder)
    run("dvc", "init", "--quiet", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def snakemake_jobs(checkout) -> dict[str, dict]:
    """Command -> rule, inputs and outputs of every job, as a dry run prints them."""
    said = run("snakemake", "--dry-run", "--printshellcmds", "--forceall", "--cores", "64", cwd=checkout)
    jobs = {}
    for block in re.split(r"\n(?=\[|rule |localrule )", said):
        found = re.search(r"Shell command: (pcpg .*?) 2> \S+", block) or re.search(r"^(pcpg .*?) 2> \S+", block, re.M)
        if found:
            lines = {key: re.search(rf"^ +{key}: (.*)$", block, re.M) for key in ("input", "output")}
            job = {key: set(line.group(1).split(", ")) if line else set() for key, line in lines.items()}
            jobs[found.group(1)] = job | {"rule": re.search(r"^(?:local)?rule (\w+):", block, re.M)[1]}
    return jobs


@pytest.fixture(scope="module")
def dvc_jobs(checkout) -> dict[str, dict]:
    """The same of DVC's stages, but for `plan`, which Snakemake has no need of."""
    with Repo(str(checkout)) as repo:
        jobs = {
            stage.cmd: {
                "rule": stage.name.partition("@")[0].split("_from_")[0],
                "input": {dep.def_path for dep in stage.deps if not hasattr(dep, "params")},
                "output": {out.def_path for out in stage.outs},
                "params": {dep.def_path: set(dep.params) for dep in stage.deps if hasattr(dep, "params")},
            }
            for stage in repo.index.stages
        }
    plan = jobs.pop(next(command for command, job in jobs.items() if job["rule"] == "plan"))
    assert plan["output"] == {"plan.json"} and plan["input"] == {"params.yaml", "src/pcpg"}
    return jobs


def test_the_same_commands(snakemake_jobs, dvc_jobs):
    """As many as the parameter file asks for, each by the rule or stage of its name."""
    assert snakemake_jobs.keys() == dvc_jobs.keys()
    assert {command: job["rule"] for command, job in snakemake_jobs.items()} == {
        command: job["rule"] for command, job in dvc_jobs.items()
    }
    params = parameters.read(ROOT / "params.yaml")
    corpora, seeds = params.corpus_names, len(params.seeds)
    runs, classifiers = (sum(map(len, section.values())) for section in (params.runs, params.classifiers))
    wanted = {
        "raw": len(corpora), "shard": len(corpora) * len(params.shards), "store": len(corpora), "train": runs * seeds,
        "probe": classifiers * seeds, "evaluate": runs, "classify": classifiers, "tables": len(params.tables),
        "figures": len(params.figures), "claims": 1, "page": 1,
    }  # fmt: skip
    found = [job["rule"] for job in snakemake_jobs.values()]
    assert {rule: found.count(rule) for rule in found} == wanted and KEYS.keys() == wanted.keys()


def test_the_same_outputs(snakemake_jobs, dvc_jobs):
    for command, job in dvc_jobs.items():
        assert job["output"] == snakemake_jobs[command]["output"], command


def test_the_same_dependencies(snakemake_jobs, dvc_jobs):
    """A folder in dvc.yaml, which cannot list the files of many runs, stands for all data that jobs write inside it."""
    data = (".csv", ".json", ".pt")  # not shards, for which a store.json stands, nor forms that nobody reads again
    written = {name for job in snakemake_jobs.values() for name in job["output"] if name.endswith(data)}
    for command, job in dvc_jobs.items():
        listed = snakemake_jobs[command]["input"]
        for dependency in job["input"]:
            assert any(lies_in(name, dependency) for name in listed), (command, dependency)
            unlisted = {name for name in written if lies_in(name, dependency)} - set(listed)
            assert not unlisted, (command, sorted(unlisted)[:3])
        for name in listed:
            assert any(lies_in(name, dependency) for dependency in job["input"]), (command, name)


def lies_in(name: str, folder: str) -> bool:
    return name == folder or name.startswith(f"{folder}/")


def test_the_same_parameters(dvc_jobs):
    """Every job: the keys that settings/plan.py gives the Snakefile, a checksum of code, what the plan tells."""
    plan = Plan(parameters.read(ROOT / "params.yaml"))
    for command, job in dvc_jobs.items():
        words = [word for word in command.removesuffix(" --params params.yaml").split() if word != "clips"]
        names = dict(zip(("corpus", "run"), words[2:4], strict=False))
        stage = job["rule"]
        places = {SEEDS: "{stage}.{corpus}-{run}.seeds", LISTS: "lists.{corpus}", REPORT: "report"}
        told = {key.format(**names): places[key].format(stage=stage, **names) for key in KEYS[stage] if key in places}
        keys = plan.keys(stage, **names).keys() - told.keys()
        assert job["params"].get("params.yaml", set()) == keys, command
        chosen = {"raw": names.get("corpus"), "train": plan.objective(**names) if stage == "train" else ""}
        kind = f"{stage}.{chosen[stage]}" if stage in chosen else stage
        assert job["params"]["plan.json"] == {f"code.{kind}", *told.values()}, command


@pytest.mark.parametrize("section", ["preset", "seeds", "corpora", "runs", "classifiers"])
def test_the_checksum_for_the_report_covers_every_section_that_it_reads(section):
    params = parameters.read(ROOT / "params.yaml")
    plan, changed = Plan(params), Plan(params)
    changed.values = changed.values | {section: "other"}
    assert plan.keys("tables")["report"] != changed.keys("tables")["report"]
    assert plan.as_mapping()["report"] == plan.keys("claims")["report"]


def test_every_checksum_of_the_plan_is_the_one_that_snakemake_computes():
    """For every job's own stage, corpus and run."""
    plan = Plan(parameters.read(ROOT / "params.yaml"))
    content = plan.as_mapping()
    for corpus, run_ in plan.jobs("runs"):
        assert plan.code("train", corpus, run_) == content["code"]["train"][plan.objective(corpus, run_)]
    for corpus in plan.params.corpus_names:
        assert plan.code("raw", corpus) == content["code"]["raw"][corpus]
    for stage in KEYS.keys() - {"train", "raw"}:
        assert plan.code(stage) == content["code"][stage]


def test_the_committed_plan_is_what_pcpg_plan_writes():
    text = (ROOT / "plan.json").read_text(encoding="utf-8")
    assert text == Plan(parameters.read(ROOT / "params.yaml")).text(), "run: pcpg plan"


def test_new_jobs_are_said_and_new_code_is_not(checkout, tmp_path):
    """DVC has read the old list by the time that it is written again."""
    shutil.copy(checkout / "params.yaml", tmp_path / "params.yaml")
    written = tmp_path / "plan.json"
    shutil.copy(checkout / "plan.json", written)
    before = written.read_bytes()
    written.write_text(re.sub(r'"raw": "\w{16}"', '"raw": "0000000000000000"', before.decode()))
    command = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["plan"]["cmd"].split()
    plan_again = partial(call, *command, cwd=tmp_path, clone=checkout)
    assert plan_again().returncode == 0
    assert written.read_bytes() == before
    params = tmp_path / "params.yaml"
    params.write_text(params.read_text().replace("seeds: [1, 2, 3]", "seeds: [1, 2]"))
    done = plan_again()
    assert done.returncode == 2
    assert done.stderr == "pcpg: plan.json: written again, with other jobs than before; run the same command again\n"
    assert plan_again().returncode == 0 and "grid-ce-3" not in written.read_text()
    whole = written.read_bytes()
    for broken in (b"\xff\xfe", b"a: [", b"a text", b""):
        written.write_bytes(broken)
        assert plan_again().returncode == 0 and written.read_bytes() == whole


@pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # pygtrie's, which DVC uses
@pytest.mark.parametrize("file", FILES)
def test_every_preset_is_a_list_of_jobs_for_both_engines(checkout, file):
    """Which DVC reads as params.yaml; both run as many of each stage."""
    kept = {name: (checkout / name).read_bytes() for name in ("params.yaml", "plan.json")}
    params = parameters.read(ROOT / file)
    try:
        (checkout / "params.yaml").write_bytes((checkout / file).read_bytes())
        said = run("snakemake", "--dry-run", "--quiet", "rules", "--cores", "2", "--configfile", file, cwd=checkout)
        planned = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", said, re.M)}
        (checkout / "plan.json").write_text(Plan(params).text())
        with Repo(str(checkout)) as repo:
            stages = [stage.name for stage in repo.index.stages]
            repo.index.check_graph()
            assert repo.status()  # nothing is made yet, and every key is found
        counted: dict[str, int] = {}
        for name in stages:
            rule = name.partition("@")[0].split("_from_")[0]
            counted[rule] = counted.get(rule, 0) + 1
        assert counted.pop("plan") == 1
        # a preset that tunes has no results, which Snakemake then does not make
        without = {"evaluate", "classify", "claims", "page"} if not params.tables else set()
        assert {rule: count for rule, count in counted.items() if rule not in without} == {
            rule: count for rule, count in planned.items() if rule not in ("all", "total")
        }
    finally:
        for name, content in kept.items():
            (checkout / name).write_bytes(content)


def test_a_wrong_key_is_the_same_line_wherever_it_is_read(checkout):
    """By the command that checks, and by both engines before the first job."""
    params = checkout / "params.yaml"
    text = params.read_text()
    params.write_text(text.replace("lambda_pg: 0.5", "lambda_pq: 0.5", 1))
    key = "runs.grid.k1s1.objective.pcpg"
    line = f"params.yaml: {key}.lambda_pq: unknown key; did you mean {key}.lambda_pg?"
    try:
        commands = (
            ("pcpg", "params", "check", "params.yaml"),
            ("snakemake", "--dry-run", "--cores", "1"),
            ("dvc", "repro", "plan"),
        )
        for command in commands:
            done = call(*command, cwd=checkout)
            said = done.stdout + done.stderr
            assert done.returncode != 0 and "Traceback" not in said, said
            assert line in [one.strip().removeprefix("pcpg: ") for one in said.splitlines()], said
    finally:
        params.write_text(text)


def test_what_no_stage_would_see_is_refused(checkout):
    command = ["snakemake", "--dry-run", "--cores", "1", "--config", "max_length=3"]
    done = call(*command, cwd=checkout)
    assert done.returncode != 0
    assert (
        "--config max_length, or a second --configfile: no stage would see it; write it into params.yaml"
        in done.stdout + done.stderr
    )


def test_dvc_names_every_stage_of_its_file(checkout):
    listed = run("dvc", "stage", "list", "--name-only", cwd=checkout).split()
    groups = {name.partition("@")[0] for name in listed}
    assert groups == set(yaml.safe_load((checkout / "dvc.yaml").read_text())["stages"])
