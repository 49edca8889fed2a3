"""Strict parameter files: complete, of the declared types, and without contradictions.

An unknown or missing key, a value of the wrong type, or one that does not go with the others is one line that names
the file, the key and the nearest valid key.
"""

import re
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from pcpg.settings.schema import Params, Run, Transcription
from pcpg.settings.strict import build, require
from pcpg.workspace.errors import InputError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")  # safe in a path, a shell command and a pattern of the engines


def _check_names(params: Params, file: str) -> None:
    runs = [(f"runs.{item.name}", getattr(params.runs, item.name)) for item in fields(params.runs)]
    lists = [("tables", params.tables), ("figures", params.figures), ("probes", params.probes), *runs]
    for key, name in [("preset", params.preset), *((key, name) for key, names in lists for name in names)]:
        allowed = "letters, digits, . _ + and -, first a letter or digit"
        require(NAME.fullmatch(name) is not None, file, key, f"{name!r} is no name: {allowed}")


def _check_corpora(params: Params, file: str) -> None:
    for name in params.corpus_names:
        corpus, key = getattr(params.corpora, name), f"corpora.{name}"
        if corpus.raw.source == "synthetic":
            require(corpus.raw.synthetic is not None, file, f"{key}.raw.synthetic", "missing for source: synthetic")
        else:
            require(corpus.raw.root is not None, file, f"{key}.raw.root", f"missing for source: {corpus.raw.source}")
        needs_model = corpus.clips.landmarks == "mediapipe"
        require(
            not needs_model or corpus.clips.landmark_model is not None,
            file, f"{key}.clips.landmark_model", "missing for landmarks: mediapipe",
        )  # fmt: skip
        require(
            (corpus.clips.roi == "landmarks") == (corpus.clips.landmarks is not None),
            file, f"{key}.clips.landmarks", "to be given for roi: landmarks, and only there",
        )  # fmt: skip
        require(
            corpus.clips.landmark_folder is None or corpus.clips.landmarks is not None,
            file, f"{key}.clips.landmark_folder", "to be given for roi: landmarks only",
        )  # fmt: skip
        for section in ("model", "baselines"):
            require(name in getattr(params, section), file, f"{section}.{name}", "missing key")
        crop, pool, shift = params.model[name].crop, params.model[name].pool, params.model[name].shift
        size = corpus.clips.size
        require(0 < crop <= size, file, f"model.{name}.crop", f"{crop} is not within the clip's {size} pixels")
        room = (size - crop) // 2
        require(0 <= shift <= room, file, f"model.{name}.shift", f"{shift} is not within 0 and {room}, half the margin")
        require(pool > 0 and crop % pool == 0, file, f"model.{name}.pool", f"{pool} does not divide the crop {crop}")
        _check_share(params.model[name].repeat, file, f"model.{name}.repeat")
    if params.corpora.grid:
        raw = params.corpora.grid.raw
        require(0 < raw.validation < 1, file, "corpora.grid.raw.validation", f"{raw.validation} is not between 0 and 1")
        listed = (raw.split == "lists") == (raw.lists is not None)
        require(listed, file, "corpora.grid.raw.lists", "to be given for split: lists, and only there")
        for speaker in raw.test_speakers if raw.split == "unseen" and raw.speakers is not None else []:
            key = "corpora.grid.raw.test_speakers"  # told before a download and not after it
            require(speaker in raw.speakers, file, key, f"{speaker} is not one of {', '.join(raw.speakers)}")


def _check_trainings(params: Params, file: str) -> None:
    sections = [("baselines", params.baselines), ("classifiers", params.classifiers), ("probes", params.probes)]
    sections += [(f"runs.{item.name}", getattr(params.runs, item.name)) for item in fields(params.runs)]
    for section, trainings in sections:
        for name, training in trainings.items():
            key = f"{section}.{name}"
            for setting in ("epochs", "batch", "accumulate", "evaluations"):
                require(getattr(training, setting) >= 1, file, f"{key}.{setting}", "must be at least 1")
            for setting in ("learning_rate", "clip_norm"):
                require(getattr(training, setting) > 0, file, f"{key}.{setting}", "must be above 0")
            if isinstance(training, Transcription):
                _check_share(training.teacher_forcing, file, f"{key}.teacher_forcing")


def _check_share(value: float | Fraction, file: str, key: str) -> None:
    require(0 <= value <= 1, file, key, f"{value} is not within 0 and 1")


def _check_runs(params: Params, file: str) -> None:
    for corpus in fields(params.runs):
        for name, run in getattr(params.runs, corpus.name).items():
            key = f"runs.{corpus.name}.{name}"
            require(corpus.name in params.corpus_names, file, key, f"corpora.{corpus.name} is missing")
            require(name not in ("ce", "scratch"), file, key, f"{name} is the name of a baseline")
            _check_policy(run, file, key)
    for corpus, runs in params.probe_from.items():
        names = ["ce", *getattr(params.runs, corpus)]
        for run in runs:
            require(run in names, file, f"probe_from.{corpus}", f"{run!r} is not one of {', '.join(names)}")
        require(corpus in params.classifiers, file, f"classifiers.{corpus}", "missing key")


def _check_policy(run: Run, file: str, key: str) -> None:
    require(len(run.kernel) > 0, file, f"{key}.kernel", "has no weight")
    require(sum(run.kernel) == 1, file, f"{key}.kernel", f"the weights sum to {sum(run.kernel)}, not to 1")
    plain = run.convolve != "none" or (len(run.kernel) == 1 and run.stride == 1)
    require(plain, file, f"{key}.convolve", "none needs kernel [1] and stride 1")
    require(run.stride >= 1, file, f"{key}.stride", "must be at least 1")
    require(run.convolve != "return" or run.stride == 1, file, f"{key}.stride", "convolve: return needs stride 1")
    _check_share(run.lambda_pg, file, f"{key}.lambda_pg")
    _check_share(run.gamma, file, f"{key}.gamma")
    whole = run.standardise != "batch" or run.accumulate == 1
    require(whole, file, f"{key}.accumulate", "standardise: batch needs the whole batch at once, accumulate: 1")
    require(run.temperature > 0, file, f"{key}.temperature", "must be above 0")
    require(run.entropy >= 0, file, f"{key}.entropy", "must not be negative")
    require(run.samples >= 1, file, f"{key}.samples", "must be at least 1")
    require(run.baseline != "mean" or run.samples > 1, file, f"{key}.baseline", "mean needs at least 2 samples")
    only = run.sampling != "argmax" or (run.samples == 1 and run.baseline == "none")
    require(only, file, f"{key}.sampling", "argmax gives one sample, so it needs samples: 1 and baseline: none")


def _check_resources(params: Params, file: str) -> None:
    for stage in fields(params.resources):
        need, key = getattr(params.resources, stage.name), f"resources.{stage.name}"
        require(need.gpu >= 0, file, f"{key}.gpu", "must not be negative")
        even = need.gpu % params.nodes == 0 or stage.name not in ("train", "finetune", "probe")
        require(even, file, f"{key}.gpu", f"{need.gpu} cannot be spread evenly over {params.nodes} nodes")
        for setting in ("mem_mb", "runtime"):  # 0 would mean no limit to one scheduler and nothing to another
            require(getattr(need, setting) >= 1, file, f"{key}.{setting}", "must be at least 1")


def from_mapping(mapping: Any, file: str) -> Params:
    """Build and check Params from what a YAML file held; `file` is named in errors."""
    params = build(Params, mapping, file, "")
    require(len(set(params.seeds)) == len(params.seeds) > 0, file, "seeds", "must be distinct, and at least one")
    for key in ("workers", "threads", "processes", "nodes"):
        require(getattr(params, key) >= 1, file, key, "must be at least 1")
    even = params.processes % params.nodes == 0
    require(even, file, "processes", f"{params.processes} cannot be spread evenly over {params.nodes} nodes")
    numbered = params.shards == list(range(len(params.shards))) != []
    require(numbered, file, "shards", f"must be 0, 1, 2 and so on, at least [0]; found {params.shards}")
    _check_resources(params, file)
    _check_names(params, file)
    _check_corpora(params, file)
    _check_trainings(params, file)
    _check_runs(params, file)
    return params


def load(path: str | Path) -> Params:
    """Read and check a parameter file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(path, error.strerror or "cannot be read") from None
    except UnicodeDecodeError:
        raise InputError(path, "is not UTF-8 text") from None
    return from_mapping(_parse(text, path), str(path))


def _parse(text: str, path: str | Path) -> Any:
    """What the YAML text holds; InputError with the line where it is none."""
    try:
        return yaml.safe_load(text)
    except yaml.reader.ReaderError as error:  # a character that YAML has not
        line = text.count("\n", 0, error.position) + 1
        raise InputError(f"{path}, line {line}", f"not valid YAML: {error.reason}, #x{error.character:04x}") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{line}", f"not valid YAML: {str(error.problem)[:200]}") from None
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:  # of values such as !!bool x
        raise InputError(path, f"not valid YAML: {type(error).__name__}, {str(error)[:80]}") from None
