"""The settings of a preset: every key of a parameter file, with its type and range. No default hides in the code.

The section `corpora` stands in pcpg/settings/corpus.py, the keys of an objective in its own pcpg/objectives/NAME.py.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from pcpg.settings.corpus import Corpora
from pcpg.settings.keys import Count, Crowd, Keys, NotNegative, Partial, Positive, Seed, Share, refuse

Corpus = Literal["grid", "lrw", "lrw1000", "grid_words"]
SCRATCH = "scratch"  # as the start of a run: random weights
# Safe in a path, a shell command and a key of either engine: a digit first, DVC reads 08 in plan.json as 8
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
MOST_STEPS = 1000  # decoder steps of one transcription


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError("is no name (up to 100 letters, digits, _ and -, first a letter)")
    return text


def _odd(size: int) -> int:
    if size % 2 == 0:
        raise ValueError("must be odd, so that a frame stands in the middle")
    return size


Name = Annotated[str, AfterValidator(_name)]
Triple = Annotated[list[Count], Field(min_length=3, max_length=3)]  # time, height, width
Window = Annotated[list[Annotated[Count, AfterValidator(_odd)]], Field(min_length=3, max_length=3)]


class ViewKeys(Keys):
    """Which pixels of a mouth clip the network sees."""

    crop: Count  # pixels cut from the clip, from the centre in test
    shift: Annotated[int, Field(ge=0)]  # pixels by which the crop may leave the centre in training, either way and axis
    pool: Count  # average-pool the crop by this factor (1: none)
    flip: bool  # random horizontal flip in training
    repeat: Share  # probability that a frame is shown twice in training

    @model_validator(mode="after")
    def _check_pool(self):
        refuse(self.crop % self.pool != 0, "pool", f"{self.pool} does not divide the crop {self.crop}")
        return self


class Network(Keys):
    """The sizes of the lip-reader."""

    stem_channels: Count
    stem_kernel: Window  # time, height, width
    stem_stride: Triple
    stem_pool: bool  # the 3x3 max-pool of stride 2 behind the stem
    widths: Annotated[list[Count], Field(min_length=1)]  # channels of each residual stage; ResNet-18: 64, 128, 256, 512
    blocks: Count  # residual blocks a stage; ResNet-18: 2
    encoder_layers: Count
    encoder_hidden: Count
    directions: Literal["concat", "sum"]  # how the two directions of the last Bi-GRU layer are joined
    decoder_layers: Count
    decoder_hidden: Count
    embedding: Count
    attention: Count
    dropout: Partial

    @model_validator(mode="after")
    def _check_widths(self):
        # oneDNN 3.12 limited to AVX2 corrupts the heap in the gradient of a 1x1 convolution of stride 2 below that
        narrow = [width for width in self.widths[:-1] if width < 8]
        refuse(bool(narrow), "widths", f"{narrow[:1]} channels before a stage of stride 2, which needs at least 8")
        return self


class Optimisation(Keys):
    """How weights are moved, whatever is minimised."""

    epochs: Count
    batch: Count  # clips an update
    accumulate: Count  # parts of a batch, one after the other; each has its own batch statistics
    augment: bool  # the view's crops, flips and repeated frames; false: clips as they are
    optimiser: Literal["adam", "adamw", "sgd", "nsgdm", "npg_igt"]  # nsgdm: steps of one length, with momentum
    momentum: Partial | None  # null for Adam, which has its own
    learning_rate: Positive  # of nsgdm and npg_igt the length of a step, over all weights
    schedule: Literal["constant", "cosine", "one_cycle"]
    weight_decay: NotNegative
    clip_norm: Positive
    evaluations: Count  # of the validation split, evenly spread over the run
    stop: Partial | None  # a validation error, of 1, at or below which training ends; schedules are those of all epochs

    @model_validator(mode="after")
    def _check_parts(self):
        refuse(self.accumulate > self.batch, "accumulate", f"a batch of {self.batch} has no {self.accumulate} parts")
        adam, of_one_length = self.optimiser.startswith("adam"), self.optimiser in ("nsgdm", "npg_igt")
        refuse(adam != (self.momentum is None), "momentum", "to be given for sgd, nsgdm and npg_igt, and only there")
        refuse(of_one_length and self.weight_decay > 0, "weight_decay", f"must be 0 for {self.optimiser}")
        return self


class Run(Keys):
    """One training of a lip-reader: the baseline, a row of the k/s/w grid, a control, or another objective."""

    start: Name  # scratch: random weights; else the run of this corpus whose weights it begins with
    optimisation: Optimisation
    objective: Annotated[dict[str, dict[str, Any]], Field(min_length=1, max_length=1)]  # name -> its own keys

    @property
    def objective_name(self) -> str:
        return next(iter(self.objective))


class Classifier(Keys):
    """A word classifier on an encoder (Section IV-F, Table III)."""

    start: Name  # scratch: an encoder of random weights; else the run whose encoder it takes
    encoder: Literal["fixed", "trained"]
    optimisation: Optimisation
    label_smoothing: Partial


class Decoding(Keys):
    """Beam search in test; validation and training decode greedily."""

    beam: Annotated[int, Field(ge=1, le=100)]
    length_normalisation: NotNegative  # the score is divided by length to this power


class Params(Keys):
    templates: dict[str, Any] = Field(default={}, exclude=True)  # a place for anchors; no stage, and no check, reads it
    preset: Name  # the name in every path below data/, clips/, runs/, results/ and figures/
    seeds: Annotated[list[Seed], Field(min_length=1)]
    fewer_seeds: dict[Corpus, dict[Name, Count]] = Field(default={})  # who takes the first so many of the seeds
    workers: Crowd  # processes of the stages raw and shard
    shards: list[int]  # 0, 1, ...: parts of every clip store, a job each
    threads: Crowd  # of one training process
    processes: Crowd  # of one training, each on a GPU of its own where there are some; they share every batch
    nodes: Crowd  # machines that they are spread over, by Slurm
    device: Literal["auto", "cpu", "cuda"]
    precision: Literal["float32", "bfloat16"]  # of the forward pass; weights and losses stay float32
    numerics: Literal["portable", "fast"]  # portable: libraries held to AVX2, docs/reproducibility.md
    corpora: Corpora
    view: dict[Corpus, ViewKeys]
    network: dict[Corpus, Network]
    max_length: Annotated[int, Field(ge=1, le=MOST_STEPS)]  # characters of a transcription, the end symbol counted
    runs: dict[Corpus, dict[Name, Run]]
    classifiers: dict[Corpus, dict[Name, Classifier]]
    decoding: Decoding
    tables: list[Name]
    figures: list[Name]

    @property
    def corpus_names(self) -> list[str]:
        return [name for name in Corpora.model_fields if getattr(self.corpora, name)]

    def trainings(self, corpus: str) -> dict[str, Run | Classifier]:
        """All that is trained on a corpus, by name: runs, then the classifiers on their encoders."""
        return self.runs.get(corpus, {}) | self.classifiers.get(corpus, {})

    def seeds_of(self, corpus: str, run: str) -> list[int]:
        """The seeds that a run or classifier is trained with."""
        return self.seeds[: self.fewer_seeds.get(corpus, {}).get(run)]
