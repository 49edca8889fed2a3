"""The jobs of a parameter file, what each waits for, the keys that it reads, and the checksum of the code that it runs.

One list for both engines: the Snakefile asks a Plan, dvc.yaml reads plan.json, which `pcpg plan` writes. It is JSON,
because DVC reads it six times a job and reads YAML slowly.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from pcpg.settings.schema import Params
from pcpg.settings.training import Classifier, Run
from pcpg.workspace import code
from pcpg.workspace.errors import InputError
from pcpg.workspace.files import sha256, write_text
from pcpg.workspace.paths import Paths

FILE = Path("plan.json")
ABOUT = "made by `pcpg plan` from params.yaml and src/pcpg, for dvc.yaml; Snakemake computes the same; do not edit"
TRAINING = ("threads", "processes", "nodes", "device", "precision", "numerics")  # on which bytes may depend
READING = ("threads", "device", "numerics")
SEEDS = "seeds_of.{corpus}.{run}"  # of one run: no key of the file, but computed from seeds and fewer_seeds
LISTS = "lists.{corpus}"  # checksums of the files that corpora.grid.raw.lists names
REPORT = "report"  # a checksum of the sections that the report reads: in full they would fill dvc.lock, once a figure
SECTIONS = ("preset", "seeds", "corpora", "runs", "classifiers")

# stage -> the keys that it reads; workers, which change no byte, are left out
KEYS = {
    "raw": ("corpora.{corpus}.raw", LISTS),
    "shard": ("corpora.{corpus}.raw", "corpora.{corpus}.clips", "shards"),
    "store": ("corpora.{corpus}.raw", "corpora.{corpus}.clips", "shards"),
    "train": ("view.{corpus}", "network.{corpus}", "max_length", "runs.{corpus}.{run}", *TRAINING),
    "probe": ("view.{corpus}", "network.{corpus}", "classifiers.{corpus}.{run}", *TRAINING),
    "evaluate": ("corpora.{corpus}.raw", SEEDS, "max_length", "decoding", *READING),
    "classify": ("corpora.{corpus}.raw", SEEDS, *READING),
    "tables": (REPORT, "tables"),  # a run that no other table shows is a row of Table I
    "claims": (REPORT,),
    "figures": (REPORT, "tables", "max_length", "numerics"),
    "page": (),  # shows the whole parameter file, which is one of its inputs
}


def checksum(value: Any) -> str:
    """16 hexadecimal digits for what JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


class Plan:
    """All jobs of one parameter file."""

    def __init__(self, params: Params):
        self.params, self.paths = params, Paths(params.preset)
        self.values = params.model_dump(mode="json")

    def jobs(self, section: str) -> Iterator[tuple[str, str]]:
        """(corpus, name) of what "runs" or "classifiers" names."""
        for corpus, named in getattr(self.params, section).items():
            yield from ((corpus, name) for name in named)

    @property
    def trained(self) -> list[tuple[str, str]]:
        return [*self.jobs("runs"), *self.jobs("classifiers")]

    def start(self, corpus: str, run: str, seed: int | str) -> list[str]:
        """The file of weights that a training starts from; none where they are random."""
        training = self._training(corpus, run)
        return [] if training.from_scratch else [str(self.paths.weights(corpus, training.start, seed))]

    def _training(self, corpus: str, run: str) -> Run | Classifier:
        """InputError for a run of another corpus, which a target of Snakemake may name."""
        trainings = self.params.trainings(corpus)
        if run not in trainings:
            raise InputError(f"{corpus} {run}", f"no such run or classifier; {corpus} has {', '.join(trainings)}")
        return trainings[run]

    def weights(self, corpus: str, run: str) -> list[str]:
        """The files of weights of all seeds of a run or classifier."""
        self._training(corpus, run)
        return [str(self.paths.weights(corpus, run, seed)) for seed in self.params.seeds_of(corpus, run)]

    def histories(self) -> list[str]:
        return [str(self.paths.history(*one, seed)) for one in self.trained for seed in self.params.seeds_of(*one)]

    def predictions(self) -> list[str]:
        return [str(self.paths.predictions(*one)) for one in self.trained]

    def metrics(self) -> list[str]:
        return [str(self.paths.metrics(*one)) for one in self.trained]

    def keys(self, stage: str, **names: str) -> dict[str, Any]:
        """Key -> value of all that a stage reads from the parameter file; `names`: its corpus and run, if any."""
        return {key.format(**names): self._value(key, **names) for key in KEYS[stage]}

    def _value(self, key: str, **names: str) -> Any:
        if key == SEEDS:
            return self.params.seeds_of(**names)
        if key == LISTS:
            return self.lists(names["corpus"])
        if key == REPORT:
            return self.report
        value: Any = self.values
        for part in key.format(**names).split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    @cached_property
    def report(self) -> str:
        return checksum([self.values[section] for section in SECTIONS])

    def lists(self, corpus: str) -> list[str]:
        """Checksums of a corpus' public lists of clips; none where a seed draws the splits."""
        named = getattr(getattr(self.params.corpora, corpus).raw, "lists", None)
        files = [Path(file) for file in (named.train, named.test)] if named else []
        return [sha256(file) if file.is_file() else "no such file" for file in files]

    def objective(self, corpus: str, run: str) -> str:
        return self.params.runs[corpus][run].objective_name

    def code(self, stage: str, corpus: str = "", run: str = "", **_: str) -> str:
        if stage == "train":
            return code.of_stage(stage, self.objective(corpus, run))
        return code.of_stage(stage, corpus if stage == "raw" else "")

    def as_mapping(self) -> dict[str, Any]:
        """What plan.json holds."""
        content: dict[str, Any] = {"about": ABOUT, "code": self._all_code()}
        content["report"] = self.report
        content["lists"] = {corpus: self.lists(corpus) for corpus in self.params.corpus_names}
        for stage, section in (("train", "runs"), ("probe", "classifiers")):
            trainings = [(*one, seed) for one in self.jobs(section) for seed in self.params.seeds_of(*one)]
            entries = {"-".join(map(str, one)): self._entry(section, *one) for one in trainings}
            content[f"{stage}_from_scratch"] = {name: one for name, one in entries.items() if "start" not in one}
            content[f"{stage}_from_run"] = {name: one for name, one in entries.items() if "start" in one}
        for stage, section in (("evaluate", "runs"), ("classify", "classifiers")):
            content[stage] = {
                f"{corpus}-{run}": {"corpus": corpus, "run": run, "seeds": self.params.seeds_of(corpus, run)}
                for corpus, run in self.jobs(section)
            }
        return content

    def _entry(self, section: str, corpus: str, run: str, seed: int) -> dict[str, Any]:
        training = self._training(corpus, run)
        entry = {"corpus": corpus, "run": run, "seed": seed}
        if section == "runs":
            entry["objective"] = training.objective_name
        return entry | ({} if training.from_scratch else {"start": training.start})

    def _all_code(self) -> dict[str, Any]:
        objectives = sorted({self.objective(*one) for one in self.jobs("runs")})
        chosen = {"raw": self.params.corpus_names, "train": objectives}
        plain = {stage: code.of_stage(stage) for stage in KEYS if stage not in chosen}
        return plain | {stage: {name: code.of_stage(stage, name) for name in names} for stage, names in chosen.items()}

    def text(self) -> str:
        return json.dumps(self.as_mapping(), sort_keys=True, indent=1) + "\n"


def write_plan(params: Params, same_jobs: bool) -> None:
    """Write plan.json where it is not up to date.

    same_jobs: InputError if the jobs have changed, for DVC, which has already read the old list.
    """
    text = Plan(params).text()
    before = FILE.read_text(encoding="utf-8", errors="replace") if FILE.is_file() else ""
    if text == before:
        return
    write_text(FILE, text)
    if same_jobs and _jobs(before) not in ({}, _jobs(text)):
        raise InputError(FILE, "written again, with other jobs than before; run the same command again")


def _jobs(text: str) -> dict[str, Any]:
    """What a plan says but for checksums; {} for a text that is no plan, as for a missing file."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    jobs = found if isinstance(found, dict) else {}
    return {key: value for key, value in jobs.items() if key not in ("code", "lists", "report")}
