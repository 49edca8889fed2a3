"""A corpus on disk like LRW: lipread_mp4/WORD/{train,val,test}/WORD_00001.mp4 with a .txt beside it."""

from functools import partial
from pathlib import Path

import numpy as np

from pcpg.corpora.about import FRAMES
from pcpg.corpora.base import RATE
from pcpg.corpora.synthetic.camera import Camera
from pcpg.corpora.synthetic.crew import Take, make_clips, stream, takes
from pcpg.corpora.synthetic.encode import write_mp4
from pcpg.corpora.synthetic.english import NEWS_WORDS, SMALL_WORDS, english_visemes
from pcpg.corpora.synthetic.film import Film, shoot
from pcpg.corpora.synthetic.lips import Manner, trajectory
from pcpg.corpora.synthetic.looks import draw_look
from pcpg.corpora.synthetic.speech import speak

_LENGTH = FRAMES["lrw"][0]  # frames a clip
_NEIGHBOURS = 3  # words spoken on either side of the target


def generate_lrw(root: Path, *, seed: int, words: int, train: int, val: int, test: int, workers: int) -> None:
    """Write that many clips of each of the first `words` words below `root`."""
    numbers = {"train": range(1, train + 1), "val": range(1, val + 1), "test": range(1, test + 1)}
    clips = takes(seed, "lrw", NEWS_WORDS[:words], numbers)
    make_clips(partial(_write_clip, root, seed), clips, workers, "generate LRW-like clips")


def film_clip(seed: int, clip: Take) -> tuple[Film, float]:
    """Return a clip's film, the word in the middle of its neighbours, and how many seconds the word lasts."""
    person = stream(seed, "lrw", clip.split, clip.speaker)
    look, manner = draw_look(person), Manner.draw(person)
    camera = Camera(256, 256, person.uniform(125, 130), person.uniform(160, 166), person.uniform(1.0, 1.2))
    rng = stream(seed, "lrw", clip.split, clip.word, clip.number, "speech")
    manner = manner.today(rng)
    before, after = rng.choice(SMALL_WORDS, (2, _NEIGHBOURS))
    words = [*before.tolist(), clip.word, *after.tolist()]
    speech = speak([english_visemes(word) for word in words], manner.tempo, rng)
    start, end = speech.spans[_NEIGHBOURS]
    offset = _LENGTH / RATE / 2 - (start + end) / 2
    film = shoot(look, trajectory(speech, offset, (np.arange(_LENGTH) + 0.5) / RATE, manner), camera, rng)
    return film, float(end - start)


def _write_clip(root: Path, seed: int, clip: Take) -> None:
    film, seconds = film_clip(seed, clip)
    path = root / "lipread_mp4" / clip.word / clip.split / f"{clip.word}_{clip.number:05d}.mp4"
    write_mp4(path, film.frames)
    rng = stream(seed, "lrw", clip.split, clip.word, clip.number, "text")
    path.with_suffix(".txt").write_text(describe(seconds, rng), encoding="ascii")


def describe(seconds: float, rng: np.random.Generator) -> str:
    """Return the five lines that LRW gives with a clip; only the duration, on the last one, has a meaning here."""
    return (
        f"Disk reference: {rng.integers(10**18, 10**19, dtype=np.uint64)}\n"
        "Channel: generated\n"
        "Program start: 2020-01-01 00:00:00 +0000\n"
        f"Clip start: {rng.uniform(10, 1700):.2f} seconds\n"
        f"Duration: {seconds:.2f} seconds\n"
    )
