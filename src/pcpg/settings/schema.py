"""The settings of a preset: every key of a parameter file, with its type. No default hides in the code."""

from dataclasses import asdict, dataclass, field, fields
from fractions import Fraction
from typing import Any, Literal

Corpus = Literal["grid", "lrw", "lrw1000"]


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
    batch: int  # clips an update
    accumulate: int  # parts of a batch, one after the other; each has its own batch statistics
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
    processes: int  # of one training, each on a GPU of its own where there are some; they share every batch
    nodes: int  # machines that they are spread over, by Slurm
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


def to_plain(settings: Any) -> dict:
    """A dataclass of settings as numbers, texts and lists, fit for a checkpoint that loads with weights_only."""
    return asdict(settings)
