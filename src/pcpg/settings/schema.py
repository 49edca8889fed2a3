"""The settings of a preset: every key of a parameter file, with its type and range.

Every key is required, except `templates`, `fewer_seeds`, and corpora that are not used.

The section `corpora` stands in pcpg/settings/corpus.py, what a training reads in training.py beside it, the keys of an
objective in its own pcpg/objectives/NAME.py.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from pcpg.settings.corpus import Corpora
from pcpg.settings.keys import Count, Crowd, Keys, Seed
from pcpg.settings.training import Classifier, Decoding, Name, Network, Run, ViewKeys

Corpus = Literal["grid", "lrw", "lrw1000", "grid_words"]
MOST_STEPS = 1000  # decoder steps of one transcription


class Params(Keys):
    templates: dict[str, Any] = Field(default={}, exclude=True)  # a place for anchors; no stage, and no check, reads it
    preset: Name  # the name in every path below data/, clips/, runs/, results/ and figures/
    seeds: Annotated[list[Seed], Field(min_length=1)]
    fewer_seeds: dict[Corpus, dict[Name, Count]] = Field(default={})  # run -> how many seeds it takes, from the first
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
