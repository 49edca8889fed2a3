"""From a parameter file to checked settings, or one line that names the file, the key and the nearest valid key."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pcpg.settings.keys import build
from pcpg.settings.schema import Params
from pcpg.settings.training import SCRATCH
from pcpg.settings.yaml_file import read_yaml
from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths


def load(path: str | Path) -> Params:
    """Read and check a parameter file; the keys of objectives are checked by pcpg.objectives.base."""
    return from_mapping(read_yaml(path), str(path))


def from_mapping(mapping: Any, file: str) -> Params:
    """Settings from what a YAML file held; `file` is named in errors."""
    params = build(Params, mapping, file)

    def require(condition: bool, key: str, problem: str) -> None:
        if not condition:
            raise InputError(file, f"{key}: {problem}")

    require(len(set(params.seeds)) == len(params.seeds), "seeds", "must be distinct")
    numbered = params.shards == list(range(len(params.shards))) != []
    require(numbered, "shards", f"must be 0, 1, 2 and so on, at least [0]; found {params.shards}")
    even = params.processes % params.nodes == 0
    require(even, "processes", f"{params.processes} cannot be spread evenly over {params.nodes} nodes")
    require(bool(params.corpus_names), "corpora", "names none")
    for section in ("view", "network", "runs"):
        for name in params.corpus_names:
            require(name in getattr(params, section), f"{section}.{name}", "missing key")
    for section in ("view", "network", "runs", "classifiers"):
        for name in getattr(params, section):
            require(name in params.corpus_names, f"{section}.{name}", f"corpora.{name} is missing")
    for name in params.fewer_seeds:
        require(name in params.corpus_names, f"fewer_seeds.{name}", f"corpora.{name} is missing")
    for name in params.corpus_names:
        _check_places(params, name, require)
        _check_view(params, name, require)
        _check_trainings(params, name, require)
        _check_seeds(params, name, require)
    return params


def _check_places(params: Params, corpus: str, require) -> None:
    """The user's own files may not lie in a folder that a stage, or an engine before it, deletes and makes again."""
    paths, settings = Paths(params.preset), getattr(params.corpora, corpus)
    made = (paths.raw(corpus), paths.clips(corpus) / "shards")
    lists = getattr(settings.raw, "lists", None)
    places = {
        "raw.root": settings.raw.root,
        "raw.lists.train": lists and lists.train,
        "raw.lists.test": lists and lists.test,
        "clips.landmark_folder": settings.clips.landmark_folder,
        "clips.landmark_model": settings.clips.landmark_model,
    }
    for key, place in places.items():
        for folder in made:
            ours = place is not None and _real(place).is_relative_to(_real(folder))
            require(not ours, f"corpora.{corpus}.{key}", f"{place} lies in {folder}, which is deleted and made again")


def _real(place: str | Path) -> Path:
    """`place` with links resolved, circular ones as far as possible."""
    return Path(os.path.realpath(place))


def _check_view(params: Params, corpus: str, require) -> None:
    view, size = params.view[corpus], getattr(params.corpora, corpus).clips.size
    require(view.crop <= size, f"view.{corpus}.crop", f"{view.crop} is not within the clip's {size} pixels")
    room = (size - view.crop) // 2
    require(view.shift <= room, f"view.{corpus}.shift", f"{view.shift} is not within 0 and {room}, half the margin")


def _check_trainings(params: Params, corpus: str, require) -> None:
    runs, classifiers = params.runs[corpus], params.classifiers.get(corpus, {})
    taken = {
        name for of_corpus in params.runs.values() for name in of_corpus
    }  # the Snakefile tells runs and classifiers apart by name
    require(SCRATCH not in runs, f"runs.{corpus}.{SCRATCH}", "scratch means random weights, and is no name of a run")
    require(
        not classifiers or corpus != "grid",
        f"classifiers.{corpus}",
        "its clips are sentences, which have no word class",
    )
    for name in classifiers:
        require(name not in taken, f"classifiers.{corpus}.{name}", "is the name of a run")
    for section, trainings in (("runs", runs), ("classifiers", classifiers)):
        for name, training in trainings.items():
            key = f"{section}.{corpus}.{name}.start"
            there = training.from_scratch or training.start in runs
            require(there, key, f"{training.start!r} is not one of {', '.join([SCRATCH, *runs])}")
            batch, parts = training.optimisation.batch, training.optimisation.accumulate
            of_each = f", each in {parts} parts" if parts > 1 else ""
            shared = f"{params.processes} share batches of {batch} clips in {section}.{corpus}.{name}{of_each}"
            require(params.processes * parts <= batch, "processes", f"{shared}; some would have none")
    for name in runs:
        _check_no_circle(runs, name, f"runs.{corpus}.{name}.start", require)


def _check_no_circle(runs: Mapping, name: str, key: str, require) -> None:
    seen, run = {name}, runs[name]
    while not run.from_scratch:
        require(run.start not in seen, key, f"circular start: {run.start} leads back to itself")
        seen.add(run.start)
        run = runs[run.start]


def _check_seeds(params: Params, corpus: str, require) -> None:
    trainings = params.trainings(corpus)
    for name, count in params.fewer_seeds.get(corpus, {}).items():
        key = f"fewer_seeds.{corpus}.{name}"
        require(name in trainings, key, "is no run or classifier of this corpus")
        require(count < len(params.seeds), key, f"{count} is not fewer than the {len(params.seeds)} seeds")
    for name, training in trainings.items():
        own, there = params.seeds_of(corpus, name), params.seeds_of(corpus, training.start)
        lacking = f"has {len(there)} seeds, but {name} starts from it and has {len(own)}"
        require(len(own) <= len(there), f"fewer_seeds.{corpus}.{training.start}", lacking)
