"""A corpus on disk like LRW-1000: images/<clip>/<i>.jpg, info/{trn,val,tst}_1000.txt, info/all_audio_video.txt."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pcpg.corpora.base import RATE
from pcpg.corpora.synthetic import crew
from pcpg.corpora.synthetic.camera import Camera
from pcpg.corpora.synthetic.encode import write_jpgs
from pcpg.corpora.synthetic.film import shoot
from pcpg.corpora.synthetic.lips import Manner, trajectory
from pcpg.corpora.synthetic.looks import draw_look
from pcpg.corpora.synthetic.mandarin import WORDS, word_visemes
from pcpg.corpora.synthetic.randomness import stream
from pcpg.corpora.synthetic.speech import speak

_SIZE = 112  # pixels, of the cropped mouths
_CLIPS_PER_SPEAKER = 3


@dataclass(frozen=True)
class Take:
    """One clip: a speaker of the split's own pool says the word, given in characters and in pinyin syllables."""

    split: str
    speaker: int
    hanzi: str
    syllables: str
    number: int

    @property
    def pinyin(self) -> str:
        """The word's class: its syllables in one, without tones."""
        return self.syllables.replace(" ", "")


def generate_lrw1000(root: Path, *, seed: int, words: int, train: int, val: int, test: int, workers: int) -> None:
    """Write that many clips of each of the first `words` words below `root`; no speaker is in two splits."""
    clips = [
        Take(split, int(stream(seed, "lrw1000", split, syllables, number).integers(pool)), hanzi, syllables, number)
        for split, count in (("trn", train), ("val", val), ("tst", test))
        for pool in [max(1, words * count // _CLIPS_PER_SPEAKER)]
        for hanzi, syllables in WORDS[:words]
        for number in range(count)
    ]
    clips.sort(key=lambda clip: (clip.split, clip.speaker))  # a speaker's portrait is painted once
    rows = crew.make_clips(partial(_write_clip, Path(root), seed), clips, workers, "generate LRW-1000-like clips")
    _write_lists(Path(root) / "info", clips, rows)


def _write_clip(root: Path, seed: int, clip: Take) -> tuple[str, str, float, float]:
    """Write one folder of jpgs; return the ids of its video and its audio, and the word's start and end in seconds."""
    person = stream(seed, "lrw1000", clip.split, clip.speaker)
    look, manner = draw_look(person), Manner.draw(person)
    camera = Camera(_SIZE, _SIZE, person.uniform(53, 59), person.uniform(50, 58), person.uniform(1.2, 1.6))
    rng = stream(seed, "lrw1000", clip.split, clip.syllables, clip.number, "speech")
    manner = manner.today(rng)
    video, audio = rng.bytes(16).hex(), rng.bytes(16).hex()
    before, after = rng.integers(len(WORDS), size=2)
    words = [WORDS[before][1], clip.syllables, WORDS[after][1]]
    speech = speak([word_visemes(word) for word in words], manner.tempo * rng.uniform(0.8, 1.25), rng)
    rest = rng.uniform(0.05, 0.3)  # seconds of silence before the first and after the last word
    frames = int(np.ceil((speech.seconds.sum() + 2 * rest) * RATE))
    film = shoot(look, trajectory(speech, rest, (np.arange(frames) + 0.5) / RATE, manner), camera, rng)
    write_jpgs(root / "images" / video, film.frames)
    # in the quarter of a frame, since 1.16 * 25 is below 29: so readers cut the frames whose middle shows the word
    start, end = (np.rint((rest + speech.spans[1]) * RATE) + 0.25) / RATE
    return video, audio, round(float(start), 2), round(float(end), 2)


def _write_lists(info: Path, clips: list[Take], rows: list[tuple[str, str, float, float]]) -> None:
    """Write one list for each split, and one of all clips."""
    info.mkdir(parents=True)
    both = list(zip(clips, rows, strict=True))
    for split in ("trn", "val", "tst"):
        own = [(clip, row) for clip, row in both if clip.split == split]
        lines = [f"{video},{clip.hanzi},{clip.pinyin},{start},{end}\n" for clip, (video, _, start, end) in own]
        (info / f"{split}_1000.txt").write_text("".join(lines), encoding="utf-8")
    lines = [f"{video},{audio},_,{clip.pinyin},{start},{end}\n" for clip, (video, audio, start, end) in both]
    (info / "all_audio_video.txt").write_text("".join(lines), encoding="utf-8")
