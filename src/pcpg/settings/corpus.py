"""The section `corpora`: where each corpus comes from, how it is split, and how mouths are cut out of its videos."""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AfterValidator, Field, model_validator

from pcpg.settings.keys import Count, Keys, Number, Seed, refuse


def _text(text: str) -> str:
    if not text.strip() or "\0" in text:  # an empty path would mean the current folder
        raise ValueError("names nothing")
    return text


Text = Annotated[str, AfterValidator(_text)]  # a path, a word
Speaker = Annotated[str, Field(pattern=r"^s[1-9][0-9]*$")]


class GridSynthetic(Keys):
    seed: Seed
    speakers: Annotated[int, Field(ge=1, le=200)]
    sentences: Annotated[int, Field(ge=1, le=64_000)]  # per speaker; GRID's grammar has no more


class WordsSynthetic(Keys):
    seed: Seed
    words: Annotated[int, Field(ge=1, le=40)]
    train: Count  # clips per word
    val: Count
    test: Count


class GridLists(Keys):
    """Files with a clip a line, as s14/video/mpg_6000/bbaq7n; what neither names is left out."""

    train: Text
    test: Text

    @model_validator(mode="after")
    def _check_files(self):
        refuse(self.train == self.test, "test", "is the list to train on")
        return self


class _Raw(Keys):
    source: Literal["synthetic", "local", "download"]
    root: Text | None  # folder of the local copy, or where the download goes; null for source: synthetic

    @model_validator(mode="after")
    def _check_source(self):
        made = self.source == "synthetic"
        refuse(made and self.synthetic is None, "synthetic", "missing for source: synthetic")
        refuse(not made and self.root is None, "root", f"missing for source: {self.source}")
        refuse(not made and self.synthetic is not None, "synthetic", f"does nothing for source: {self.source}")
        refuse(made and self.root is not None, "root", "does nothing for source: synthetic")
        return self


class GridRaw(_Raw):
    synthetic: GridSynthetic | None
    speakers: list[Speaker] | None  # null: all
    split: Literal["unseen", "overlapped", "lists"]
    test_speakers: list[Speaker]  # unseen: all their sentences are test
    test_sentences: Annotated[int, Field(ge=0, le=64_000)]  # overlapped: this many of each speaker are test
    lists: GridLists | None  # for split: lists, and only there
    validation: Annotated[Number, Field(gt=0, lt=1)]  # share of the other sentences, or of the list to train on
    split_seed: Seed

    @model_validator(mode="after")
    def _check_split(self):
        unseen, overlapped = self.split == "unseen", self.split == "overlapped"
        refuse(
            (self.split == "lists") != (self.lists is not None), "lists", "to be given for split: lists, and only there"
        )
        refuse(unseen and not self.test_speakers, "test_speakers", "names nobody, which split: unseen needs")
        refuse(not unseen and bool(self.test_speakers), "test_speakers", f"does nothing for split: {self.split}")
        refuse(overlapped and self.test_sentences == 0, "test_sentences", "must be at least 1 for split: overlapped")
        refuse(not overlapped and self.test_sentences > 0, "test_sentences", f"does nothing for split: {self.split}")
        for key in ("speakers", "test_speakers"):
            names = getattr(self, key) or []
            refuse(len(set(names)) < len(names), key, "names a speaker twice")
        refuse(self.speakers == [], "speakers", "names nobody; null means all")
        for speaker in self.test_speakers if self.speakers is not None else []:  # found before a download, not after it
            refuse(speaker not in self.speakers, "test_speakers", f"{speaker} is not one of {', '.join(self.speakers)}")
        return self

    @model_validator(mode="after")
    def _check_people(self):
        """Refuse splits that leave nothing to train, validate or test on, if speakers and sentences are known."""
        people = self._people()
        for key in ("speakers", "test_speakers"):
            strangers = [name for name in getattr(self, key) or [] if people and name not in people]
            refuse(bool(strangers), key, f"{', '.join(strangers)} is not among the {len(people)} that there are")
        read = self.speakers or people
        refuse(bool(read) and set(read) <= set(self.test_speakers), "test_speakers", "leaves nobody to train on")
        if self.synthetic is not None and self.split != "lists":
            rest = self.synthetic.sentences - self.test_sentences
            refuse(rest < 1, "test_sentences", f"leaves none of {self.synthetic.sentences} sentences to train on")
            validated = round(self.validation * rest)
            refuse(not 0 < validated < rest, "validation", f"is {validated} of {rest} sentences, none or all")
        return self

    def _people(self) -> list[str]:
        """The speakers that there are; empty for a local copy, which has not been read yet."""
        if self.synthetic is not None:
            return [f"s{number}" for number in range(1, self.synthetic.speakers + 1)]
        return [f"s{number}" for number in range(1, 35) if number != 21] if self.source == "download" else []


class GridWordsRaw(GridRaw):
    """The keys of GRID's sentences, whose words are cut out."""


class LrwRaw(_Raw):
    source: Literal["synthetic", "local"]
    synthetic: WordsSynthetic | None
    words: list[Text] | None  # null: all

    @model_validator(mode="after")
    def _check_words(self):
        words = [word.upper() for word in self.words or []]
        refuse(self.words == [], "words", "names none; null means all")
        refuse(len(set(words)) < len(words), "words", "names a word twice")
        return self


class Lrw1000Raw(_Raw):
    source: Literal["synthetic", "local"]
    synthetic: WordsSynthetic | None
    protocol: Literal["cut30", "centred40"]


class Clips(Keys):
    """How mouths are cut out of the videos."""

    roi: Literal["landmarks", "box", "frame"]  # aligned to the face, LRW's fixed box, or the whole (cropped) frame
    landmarks: Literal["mediapipe", "sidecar"] | None
    landmark_model: Text | None  # face_landmarker.task or, to fetch it, "download"; for landmarks: mediapipe
    landmark_folder: Text | None  # each clip's <clip>.npy: of sidecars (null: root/landmarks), or to keep mediapipe's
    size: Annotated[int, Field(ge=8, le=512)]  # pixels, square

    @model_validator(mode="after")
    def _check_landmarks(self):
        detected, aligned = self.landmarks == "mediapipe", self.roi == "landmarks"
        refuse(aligned != (self.landmarks is not None), "landmarks", "to be given for roi: landmarks, and only there")
        refuse(detected and self.landmark_model is None, "landmark_model", "missing for landmarks: mediapipe")
        refuse(
            not detected and self.landmark_model is not None,
            "landmark_model",
            "does nothing without landmarks: mediapipe",
        )
        refuse(
            not aligned and self.landmark_folder is not None, "landmark_folder", "to be given for roi: landmarks only"
        )
        return self


Raw = TypeVar("Raw")  # GridRaw and the others


class Corpus(Keys, Generic[Raw]):
    raw: Raw
    clips: Clips


class Corpora(Keys):
    grid: Corpus[GridRaw] = None
    lrw: Corpus[LrwRaw] = None
    lrw1000: Corpus[Lrw1000Raw] = None
    grid_words: Corpus[GridWordsRaw] = None
