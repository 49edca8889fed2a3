"""A corpus on disk like LRW-1000: images/<clip>/<i>.jpg, info/{trn,val,tst}_1000.txt, info/all_audio_video.txt."""

from functools import partial
from pathlib import Path

import numpy as np

from pcpg.corpora.base import RATE
from pcpg.corpora.synthetic.camera import Camera
from pcpg.corpora.synthetic.crew import Take, make_clips, stream, takes
from pcpg.corpora.synthetic.encode import write_jpgs
from pcpg.corpora.synthetic.film import shoot
from pcpg.corpora.synthetic.lips import Manner, trajectory
from pcpg.corpora.synthetic.looks import draw_look
from pcpg.corpora.synthetic.mandarin import WORDS, word_visemes
from pcpg.corpora.synthetic.speech import speak

_SIZE = 112  # pixels, of the cropped mouths
_HANZI = {syllables: hanzi for hanzi, syllables in WORDS}


def generate_lrw1000(root: Path, *, seed: int, words: int, train: int, val: int, test: int, workers: int) -> None:
    """Write that many clips of each of the first `words` words below `root`, and the lists of each split and of all."""
    numbers = {"trn": range(train), "val": range(val), "tst": range(test)}
    clips = takes(seed, "lrw1000", [syllables for _, syllables in WORDS[:words]], numbers)
    lines = make_clips(partial(_write_clip, root, seed), clips, workers, "generate LRW-1000-like clips")
    info = root / "info"
    info.mkdir(parents=True)
    for split in numbers:
        own = [line for clip, (line, _) in zip(clips, lines, strict=True) if clip.split == split]
        (info / f"{split}_1000.txt").write_text("".join(own), encoding="utf-8")
    (info / "all_audio_video.txt").write_text("".join(line for _, line in lines), encoding="utf-8")


def _write_clip(root: Path, seed: int, clip: Take) -> tuple[str, str]:
    """Write one folder of jpgs; return its line in the list of its split, and that in the list of all."""
    person = stream(seed, "lrw1000", clip.split, clip.speaker)
    look, manner = draw_look(person), Manner.draw(person)
    camera = Camera(_SIZE, _SIZE, person.uniform(53, 59), person.uniform(50, 58), person.uniform(1.2, 1.6))
    rng = stream(seed, "lrw1000", clip.split, clip.word, clip.number, "speech")
    manner = manner.today(rng)
    video, audio = rng.bytes(16).hex(), rng.bytes(16).hex()
    before, after = rng.integers(len(WORDS), size=2)
    words = [WORDS[before][1], clip.word, WORDS[after][1]]
    speech = speak([word_visemes(word) for word in words], manner.tempo * rng.uniform(0.8, 1.25), rng)
    rest = rng.uniform(0.05, 0.3)  # seconds of silence before the first and after the last word
    frames = int(np.ceil((speech.seconds.sum() + 2 * rest) * RATE))
    film = shoot(look, trajectory(speech, rest, (np.arange(frames) + 0.5) / RATE, manner), camera, rng)
    write_jpgs(root / "images" / video, film.frames)
    # in the quarter of a frame, since 1.16 * 25 is below 29: so readers cut the frames whose middle shows the word
    start, end = (np.rint((rest + speech.spans[1]) * RATE) + 0.25) / RATE
    pinyin = clip.word.replace(" ", "")
    said = f"{pinyin},{round(float(start), 2)},{round(float(end), 2)}\n"
    return f"{video},{_HANZI[clip.word]},{said}", f"{video},{audio},_,{said}"
