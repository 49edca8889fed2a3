"""Words of GRID in LRW's manner: 29 frames about the middle of each, cut from its sentence by the .align file.

Splits are those of the sentences, so that no frame is both trained and tested on. The classes are the 51 words of
GRID's grammar, whatever is on disk.
"""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pcpg.corpora import grid
from pcpg.corpora.about import FRAMES, whole_clip
from pcpg.corpora.base import RATE, Clip, Excluded, Reading, Remark, Unusable, Word
from pcpg.corpora.grid_text import GRAMMAR

if TYPE_CHECKING:
    from pcpg.settings.corpus import GridWordsRaw

WHERE, generate, download = grid.WHERE, grid.generate, grid.download
WINDOW = FRAMES["grid_words"][0]  # frames; as in LRW: the word's middle is that of the clip
LABELS = {word: label for label, word in enumerate(sorted(word for words in GRAMMAR for word in words.values()))}


def read(settings: "GridWordsRaw", root: Path) -> Reading:
    """Every word of the sentences that pcpg.corpora.grid reads, as s1/bbaf2n/1-bin, ..., s1/bbaf2n/6-now.

    A window may begin before its video or end after it: `first` is negative then, and the nearest frame is shown in
    place of those that are not there. Sentences without .align are excluded. Raises what pcpg.corpora.grid raises.
    """
    sentences = grid.read(settings, root)
    spoken = defaultdict(list)
    for word in sentences.words:
        spoken[word.clip].append(word)
    untimed = [clip for clip in sentences.clips if clip.clip not in spoken]
    excluded = [Excluded(clip.clip, "raw", "has no .align, which tells when its words are said") for clip in untimed]
    cut = [_cut(clip, place, word) for clip in sentences.clips for place, word in enumerate(spoken[clip.clip], start=1)]
    if not cut:
        raise Unusable(root, f"holds no sentence with an .align. {WHERE}", sentences.excluded + excluded)
    clips, words = map(list, zip(*cut, strict=True))
    return Reading(clips, sentences.excluded + excluded, words, sentences.remarks)


def _cut(sentence: Clip, place: int, word: Word) -> tuple[Clip, Word]:
    name = f"{sentence.clip}/{place}-{word.word}"
    first = int((word.start + word.end) / 2 * RATE) - WINDOW // 2
    clip = replace(sentence, clip=name, text=word.word, label=LABELS[word.word], first=first, frames=WINDOW)
    return clip, replace(word, clip=name)


def lacking(settings: "GridWordsRaw", root: Path, reading: Reading) -> list[Remark]:
    """The remarks of pcpg.corpora.grid, on the sentences."""
    of_sentences = [[replace(row, clip=whole_clip(row.clip)) for row in rows] for rows in reading[:2]]
    return grid.lacking(settings, root, Reading(*of_sentences, [], []))
