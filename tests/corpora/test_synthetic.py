"""Generated corpora: exact formats, and the same bytes whatever the number of workers."""

import hashlib
import re
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from pcpg.corpora import lrw1000
from pcpg.corpora.grid_text import GRAMMAR, sentence_of
from pcpg.corpora.synthetic import lrw1000 as synthetic_lrw1000
from pcpg.corpora.synthetic.english import NEWS_WORDS
from pcpg.corpora.synthetic.grid import align, generate_grid
from pcpg.corpora.synthetic.lrw import Take, film_clip, generate_lrw
from pcpg.corpora.synthetic.lrw1000 import generate_lrw1000
from pcpg.corpora.synthetic.mandarin import WORDS, word_visemes

GRID = {"speakers": 2, "sentences": 2}
LRW = {"words": 2, "train": 2, "val": 1, "test": 1}


def hashes(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def decode(path: Path) -> tuple[np.ndarray, float, str]:
    """Return the frames (frames, rows, columns, 3), the frame rate and the codec of a video."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(stream)])
        return frames, float(stream.average_rate), stream.codec_context.name


@pytest.fixture(scope="module")
def corpora(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("corpora")
    generate_grid(root / "grid", seed=5, **GRID, workers=1)
    generate_lrw(root / "lrw", seed=5, **LRW, workers=1)
    generate_lrw1000(root / "lrw1000", seed=5, **LRW, workers=1)
    return root


@pytest.mark.parametrize(
    ("generate", "name", "size"),
    [(generate_grid, "grid", GRID), (generate_lrw, "lrw", LRW), (generate_lrw1000, "lrw1000", LRW)],
)
def test_bytes_depend_on_the_seed_alone(corpora, tmp_path, generate, name, size):
    expected = hashes(corpora / name)
    generate(tmp_path / "two", seed=5, **size, workers=2)
    assert hashes(tmp_path / "two") == expected
    generate(tmp_path / "other", seed=6, **dict.fromkeys(size, 1), workers=1)
    assert not set(hashes(tmp_path / "other").values()) & set(expected.values())


def test_more_speakers_leave_the_first_ones_alone(corpora, tmp_path):
    generate_grid(tmp_path, seed=5, speakers=1, sentences=2, workers=1)
    assert hashes(tmp_path).items() <= hashes(corpora / "grid").items()


def test_grid_videos(corpora):
    videos = sorted((corpora / "grid").glob("s*/*.mpg"))
    assert [path.parent.name for path in videos] == ["s1", "s1", "s2", "s2"]
    for path in videos:
        frames, rate, codec = decode(path)
        assert frames.shape == (75, 288, 360, 3)
        assert (rate, codec) == (25, "mpeg1video")
        assert path.read_bytes()[:4] == b"\x00\x00\x01\xba"  # pack header of a system stream
        moved = np.abs(np.diff(frames[..., 1].astype(int), axis=0)).mean(axis=(1, 2))
        assert (moved > 0.3).all()  # sensor noise at least


def test_grid_alignments_spell_the_file_names(corpora):
    paths = sorted((corpora / "grid" / "alignments").glob("s*/*.align"))
    assert len(paths) == 4
    for path in paths:
        rows = [line.split() for line in path.read_text().splitlines()]
        starts, ends = [int(row[0]) for row in rows], [int(row[1]) for row in rows]
        assert starts == [0, *ends[:-1]]
        assert ends[-1] == 74_500
        assert all(start < end for start, end in zip(starts, ends, strict=True))
        assert rows[0][2] == rows[-1][2] == "sil"
        words = [row[2] for row in rows[1:-1] if row[2] != "sp"]
        assert words == [place[letter] for place, letter in zip(GRAMMAR, path.stem, strict=True)]


def test_a_name_spells_its_sentence():
    assert sentence_of("bbaf4p") == "bin blue at f four please"
    assert sentence_of("lgby1n") == "lay green by y one now"
    assert sentence_of("swiz2a") == "set white in z two again"
    assert sentence_of("prwqzs") == "place red with q zero soon"
    assert [len(place) for place in GRAMMAR] == [4, 4, 4, 25, 10, 4]


def test_align_marks_pauses():
    spans = np.array([[0.5, 0.7], [0.7, 0.9], [1.0, 1.204]])
    lines = ["0 12500 sil", "12500 17500 bin", "17500 22500 red", "22500 25000 sp", "25000 30000 at", "30000 74500 sil"]
    assert align(["bin", "red", "at"], spans).splitlines() == lines


def test_grid_landmarks(corpora):
    for path in (corpora / "grid" / "landmarks").glob("s*/*.npy"):
        points = np.load(path)
        assert points.dtype == np.float32
        assert points.shape == (75, 7, 2)
        right_eye, left_eye, nose, right, left, upper, lower = points.transpose(1, 0, 2)
        assert (right_eye[:, 0] < right[:, 0]).all()
        assert (left_eye[:, 0] > left[:, 0]).all()
        assert ((right_eye[:, 1] < nose[:, 1]) & (nose[:, 1] < upper[:, 1])).all()
        gap = np.linalg.norm(lower - upper, axis=1)
        assert gap[0] < 0.5  # closed before the sentence
        assert gap.max() > 5
        assert ((points > 0) & (points < [360, 288])).all()


def test_lrw(corpora):
    videos = sorted((corpora / "lrw" / "lipread_mp4").rglob("*.mp4"))
    names = {str(path.relative_to(corpora / "lrw" / "lipread_mp4")) for path in videos}
    assert "ABOUT/train/ABOUT_00002.mp4" in names
    assert "MILLION/test/MILLION_00001.mp4" in names
    assert len(names) == 8
    for path in videos:
        frames, rate, codec = decode(path)
        assert frames.shape == (29, 256, 256, 3)
        assert (rate, codec) == (25, "h264")
        lines = path.with_suffix(".txt").read_text().splitlines()
        assert re.fullmatch(r"Duration: \d\.\d\d seconds", lines[4])
        assert 0.15 < float(lines[4].split()[1]) < 1.1


@pytest.mark.parametrize("speaker", range(5))
def test_the_mouth_lies_in_the_box_of_lrw(speaker):
    film, _ = film_clip(5, Take("train", speaker, "BEFORE", 1))
    mouth = film.landmarks[:, 3:]
    assert ((mouth > [79 + 8, 115 + 20]) & (mouth < [175 - 8, 211 - 20])).all()
    assert np.abs(mouth[:, :2].mean(axis=(0, 1)) - [127, 163]).max() < 8


def test_lrw1000(corpora):
    root = corpora / "lrw1000"
    pinyin = {hanzi: syllables.replace(" ", "") for hanzi, syllables in WORDS}
    everything = [line.split(",") for line in (root / "info/all_audio_video.txt").read_text().splitlines()]
    by_video = {row[0]: row for row in everything}
    seen = []
    for split, count in (("trn", 4), ("val", 2), ("tst", 2)):
        rows = [line.split(",") for line in (root / f"info/{split}_1000.txt").read_text("utf-8").splitlines()]
        assert len(rows) == count
        for clip, hanzi, spelling, start, end in rows:
            assert spelling == pinyin[hanzi]
            assert by_video[clip][2:] == ["_", spelling, start, end]
            assert re.fullmatch("[0-9a-f]{32}", clip)
            seen.append(clip)
            numbers = sorted(int(path.stem) for path in (root / "images" / clip).glob("*.jpg"))
            assert numbers == list(range(1, len(numbers) + 1))
            first, last = int(float(start) * 25) + 1, int(float(end) * 25) + 1
            assert 1 < first < last < len(numbers)
            assert 4 <= last - first <= 30
    assert sorted(seen) == sorted(by_video) == sorted(path.name for path in (root / "images").iterdir())
    with Image.open(root / "images" / seen[0] / "1.jpg") as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (112, 112))


def test_the_frames_that_are_cut_show_the_word(tmp_path, monkeypatch):
    """Those whose middle lies within the word as it was drawn, of a picture each 1/25 s."""
    shown, draw = [], synthetic_lrw1000.trajectory

    def drawn(speech, rest, times, manner):
        start, end = rest + speech.spans[1]
        shown.append(np.flatnonzero((start <= times) & (times < end)).tolist())
        return draw(speech, rest, times, manner)

    monkeypatch.setattr(synthetic_lrw1000, "trajectory", drawn)
    generate_lrw1000(tmp_path, seed=7, words=8, train=2, val=1, test=1, workers=1)
    clips = lrw1000.read(SimpleNamespace(protocol="cut30"), tmp_path).clips
    assert len(clips) == 32
    assert sorted(list(range(clip.first, clip.first + clip.frames)) for clip in clips) == sorted(shown)


def test_vocabularies_are_large_enough():
    """For the most words that settings allow."""
    assert len(set(NEWS_WORDS)) == len(NEWS_WORDS) == 40
    spellings = [syllables.replace(" ", "") for _, syllables in WORDS]
    assert len(set(spellings)) == len(spellings) == 40
    assert all(spelling.isascii() and spelling.islower() for spelling in spellings)
    assert all(word_visemes(syllables) for _, syllables in WORDS)
