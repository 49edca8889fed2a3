# The paper from raw video to tables and figures: one rule a stage, one `pcpg` sub-command a rule.
# params.yaml (or --configfile FILE) lists the runs; dvc.yaml turns the same list into the same jobs.

import os
import shlex

from pcpg.workspace import guard
from pcpg.settings import load as params
from pcpg.workspace.errors import InputError

FILE = os.path.relpath(workflow.configfiles[-1])
try:
    params.load(FILE)  # a wrong key stops here, before hours of work
except InputError as error:
    raise WorkflowError(str(error)) from None
P = config["preset"]
FLAG = f"--params {shlex.quote(FILE)}"
RUNS = [(corpus, run) for corpus in config["corpora"] for run in ["ce", *config["runs"][corpus]]]
SCRATCH = [(corpus, "scratch") for corpus in config["probe_from"]]
PROBES = [
    (corpus, f"{run}-{probe}")
    for corpus, runs in config["probe_from"].items()
    for run in runs
    for probe in config["probes"]
]


def each(pattern, pairs):
    """The path of every (corpus, run) with every seed."""
    return [path for corpus, run in pairs for path in expand(pattern, corpus=corpus, run=run, seed=config["seeds"])]


WEIGHTS = f"runs/{P}/{{corpus}}/{{run}}/seed{{seed}}/model.pt"
HISTORY = f"results/{P}/runs/{{corpus}}/{{run}}/seed{{seed}}/history.csv"
METRICS = f"results/{P}/runs/{{corpus}}/{{run}}/seed{{seed}}/metrics.json"
PROVENANCE = f"results/{P}/runs/{{corpus}}/{{run}}/seed{{seed}}/provenance.json"
PREDICTIONS = f"results/{P}/runs/{{corpus}}/{{run}}/seed{{seed}}/predictions.csv"
SHARD = f"clips/{P}/{{corpus}}/shards/{{shard}}"
STORE = f"clips/{P}/{{corpus}}/store.json"  # stands for all shards: it holds their checksums
CE_WEIGHTS = WEIGHTS.replace("{run}", "ce")

CORES = config["threads"] * config["processes"] // config["nodes"]  # of a training, on each machine


def training(stage):
    """What a training asks for; over several machines srun starts it, which the plugin for Slurm calls `mpi`."""
    need, nodes = dict(config["resources"][stage]), config["nodes"]
    if nodes == 1:
        return need
    gpus = need.pop("gpu") // nodes
    gres = {"gres": f"gpu:{gpus}"} if gpus else {}
    return need | gres | {"mpi": "srun", "nodes": nodes, "tasks": nodes, "tasks_per_gpu": 0}


onstart:
    try:
        guard.engine(P)
    except InputError as error:
        raise WorkflowError(str(error)) from None


wildcard_constraints:
    corpus="[^/]+",
    shard=r"\d+",
    run="[^/]+",
    encoder="[^/]+",
    probe="|".join(config["probes"]) or "-",  # an empty pattern would match anything
    seed=r"\d+",
    table="[^/]+",


ruleorder: train > scratch > probe > finetune
ruleorder: scratch > probe > evaluate


rule all:
    input:
        expand(f"results/{P}/{{table}}.csv", table=config["tables"]),
        [f"results/{P}/report.html"] if config["tables"] else [],  # without tables a preset tunes, and tests nothing
        expand(f"figures/{P}/{{figure}}.png", figure=config["figures"]),
        # not in git, so that a fresh clone, which has tables and figures, still runs everything
        each(WEIGHTS, RUNS + SCRATCH + PROBES),


rule raw:
    input:
        "src/pcpg/corpora/raw.py",
        "src/pcpg/corpora/synthetic/mouth.py",
        "src/pcpg/corpora/synthetic/lips.py",
    output:
        directory(f"data/{P}/{{corpus}}"),
    params:
        lookup("corpora/{corpus}/raw", within=config),
    log:
        f"logs/{P}/raw/{{corpus}}.log",
    threads: config["workers"]
    resources:
        **config["resources"]["raw"],
    shell:
        "pcpg raw {wildcards.corpus} {FLAG} 2> {log}"


rule shard:
    input:
        "src/pcpg/mouths/shard.py",
        "src/pcpg/mouths/landmarks.py",
        "src/pcpg/mouths/roi.py",
        f"data/{P}/{{corpus}}",
    output:
        directory(SHARD),
    params:
        lookup("corpora/{corpus}/clips", within=config),
        lookup("shards", within=config),
    log:
        f"logs/{P}/shard/{{corpus}}-{{shard}}.log",
    threads: config["workers"]
    resources:
        **config["resources"]["shard"],
    shell:
        "pcpg clips shard {wildcards.corpus} {wildcards.shard} {FLAG} 2> {log}"


rule store:
    input:
        "src/pcpg/mouths/join.py",
        "src/pcpg/mouths/inventory.py",
        f"data/{P}/{{corpus}}",
        expand(SHARD, shard=config["shards"], allow_missing=True),
    output:
        STORE,
        f"results/{P}/clips/{{corpus}}/summary.csv",
        f"results/{P}/clips/{{corpus}}/quality.csv",
        f"results/{P}/clips/{{corpus}}/notes.csv",
    params:
        lookup("corpora/{corpus}/clips", within=config),
        lookup("shards", within=config),
    log:
        f"logs/{P}/store/{{corpus}}.log",
    resources:
        **config["resources"]["report"],
    shell:
        "pcpg clips store {wildcards.corpus} {FLAG} 2> {log}"


rule train:
    input:
        "src/pcpg/learning/train.py",
        "src/pcpg/learning/loop.py",
        "src/pcpg/reader/network.py",
        STORE,
    output:
        CE_WEIGHTS,
        HISTORY.replace("{run}", "ce"),
        PROVENANCE.replace("{run}", "ce"),
    params:
        lookup("model/{corpus}", within=config),
        lookup("baselines/{corpus}", within=config),
        lookup("decoding", within=config),
    log:
        f"logs/{P}/train/{{corpus}}-{{seed}}.log",
    threads: CORES
    resources:
        **training("train"),
    shell:
        "pcpg train {wildcards.corpus} --seed {wildcards.seed} {FLAG} 2> {log}"


rule finetune:
    wildcard_constraints:
        run="(?!ce/)[^/]+",  # or a cluster's job, which sees this rule alone, warns that it needs its own output
    input:
        "src/pcpg/learning/finetune.py",
        "src/pcpg/objectives/policy_gradient.py",
        "src/pcpg/objectives/rewards.py",
        STORE,
        CE_WEIGHTS,
    output:
        WEIGHTS,
        HISTORY,
        PROVENANCE,
    params:
        lookup("model/{corpus}", within=config),
        lookup("runs/{corpus}/{run}", within=config),
        lookup("decoding", within=config),
    log:
        f"logs/{P}/finetune/{{corpus}}-{{run}}-{{seed}}.log",
    threads: CORES
    resources:
        **training("finetune"),
    shell:
        "pcpg finetune {wildcards.corpus} {wildcards.run} --seed {wildcards.seed} {FLAG} 2> {log}"


rule evaluate:
    input:
        "src/pcpg/learning/evaluate.py",
        "src/pcpg/reader/decode.py",
        "src/pcpg/reader/metrics.py",
        STORE,
        WEIGHTS,
    output:
        METRICS,
        PREDICTIONS,
    params:
        lookup("decoding", within=config),
    log:
        f"logs/{P}/evaluate/{{corpus}}-{{run}}-{{seed}}.log",
    threads: config["threads"]
    resources:
        **config["resources"]["evaluate"],
    shell:
        "pcpg evaluate {wildcards.corpus} {wildcards.run} --seed {wildcards.seed} {FLAG} 2> {log}"


rule scratch:
    input:
        "src/pcpg/learning/probe.py",
        "src/pcpg/learning/loop.py",
        STORE,
    output:
        WEIGHTS.replace("{run}", "scratch"),
        HISTORY.replace("{run}", "scratch"),
        PROVENANCE.replace("{run}", "scratch"),
        METRICS.replace("{run}", "scratch"),
        PREDICTIONS.replace("{run}", "scratch"),
    params:
        lookup("model/{corpus}", within=config),
        lookup("classifiers/{corpus}", within=config),
    log:
        f"logs/{P}/scratch/{{corpus}}-{{seed}}.log",
    threads: CORES
    resources:
        **training("probe"),
    shell:
        "pcpg scratch {wildcards.corpus} --seed {wildcards.seed} {FLAG} 2> {log}"


rule probe:
    input:
        "src/pcpg/learning/probe.py",
        "src/pcpg/learning/loop.py",
        STORE,
        WEIGHTS.replace("{run}", "{encoder}"),
    output:
        WEIGHTS.replace("{run}", "{encoder}-{probe}"),
        HISTORY.replace("{run}", "{encoder}-{probe}"),
        PROVENANCE.replace("{run}", "{encoder}-{probe}"),
        METRICS.replace("{run}", "{encoder}-{probe}"),
        PREDICTIONS.replace("{run}", "{encoder}-{probe}"),
    params:
        lookup("model/{corpus}", within=config),
        lookup("probes/{probe}", within=config),
    log:
        f"logs/{P}/probe/{{corpus}}-{{encoder}}-{{probe}}-{{seed}}.log",
    threads: CORES
    resources:
        **training("probe"),
    shell:
        "pcpg probe {wildcards.corpus} {wildcards.encoder} {wildcards.probe} --seed {wildcards.seed} {FLAG} 2> {log}"


rule tables:
    input:
        "src/pcpg/report/tables/layouts.py",
        "src/pcpg/report/paper.py",
        "src/pcpg/report/tables/render.py",
        "src/pcpg/report/results/intervals.py",
        "src/pcpg/report/results/stats.py",
        each(METRICS, RUNS + SCRATCH + PROBES),
        each(PREDICTIONS, RUNS + SCRATCH + PROBES),
    output:
        report(f"results/{P}/{{table}}.csv", category="Tables", labels={"table": "{table}"}),
        f"results/{P}/{{table}}.md",
        f"results/{P}/{{table}}.tex",
    log:
        f"logs/{P}/tables/{{table}}.log",
    resources:
        **config["resources"]["report"],
    shell:
        "pcpg tables {wildcards.table} {FLAG} 2> {log}"


rule claims:
    input:
        "src/pcpg/report/claims/claims.py",
        "src/pcpg/report/claims/judge.py",
        "src/pcpg/report/results/stats.py",
        each(PREDICTIONS, RUNS + SCRATCH + PROBES),
        each(HISTORY, RUNS + SCRATCH + PROBES),
    output:
        report(f"results/{P}/claims.csv", category="Claims"),
        f"results/{P}/claims.md",
        f"results/{P}/evidence.md",
    log:
        f"logs/{P}/claims.log",
    resources:
        **config["resources"]["report"],
    shell:
        "pcpg claims {FLAG} 2> {log}"


rule figures:
    input:
        "src/pcpg/report/figures/attention_maps.py",
        "src/pcpg/report/figures/coverage.py",
        "src/pcpg/report/figures/learning.py",
        "src/pcpg/report/paper.py",
        "src/pcpg/report/figures/policy.py",
        "src/pcpg/report/figures/strip.py",
        "src/pcpg/report/figures/sweeps.py",
        "src/pcpg/report/figures/pcpg.mplstyle",
        each(PREDICTIONS, RUNS + SCRATCH + PROBES),
        each(HISTORY, RUNS + SCRATCH + PROBES),
        each(WEIGHTS, RUNS + SCRATCH + PROBES),
        expand(STORE, corpus=config["corpora"]),
    output:
        report(f"figures/{P}/{{figure}}.png", category="Figures", labels={"figure": "{figure}"}),
        f"figures/{P}/{{figure}}.svg",
    log:
        f"logs/{P}/figures/{{figure}}.log",
    resources:
        **config["resources"]["report"],
    shell:
        "pcpg figures {wildcards.figure} {FLAG} 2> {log}"


rule page:
    input:
        "src/pcpg/report/page",
        f"results/{P}/claims.csv",
        expand(f"figures/{P}/{{figure}}.png", figure=config["figures"]),
        each(PREDICTIONS, RUNS + SCRATCH + PROBES),
        each(PROVENANCE, RUNS + SCRATCH + PROBES),
        each(WEIGHTS, RUNS + SCRATCH + PROBES),
        expand(STORE, corpus=config["corpora"]),
        expand(f"results/{P}/clips/{{corpus}}/summary.csv", corpus=config["corpora"]),
    output:
        report(f"results/{P}/report.html", category="Page"),
    log:
        f"logs/{P}/page.log",
    resources:
        **config["resources"]["report"],
    shell:
        "pcpg page {FLAG} 2> {log}"
