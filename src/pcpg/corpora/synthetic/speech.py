"""Words as visemes -> visemes with durations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_SECONDS = {"P": 0.085, "T": 0.07, "K": 0.075, "F": 0.1, "S": 0.1, "SH": 0.1, "TH": 0.085, "L": 0.08, "R": 0.08,
            "W": 0.085}  # fmt: skip
_VOWEL_SECONDS = 0.115


@dataclass(frozen=True)
class Speech:
    """Visemes in the order spoken, and where each word begins and ends.

    seconds: (visemes,) their durations; spans: (words, 2) in seconds from the first viseme's start.
    """

    visemes: tuple[str, ...]
    seconds: np.ndarray
    spans: np.ndarray


def speak(words: Sequence[tuple[str, ...]], tempo: float, rng: np.random.Generator) -> Speech:
    """Give every viseme of `words` a duration; durations depend on visemes, never on which phoneme was meant.

    tempo: 1 is ordinary speech, 2 takes half the time. The last word is drawn out, as at the end of a sentence.
    """
    visemes = tuple(viseme for word in words for viseme in word)
    seconds = np.array([_SECONDS.get(viseme, _VOWEL_SECONDS) for viseme in visemes])
    seconds[len(visemes) - len(words[-1]) :] *= 1.3
    seconds *= rng.lognormal(0, 0.12, len(visemes)) / tempo
    ends = np.cumsum([len(word) for word in words])
    edges = np.concatenate([[0.0], np.cumsum(seconds)])
    spans = np.stack([edges[np.concatenate([[0], ends[:-1]])], edges[ends]], axis=1)
    return Speech(visemes, seconds, spans)


def pause(speech: Speech, after_word: int, seconds: float) -> Speech:
    """Return `speech` with a silence of `seconds` after word number `after_word` (0-based)."""
    ends = np.concatenate([[0.0], np.cumsum(speech.seconds)])
    place = int(np.argmin(np.abs(ends - speech.spans[after_word, 1])))
    spans = speech.spans.copy()
    spans[after_word + 1 :] += seconds
    visemes = (*speech.visemes[:place], "rest", *speech.visemes[place:])
    return Speech(visemes, np.insert(speech.seconds, place, seconds), spans)
