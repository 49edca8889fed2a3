"""The settings of one training: what the network sees, its sizes, how weights move, and what is minimised.

Trainings read these and no setting of a corpus, and so run again where these change and not where those do. The keys of
an objective stand in its own pcpg/objectives/NAME.py.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from pcpg.settings.keys import Count, Keys, NotNegative, Partial, Positive, Share, refuse

SCRATCH = "scratch"  # as a start: random weights
# Safe in a path, a shell command and a key of either engine: no digit first, as DVC reads 08 in plan.json as 8
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")


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
    stem_pool: bool  # the 3x3 max-pool of stride 2 after the stem
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
    schedule: Literal["constant", "cosine", "one_cycle"]  # with one_cycle Adam's beta 1 goes 0.95, 0.85, 0.95
    weight_decay: NotNegative
    clip_norm: Positive
    evaluations: Count  # of the validation split, evenly spread over the run
    stop: Partial | None  # validation error (1: all wrong) at or below which training ends; schedules span all epochs

    @model_validator(mode="after")
    def _check_parts(self):
        refuse(self.accumulate > self.batch, "accumulate", f"a batch of {self.batch} has no {self.accumulate} parts")
        adam, of_one_length = self.optimiser.startswith("adam"), self.optimiser in ("nsgdm", "npg_igt")
        refuse(adam != (self.momentum is None), "momentum", "to be given for sgd, nsgdm and npg_igt, and only there")
        refuse(of_one_length and self.weight_decay > 0, "weight_decay", f"must be 0 for {self.optimiser}")
        return self


class _Training(Keys):
    start: Name  # scratch: random weights; else the run of this corpus whose weights, or encoder, it starts from

    @property
    def from_scratch(self) -> bool:
        return self.start == SCRATCH


class Run(_Training):
    """One training of a lip-reader: the baseline, a row of the k/s/w grid, a control, or another objective."""

    optimisation: Optimisation
    objective: Annotated[dict[str, dict[str, Any]], Field(min_length=1, max_length=1)]  # name -> its own keys

    @property
    def objective_name(self) -> str:
        return next(iter(self.objective))


class Classifier(_Training):
    """A word classifier on an encoder (Section IV-F, Table III)."""

    encoder: Literal["fixed", "trained"]
    optimisation: Optimisation
    label_smoothing: Partial


class Decoding(Keys):
    """Beam search in test; validation and training decode greedily."""

    beam: Annotated[int, Field(ge=1, le=100)]
    length_normalisation: NotNegative  # the score is divided by length to this power
