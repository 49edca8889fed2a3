# The paper from raw video to tables and figures: one rule a stage, one `pcpg` sub-command a rule.
# params.yaml (or --configfile FILE) lists the runs; settings/plan.py says what each waits for, which keys it reads and
# what code it runs. dvc.yaml turns the same list into the same jobs. What a job asks of a cluster: profiles/.

import os
import shlex
import sys

from snakemake.common.configfile import load_configfile

from pcpg import parameters
from pcpg.settings import handover
from pcpg.settings.plan import Plan
from pcpg.workspace import guard
from pcpg.workspace.errors import InputError

FILE = os.path.relpath(workflow.configfiles[-1])
TOUCH, EVERYTHING = ({one, two} & set(sys.argv) for one, two in (("--touch", "-t"), ("--forceall", "-F")))
try:
    if set("{}") & set(FILE):
        raise InputError(FILE, "Snakemake takes braces in the name of a file for wildcards; call it otherwise")
    PLAN = Plan(parameters.read(FILE))  # a wrong key stops here, before hours of work
    written = load_configfile(FILE)
    for key in config:  # --config, or a second --configfile, may have changed it
        if config[key] != written.get(key):
            raise InputError(f"--config {key}, or a second --configfile", f"no stage would see it; write it into {FILE}")
    if not TOUCH:
        handover.refuse_stale(PLAN, FILE)
except InputError as error:
    raise WorkflowError(str(error)) from None
PARAMS, PATHS = PLAN.params, PLAN.paths
FLAG = f"--params {shlex.quote(FILE)}"
P, CORPORA = PARAMS.preset, PARAMS.corpus_names

SHARD = f"clips/{P}/{{corpus}}/shards/{{shard}}"
STORE = f"clips/{P}/{{corpus}}/store.json"  # stands for all shards: it holds their checksums
INVENTORY = f"results/{P}/clips/{{corpus}}/{{table}}.csv"
WEIGHTS = str(PATHS.weights("{corpus}", "{run}", "{seed}"))
HISTORY = str(PATHS.history("{corpus}", "{run}", "{seed}"))
METRICS = str(PATHS.metrics("{corpus}", "{run}"))
PREDICTIONS = str(PATHS.predictions("{corpus}", "{run}"))
CORES = PARAMS.threads * PARAMS.processes // PARAMS.nodes  # of a training, on each machine
NODES = {"mpi": "srun", "nodes": PARAMS.nodes, "tasks": PARAMS.nodes, "tasks_per_gpu": 0} if PARAMS.nodes > 1 else {}


def code(stage):
    return lambda job: PLAN.code(stage, **job)


def keys(stage):
    return lambda job: PLAN.keys(stage, **job)


def generated(corpus):
    return getattr(PARAMS.corpora, corpus).raw.source == "synthetic"


def names(section):
    """A pattern of the names in a section of the parameter file."""
    return "|".join(sorted({name for _, name in PLAN.jobs(section)})) or "-"  # an empty one would match anything


onstart:
    try:
        guard.engine(P)
        if TOUCH and EVERYTHING:  # Snakemake writes its records
            handover.forget(PLAN)
    except InputError as error:
        raise WorkflowError(str(error)) from None


wildcard_constraints:
    corpus="|".join(CORPORA),
    shard=r"\d+",
    run="[^/]+",
    seed="|".join(map(str, PARAMS.seeds)),
    table="[^/]+",


rule all:
    input:
        expand(f"results/{P}/{{table}}.csv", table=PARAMS.tables),
        [f"results/{P}/{name}" for name in ("claims.csv", "report.html") if PARAMS.tables],  # tuning has none
        expand(f"figures/{P}/{{figure}}.png", figure=PARAMS.figures),
        # not in git, so that a fresh clone, which has tables and figures, still runs everything
        [PLAN.weights(*one) for one in PLAN.trained],


rule raw:
    output:
        directory(f"data/{P}/{{corpus}}"),
    params:
        code("raw"),
        keys("raw"),
    log:
        f"logs/{P}/raw/{{corpus}}.log",
    threads: lambda job: PARAMS.workers if generated(job.corpus) else 1  # a corpus on disk is read in one thread
    shell:
        "pcpg raw {wildcards.corpus} {FLAG} 2> {log}"


rule shard:
    input:
        f"data/{P}/{{corpus}}",
    output:
        directory(SHARD),
    params:
        code("shard"),
        keys("shard"),
    log:
        f"logs/{P}/shard/{{corpus}}-{{shard}}.log",
    threads: PARAMS.workers
    shell:
        "pcpg clips shard {wildcards.corpus} {wildcards.shard} {FLAG} 2> {log}"


rule store:
    input:
        f"data/{P}/{{corpus}}",
        expand(SHARD, shard=PARAMS.shards, allow_missing=True),
    output:
        STORE,
        expand(INVENTORY, table=["summary", "quality", "lengths", "notes"], allow_missing=True),
    params:
        code("store"),
        keys("store"),
    log:
        f"logs/{P}/store/{{corpus}}.log",
    shell:
        "pcpg clips store {wildcards.corpus} {FLAG} 2> {log}"


rule train:
    wildcard_constraints:
        run=names("runs"),
    input:
        STORE,
        lambda job: PLAN.start(**job),
    output:
        WEIGHTS,
        HISTORY,
    params:
        code("train"),
        keys("train"),
    log:
        f"logs/{P}/train/{{corpus}}-{{run}}-{{seed}}.log",
    threads: CORES
    resources:
        **NODES,
    shell:
        "pcpg train {wildcards.corpus} {wildcards.run} --seed {wildcards.seed} {FLAG} 2> {log}"


rule probe:
    wildcard_constraints:
        run=names("classifiers"),
    input:
        STORE,
        lambda job: PLAN.start(**job),
    output:
        WEIGHTS,
        HISTORY,
    params:
        code("probe"),
        keys("probe"),
    log:
        f"logs/{P}/probe/{{corpus}}-{{run}}-{{seed}}.log",
    threads: CORES
    resources:
        **NODES,
    shell:
        "pcpg probe {wildcards.corpus} {wildcards.run} --seed {wildcards.seed} {FLAG} 2> {log}"


rule evaluate:
    wildcard_constraints:
        run=names("runs"),
    input:
        STORE,
        lambda job: PLAN.weights(**job),
    output:
        METRICS,
        PREDICTIONS,
    params:
        code("evaluate"),
        keys("evaluate"),
    log:
        f"logs/{P}/evaluate/{{corpus}}-{{run}}.log",
    threads: PARAMS.threads
    shell:
        "pcpg evaluate {wildcards.corpus} {wildcards.run} {FLAG} 2> {log}"


rule classify:
    wildcard_constraints:
        run=names("classifiers"),
    input:
        STORE,
        lambda job: PLAN.weights(**job),
    output:
        METRICS,
        PREDICTIONS,
    params:
        code("classify"),
        keys("classify"),
    log:
        f"logs/{P}/classify/{{corpus}}-{{run}}.log",
    threads: PARAMS.threads
    shell:
        "pcpg classify {wildcards.corpus} {wildcards.run} {FLAG} 2> {log}"


rule tables:
    input:
        PLAN.metrics(),
        PLAN.predictions(),
        PLAN.histories(),
    output:
        report(f"results/{P}/{{table}}.csv", category="Tables", labels={"table": "{table}"}),
        f"results/{P}/{{table}}.md",
        f"results/{P}/{{table}}.tex",
    params:
        code("tables"),
        keys("tables"),
    log:
        f"logs/{P}/tables/{{table}}.log",
    shell:
        "pcpg tables {wildcards.table} {FLAG} 2> {log}"


rule claims:
    input:
        PLAN.metrics(),
        PLAN.predictions(),
        PLAN.histories(),
    output:
        report(f"results/{P}/claims.csv", category="Claims"),
        f"results/{P}/claims.md",
        f"results/{P}/evidence.md",
    params:
        code("claims"),
        keys("claims"),
    log:
        f"logs/{P}/claims.log",
    shell:
        "pcpg claims {FLAG} 2> {log}"


rule figures:
    input:
        PLAN.metrics(),
        PLAN.predictions(),
        PLAN.histories(),
        [PLAN.weights(*one) for one in PLAN.trained],
        expand(STORE, corpus=CORPORA),
    output:
        report(f"figures/{P}/{{figure}}.png", category="Figures", labels={"figure": "{figure}"}),
        f"figures/{P}/{{figure}}.svg",
    params:
        code("figures"),
        keys("figures"),
    log:
        f"logs/{P}/figures/{{figure}}.log",
    shell:
        "pcpg figures {wildcards.figure} {FLAG} 2> {log}"


rule page:
    input:
        FILE,
        expand(f"figures/{P}/{{figure}}.png", figure=PARAMS.figures),
        PLAN.metrics(),
        PLAN.predictions(),
        PLAN.histories(),
        [PLAN.weights(*one) for one in PLAN.trained],
        expand(STORE, corpus=CORPORA),
        expand(INVENTORY, corpus=CORPORA, table=["summary", "quality", "lengths", "notes"]),
    output:
        report(f"results/{P}/report.html", category="Page"),
    params:
        code("page"),
    log:
        f"logs/{P}/page.log",
    shell:
        "pcpg page {FLAG} 2> {log}"
