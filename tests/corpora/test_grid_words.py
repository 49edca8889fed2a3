"""Words cut out of GRID: places, classes, splits and windows that reach beyond the video."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from test_corpora import NAMES, make_grid

from pcpg.corpora import grid, grid_words
from pcpg.corpora.about import whole_clip
from pcpg.corpora.base import Clip, Excluded
from pcpg.mouths import windows
from pcpg.mouths.shard import Cutter, make_shard
from pcpg.mouths.store import Quality, Region
from pcpg.workspace.errors import InputError

GRID = Path(__file__).parents[3] / "shared" / "grid"
SPLITS = dict(split="overlapped", test_speakers=[], lists=None, validation=0.25, split_seed=1)
SETTINGS = SimpleNamespace(speakers=None, test_sentences=2, **SPLITS)


def read(root, settings=SETTINGS):
    return grid_words.read(settings, root)


def test_each_word_is_a_clip_of_29_frames_about_its_middle(tmp_path):
    """In make_grid the k-th word is said from frame k to k + 1, so its middle is in frame k."""
    reading = read(make_grid(tmp_path))
    found = {clip.clip: clip for clip in reading.clips}
    assert len(found) == len(reading.clips) == 6 * 2 * len(NAMES[:-1])
    clip = found["s1/bbaf4p/3-at"]
    assert (clip.video, clip.speaker, clip.text, clip.first, clip.frames) == ("s1/bbaf4p.mpg", "s1", "at", 3 - 14, 29)
    assert [found[f"s2/swiz9a/{name}"].text for name in ("1-set", "4-z", "5-nine", "6-again")] == [
        "set", "z", "nine", "again"
    ]  # fmt: skip
    timing = {word.clip: word for word in reading.words}
    assert (timing[clip.clip].start, timing[clip.clip].end) == (3 / 25, 4 / 25)


def test_a_word_is_in_the_split_of_its_sentence(tmp_path):
    root = make_grid(tmp_path)
    sentences = {clip.clip: clip.split for clip in grid.read(SETTINGS, root).clips}
    assert {clip.split for clip in read(root).clips} == {"train", "val", "test"}
    for clip in read(root).clips:
        assert clip.split == sentences[whole_clip(clip.clip)]


def test_the_51_classes_are_those_of_the_grammar_whatever_is_on_disk(tmp_path):
    assert sorted(grid_words.LABELS.values()) == list(range(51))
    few = {clip.text: clip.label for clip in read(make_grid(tmp_path, names=NAMES[:4])).clips}
    assert few.items() < grid_words.LABELS.items()


def test_sentences_without_timing_are_listed(tmp_path):
    root = make_grid(tmp_path)
    (root / "alignments/s1/bbaf4p.align").unlink()
    reading = read(root)
    assert Excluded("s1/bbaf4p", "raw", "has no .align, which tells when its words are said") in reading.excluded
    assert not any(clip.clip.startswith("s1/bbaf4p") for clip in reading.clips)
    for path in root.glob("alignments/*/*"):
        path.unlink()
    with pytest.raises(InputError, match="holds no sentence with an .align"):
        read(root)


def test_what_a_copy_lacks_is_counted_in_sentences(tmp_path):
    reading = read(make_grid(tmp_path))
    whole = grid.read(SETTINGS, tmp_path)
    assert grid_words.lacking(SETTINGS, tmp_path, reading) == grid.lacking(SETTINGS, tmp_path, whole)


@pytest.mark.skipif(not GRID.is_dir(), reason="no real GRID clips beside the repository")
def test_real_words_lie_about_the_middle_of_their_window():
    reading = read(GRID, SimpleNamespace(speakers=None, test_sentences=50, **SPLITS))
    assert len(reading.clips) == 6 * 283
    for clip, word in zip(reading.clips, reading.words, strict=True):
        middle = 25 * (word.start + word.end) / 2 - clip.first
        assert 14 <= middle < 15
    beyond = [clip for clip in reading.clips if clip.first < 0 or clip.first + 29 > 75]
    assert 0 < len(beyond) < 60  # of 1,698; most are commands, at the beginning


FRAMES = np.arange(75, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8)
MET = Quality("s1/bbaf4p", 75, faceless=40, interpolated=2, missing=0, jitter=0.5, scale=0.6)


@pytest.mark.parametrize(
    ("first", "numbers", "missing"),
    [
        (10, list(range(10, 39)), 0),
        (-3, [0, 0, 0, *range(26)], 3),
        (60, [*range(60, 75), *[74] * 14], 14),
        (74, [74] * 29, 28),
    ],
)
def test_a_window_repeats_the_end_frame_and_counts_it(first, numbers, missing):
    window = Clip("s1/bbaf4p/1-bin", "s1/bbaf4p.mpg", "s1", "train", "bin", 4, first, 29)
    frames, quality = windows.cut(FRAMES, MET, window)
    assert frames[:, 0, 0].tolist() == numbers
    assert (quality.clip, quality.frames, quality.missing) == (window.clip, 29, missing)
    assert (quality.faceless, quality.interpolated, quality.scale) == (29, 2, 0.6)


def test_a_window_without_any_frame_is_excluded():
    window = Clip("s1/bbaf4p/1-bin", "s1/bbaf4p.mpg", "s1", "train", "bin", 4, 75, 29)
    found = windows.cut(FRAMES, MET, window)
    assert isinstance(found, Excluded) and "frames 75 to 103" in found.reason


def test_a_sentence_is_cut_once_for_all_its_words(tmp_path):
    """And where it cannot be used, each word says why."""
    calls = []

    class Whole(Cutter):
        def cut(self, clip):
            calls.append((clip.clip, clip.first, clip.frames))
            if clip.clip.endswith("lrae3s"):
                return Excluded(clip.clip, "clips", "no face in any frame")
            return FRAMES, MET

    clips = [
        Clip(f"s1/{name}/{place}-w", f"s1/{name}.mpg", "s1", "train", "bin", 4, 3 * place, 29)
        for name in ("bbaf4p", "lrae3s") for place in range(1, 7)
    ]  # fmt: skip
    out = tmp_path / "shard"
    whole = Whole(tmp_path, Region(kind="frame", landmarks=None, size=4))
    make_shard(clips, out, whole, workers=1, in_windows=True)
    assert calls == [("s1/bbaf4p", 0, 0), ("s1/lrae3s", 0, 0)]
    made = np.load(out / "frames.npy")
    assert made.shape == (6 * 29, 4, 4) and made[29, 0, 0] == 6  # the second word begins at frame 6
    excluded = (out / "excluded.csv").read_text().splitlines()[1:]
    assert excluded == [f"s1/lrae3s/{place}-w,clips,no face in any frame" for place in range(1, 7)]


def test_a_whole_is_named_without_the_last_part_of_its_windows():
    clips = [Clip(f"s1/a/{place}-w", "s1/a.mpg", "s1", "train", "bin", 4, 0, 29) for place in (1, 2)]
    [(whole, inside)] = windows.wholes(clips)
    assert (whole.clip, whole.first, whole.frames, inside) == ("s1/a", 0, 0, clips)
