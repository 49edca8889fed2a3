"""A corpus on disk like GRID: sN/<sentence>.mpg, alignments/sN/<sentence>.align, landmarks/sN/<sentence>.npy."""

from functools import partial
from pathlib import Path

import numpy as np

from pcpg.corpora.about import FRAMES
from pcpg.corpora.base import RATE
from pcpg.corpora.grid_text import GRAMMAR, TICKS, sentence_of
from pcpg.corpora.synthetic.camera import Camera
from pcpg.corpora.synthetic.crew import make_clips, stream
from pcpg.corpora.synthetic.encode import write_mpg
from pcpg.corpora.synthetic.english import english_visemes
from pcpg.corpora.synthetic.film import shoot
from pcpg.corpora.synthetic.lips import Manner, trajectory
from pcpg.corpora.synthetic.looks import draw_look
from pcpg.corpora.synthetic.speech import Speech, pause, speak

_LENGTH = FRAMES["grid"][0]  # frames a clip
_STEP = 250  # ticks to which .align files are rounded
_LAST = 74_500  # sample at which every .align file ends


def generate_grid(root: Path, *, seed: int, speakers: int, sentences: int, workers: int) -> None:
    """Write `sentences` different sentences by each of the speakers s1, s2, ... below `root`."""
    names = [f"s{number}" for number in range(1, speakers + 1)]
    clips = [f"{speaker}/{name}" for speaker in names for name in _choose(seed, speaker, sentences)]
    make_clips(partial(_write_clip, root, seed), clips, workers, "generate GRID-like clips")


def _choose(seed: int, speaker: str, count: int) -> list[str]:
    """Return `count` different sentence names, in alphabetical order."""
    sizes = [len(place) for place in GRAMMAR]
    numbers = stream(seed, "grid", speaker, "sentences").choice(np.prod(sizes), count, replace=False)
    choices = np.stack(np.unravel_index(numbers, sizes), axis=1)
    return sorted("".join(list(place)[i] for place, i in zip(GRAMMAR, row, strict=True)) for row in choices)


def _write_clip(root: Path, seed: int, clip: str) -> None:
    """Write one sentence's video, alignment and landmarks; clip: as s1/bbaf4p."""
    speaker, name = clip.split("/")
    person = stream(seed, "grid", speaker)
    look, manner = draw_look(person), Manner.draw(person)
    camera = Camera(360, 288, person.uniform(150, 210), person.uniform(206, 226), person.uniform(0.96, 1.1))
    rng = stream(seed, "grid", speaker, name)
    manner, words = manner.today(rng), sentence_of(name).split()
    speech, start = _time(words, manner, rng)
    film = shoot(look, trajectory(speech, start, (np.arange(_LENGTH) + 0.5) / RATE, manner), camera, rng)
    text, points = root / "alignments" / f"{clip}.align", root / "landmarks" / f"{clip}.npy"
    for path in (text, points):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_mpg(root / f"{clip}.mpg", film.frames)
    text.write_text(align(words, start + speech.spans), encoding="ascii")
    np.save(points, film.landmarks)


def _time(words: list[str], manner: Manner, rng: np.random.Generator) -> tuple[Speech, float]:
    """Return the sentence with durations, and when it begins, such that it fits into the clip."""
    start, longest = rng.uniform(0.3, 0.7), 2.1
    speech = speak([english_visemes(word) for word in words], manner.tempo, rng)
    if rng.random() < 0.12:
        speech = pause(speech, int(rng.integers(5)), rng.uniform(0.06, 0.2))
    hurry = min(1.0, longest / speech.seconds.sum())
    return Speech(speech.visemes, speech.seconds * hurry, speech.spans * hurry), start


def align(words: list[str], spans: np.ndarray) -> str:
    """Return the text of an .align file; spans: (words, 2) in seconds, one after another."""
    edges = (np.rint(spans * TICKS / _STEP) * _STEP).astype(int)
    lines = [f"0 {edges[0, 0]} sil"]
    for place, (word, (start, end)) in enumerate(zip(words, edges, strict=True)):
        if place and start > edges[place - 1, 1]:
            lines.append(f"{edges[place - 1, 1]} {start} sp")
        lines.append(f"{start} {end} {word}")
    lines.append(f"{edges[-1, 1]} {_LAST} sil")
    return "\n".join(lines) + "\n"
