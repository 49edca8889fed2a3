"""Strict parameters: every key of params.yaml is declared here, and nothing else is accepted.

A parameter file is complete: no default hides in the code. An unknown or missing key, or a value of the wrong type,
is one line that names the file, the key and the nearest valid key.
"""

import re
from dataclasses import asdict, dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import yaml

from pcpg.errors import InputError
from pcpg.strict import build, require

Corpus = Literal["grid", "lrw", "lrw1000"]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")  # safe in a path, a shell command and a pattern of the engines


@dataclass(frozen=True)
class GridSynthetic:
    seed: int
    speakers: int
    sentences: int  # per speaker


@dataclass(frozen=True)
class WordsSynthetic:
    seed: int
    words: int
    train: int  # clips per word
    val: int
    test: int


@dataclass(frozen=True)
class GridLists:
    """Files with a clip a line, as s14/video/mpg_6000/bbaq7n; what neither names is left out."""

    train: str
    test: str


@dataclass(frozen=True)
class GridRaw:
    source: Literal["synthetic", "local", "download"]
    root: str | None  # folder of the local copy, or where the download goes; null for source: synthetic
    synthetic: GridSynthetic | None
    speakers: list[str] | None  # s1, s2, ...; null: all
    split: Literal["unseen", "overlapped", "lists"]
    test_speakers: list[str]  # unseen: all their sentences are test
    test_sentences: int  # overlapped: this many of each speaker are test
    lists: GridLists | None  # for split: lists, and only there
    validation: float  # share of each speaker's other sentences, or of those in the list to train on
    split_seed: int


@dataclass(frozen=True)
class LrwRaw:
    source: Literal["synthetic", "local"]
    root: str | None
    synthetic: WordsSynthetic | None
    words: list[str] | None  # null: all


@dataclass(frozen=True)
class Lrw1000Raw:
    source: Literal["synthetic", "local"]
    root: str | None
    synthetic: WordsSynthetic | None
    protocol: Literal["cut30", "centred40"]


@dataclass(frozen=True)
class Roi:
    roi: Literal["landmarks", "box", "frame"]  # aligned to the face, LRW's fixed box, or the whole (cropped) frame
    landmarks: Literal["mediapipe", "sidecar"] | None
    landmark_model: str | None  # face_landmarker.task or, to fetch it, "download"; for landmarks: mediapipe
    landmark_folder: str | None  # each clip's <clip>.npy: of sidecars (null: root/landmarks), or where mediapipe's stay
    size: int  # pixels, square


@dataclass(frozen=True)
class GridCorpus:
    raw: GridRaw
    clips: Roi


@dataclass(frozen=True)
class LrwCorpus:
    raw: LrwRaw
    clips: Roi


@dataclass(frozen=True)
class Lrw1000Corpus:
    raw: Lrw1000Raw
    clips: Roi


@dataclass(frozen=True)
class Corpora:
    grid: GridCorpus | None = None
    lrw: LrwCorpus | None = None
    lrw1000: Lrw1000Corpus | None = None


@dataclass(frozen=True)
class Model:
    crop: int  # pixels cut from the clip, from the centre in test
    shift: int  # pixels by which the crop may leave the centre in training, either way and axis
    pool: int  # average-pool the crop by this factor (1: none)
    flip: bool  # random horizontal flip in training
    repeat: float  # probability that a frame is shown twice in training
    stem_channels: int
    stem_kernel: list[int]  # (time, height, width)
    stem_stride: list[int]
    stem_pool: bool  # the 3x3 max-pool of stride 2 behind the stem
    widths: list[int]  # channels of each residual stage; ResNet-18: 64, 128, 256, 512
    blocks: int  # residual blocks a stage; ResNet-18: 2
    encoder_layers: int
    encoder_hidden: int
    directions: Literal["concat", "sum"]  # how the two directions of the last Bi-GRU layer are joined
    decoder_layers: int
    decoder_hidden: int
    embedding: int
    attention: int
    dropout: float


@dataclass(frozen=True)
class Optimisation:
    epochs: int
    batch: int
    optimiser: Literal["adam", "adamw"]
    learning_rate: float
    schedule: Literal["constant", "cosine", "one_cycle"]
    weight_decay: float
    clip_norm: float
    label_smoothing: float
    evaluations: int  # of the validation split, evenly spread over the run


@dataclass(frozen=True)
class Transcription(Optimisation):
    """How the lip-reader learns to transcribe; with cross-entropy alone, the baseline."""

    teacher_forcing: float  # probability that the decoder is fed the true character and not its own
    mask_padding: bool  # false: what follows the end symbol is scored too


@dataclass(frozen=True)
class Policy:
    """The policy-gradient part of Eq. 8; docs/paper-vs-code.md gives each setting's source."""

    init: Literal["ce", "scratch"]  # the corpus' baseline, or random weights
    lambda_pg: Fraction  # Eq. 8; 0: cross-entropy alone
    kernel: list[Fraction]  # w of Eq. 6, sums to 1
    stride: int  # s
    convolve: Literal["loss", "return", "none"]
    padding: Literal["same", "valid"]
    samples: int  # M of Eq. 9-10
    sampling: Literal["multinomial", "argmax"]
    temperature: float  # the policy is the softmax of logits / temperature
    gamma: float
    discount_from: Literal["end", "step"]
    divide_by_length: bool  # returns divided by |S|
    standardise: Literal["none", "sequence", "batch"]
    baseline: Literal["none", "mean", "greedy"]  # subtracted from the returns
    entropy: float  # weight of the policy's entropy, as a bonus


@dataclass(frozen=True)
class Run(Policy, Transcription):
    """One row of the k/s/w grid, or a control."""


@dataclass(frozen=True)
class Classifier(Optimisation):
    """A classifier whose encoder starts from random weights (Table III, baseline)."""


@dataclass(frozen=True)
class Probe(Optimisation):
    """A classifier whose encoder starts from a trained run (Table III)."""

    encoder: Literal["fixed", "trained"]


@dataclass(frozen=True)
class PerCorpusRuns:
    grid: dict[str, Run] = field(default_factory=dict)
    lrw: dict[str, Run] = field(default_factory=dict)
    lrw1000: dict[str, Run] = field(default_factory=dict)


@dataclass(frozen=True)
class Decoding:
    beam: int
    length_normalisation: float  # the score is divided by length to this power
    max_length: int  # characters, the end symbol included


@dataclass(frozen=True)
class Need:
    """What one job asks a cluster for; alone on a machine nothing is asked."""

    gpu: int
    mem_mb: int
    runtime: int  # minutes, after which the cluster stops the job


@dataclass(frozen=True)
class Resources:
    raw: Need
    shard: Need
    train: Need
    finetune: Need
    evaluate: Need
    probe: Need  # and scratch
    report: Need  # store, tables, claims, figures, page


@dataclass(frozen=True)
class Params:
    preset: str
    seeds: list[int]
    workers: int  # processes of the stages raw and shard
    shards: list[int]  # 0, 1, ...: parts of every clip store, a job each
    threads: int  # of one training process
    resources: Resources
    device: Literal["auto", "cpu", "cuda"]
    precision: Literal["float32", "bfloat16"]  # of the forward pass; weights and losses stay float32
    corpora: Corpora
    model: dict[Corpus, Model]
    baselines: dict[Corpus, Transcription]
    runs: PerCorpusRuns
    probe_from: dict[Corpus, list[str]]  # the runs whose encoders the probes take
    classifiers: dict[Corpus, Classifier]
    probes: dict[str, Probe]
    decoding: Decoding
    tables: list[str]
    figures: list[str]

    @property
    def corpus_names(self) -> list[str]:
        return [item.name for item in fields(self.corpora) if getattr(self.corpora, item.name)]


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
            for setting in ("epochs", "batch", "evaluations"):
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
        for setting in ("mem_mb", "runtime"):  # 0 would mean no limit to one scheduler and nothing to another
            require(getattr(need, setting) >= 1, file, f"{key}.{setting}", "must be at least 1")


def from_mapping(mapping: Any, file: str) -> Params:
    """Build and check Params from what a YAML file held; `file` is named in errors."""
    params = build(Params, mapping, file, "")
    require(len(set(params.seeds)) == len(params.seeds) > 0, file, "seeds", "must be distinct, and at least one")
    for key in ("workers", "threads"):
        require(getattr(params, key) >= 1, file, key, "must be at least 1")
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


def to_plain(settings: Any) -> dict:
    """A dataclass of settings as numbers, texts and lists, fit for a checkpoint that loads with weights_only."""
    return asdict(settings)
