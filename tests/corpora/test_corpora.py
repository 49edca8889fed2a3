"""Readers of the three corpora: real GRID clips where present, tiny corpora on disk otherwise."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from PIL import Image

from pcpg.corpora import base, folders, grid, lrw, lrw1000
from pcpg.corpora.base import Clip, Excluded
from pcpg.workspace.errors import InputError
from pcpg.workspace.rows import read_rows, write_rows

GRID = Path(__file__).parents[3] / "shared" / "grid"
needs_grid = pytest.mark.skipif(not GRID.is_dir(), reason="no real GRID clips beside the repository")
NAMES = ["bbaf4p", "lrae3s", "swiz9a", "pgby1n", "bwahzs", "srwi5a", "lgbd7n", "prax2p", "bbal7s", "sgvxyz"]


def read_grid(root, speakers=None, **changes):
    settings = dict(split="overlapped", test_speakers=[], test_sentences=2, lists=None, validation=0.25, split_seed=1)
    return grid.read(SimpleNamespace(speakers=speakers, **settings | changes), root)


def align_of(sentence):
    rows = [f"{1000 * k} {1000 * k + 1000} {word}" for k, word in enumerate(["sil", *sentence.split(), "sil"])]
    return "\n".join(rows) + "\n"


def make_grid(root, speakers=("s1", "s2"), names=NAMES[:-1]):
    for speaker in speakers:
        (root / speaker).mkdir(parents=True)
        (root / "alignments" / speaker).mkdir(parents=True)
        for name in names:
            (root / speaker / f"{name}.mpg").write_bytes(b"video")
            (root / "alignments" / speaker / f"{name}.align").write_text(align_of(grid.sentence_of(name)))
    return root


@needs_grid
def test_real_grid_is_read_whole():
    clips, excluded, _, _ = read_grid(GRID, test_sentences=50)
    assert len(clips) == 283 and excluded == []
    assert sum(clip.split == "test" for clip in clips) == 50
    assert sum(clip.split == "val" for clip in clips) == round(0.25 * 233)
    for clip in clips:
        rows = grid.read_align(GRID / "alignments" / f"{clip.clip}.align")
        assert " ".join(word for _, _, word in rows if word not in ("sil", "sp")) == clip.text


def test_sentence_of():
    assert grid.sentence_of("bbaf4p") == "bin blue at f four please"
    assert grid.sentence_of("swwzzs") == "set white with z zero soon"
    for name, what in [("bbaw4p", "character 4"), ("bbaf4", "6 characters"), ("xbaf4p", "character 1"), ("", "6 ch")]:
        with pytest.raises(InputError, match=what):
            grid.sentence_of(name)


@pytest.mark.parametrize(
    "text, problem",
    [
        ("0 100 sil\n100 x bin\n", "line 2: expected"),
        ("0 100\n", "line 1: expected"),
        (f"0 {'9' * 5000} sil\n", "line 1: expected"),  # more digits than Python reads
        ("0 100 sil\n90 200 bin\n", "line 2: 90 to 200"),
        ("100 0 sil\n", "line 1: 100 to 0"),
        ("\n", "is empty"),
    ],
)
def test_malformed_align_names_the_line(tmp_path, text, problem):
    (tmp_path / "a.align").write_text(text)
    with pytest.raises(InputError, match=f"a.align.*{problem}"):
        grid.read_align(tmp_path / "a.align")


def test_unusable_grid_clips_are_listed_with_the_reason(tmp_path):
    root = make_grid(tmp_path / "grid")
    (root / "s1/bbaf4p.mpg").write_bytes(b"")
    (root / "s1/lrae3s.mpg").unlink()
    (root / "s1/nonsense.mpg").write_bytes(b"video")
    (root / "alignments/s1/swiz9a.align").write_text(align_of("set white in z eight again"))
    (root / "alignments/s1/pgby1n.align").write_text("0 1 2 3\n")
    (root / "s1/bwahzs.mpg").unlink()
    (root / "s1/bwahzs.mpg").symlink_to("nowhere.mpg")
    (root / "alignments/s1/bbal7s.align").unlink()  # no fault: the name has the text
    clips, excluded, _, _ = read_grid(root)
    assert {row.clip: row.reason for row in excluded} == {
        "s1/bbaf4p": "s1/bbaf4p.mpg: is empty",
        "s1/lrae3s": "lrae3s: has an .align but no .mpg",
        "s1/nonsense": "nonsense: is not a GRID name: 6 characters expected",
        "s1/pgby1n": "alignments/s1/pgby1n.align, line 1: expected 'start end word' with times in "
        "whole numbers, 25,000 a second, found '0 1 2 3'",
        "s1/bwahzs": "s1/bwahzs.mpg: is a link to nothing",
        "s1/swiz9a": "alignments/s1/swiz9a.align: says 'set white in z eight again', "
        "the name says 'set white in z nine again'",
    }
    assert all(row.stage == "raw" for row in excluded)
    assert len(clips) == 2 * 9 - 5 and "s1/bbal7s" in {clip.clip for clip in clips}


def test_overlapped_split_counts_and_seeds(tmp_path):
    root = make_grid(tmp_path / "grid")
    clips, *_ = read_grid(root)
    for speaker in ("s1", "s2"):
        of_speaker = [clip.split for clip in clips if clip.speaker == speaker]
        assert sorted(of_speaker) == ["test"] * 2 + ["train"] * 5 + ["val"] * 2
    assert clips == read_grid(root)[0]
    assert clips != read_grid(root, split_seed=2)[0]
    make_grid(root, speakers=["s10"])
    assert read_grid(root)[0][: len(clips)] == clips  # by number, s10 after s2; and the others stay as they were


def test_unseen_speakers_are_only_in_test(tmp_path):
    root = make_grid(tmp_path / "grid", speakers=["s1", "s2", "s3"])
    clips, *_ = read_grid(root, split="unseen", test_speakers=["s2"])
    assert {clip.speaker for clip in clips if clip.split == "test"} == {"s2"}
    assert {clip.speaker for clip in clips if clip.split != "test"} == {"s1", "s3"}
    assert sum(clip.split == "test" for clip in clips) == 9
    with pytest.raises(InputError, match="test speaker s20 is not among s1, s2, s3"):
        read_grid(root, split="unseen", test_speakers=["s2", "s20"])
    with pytest.raises(InputError, match="9 usable clips, so 9 of them"):
        read_grid(root, test_sentences=9)


def test_chosen_speakers_keep_their_splits(tmp_path):
    root = make_grid(tmp_path / "grid", speakers=["s1", "s2", "s3"])
    everybody, chosen = read_grid(root)[0], read_grid(root, speakers=["s3", "s1"])[0]
    assert chosen == [clip for clip in everybody if clip.speaker in ("s1", "s3")]
    with pytest.raises(InputError, match="no folder for the speaker s4; there are s1, s2, s3"):
        read_grid(root, speakers=["s1", "s4"])
    with pytest.raises(InputError, match="test speaker s2 is not among s1, s3"):
        read_grid(root, speakers=["s1", "s3"], split="unseen", test_speakers=["s2"])


def test_missing_corpora_say_where_to_ask(tmp_path):
    with pytest.raises(InputError, match="no such folder.*3625687"):
        read_grid(tmp_path / "none")
    with pytest.raises(InputError, match="holds no speaker folder.*3625687"):
        read_grid(tmp_path)
    with pytest.raises(InputError, match="no folder lipread_mp4/.*BBC"):
        lrw.read(SimpleNamespace(words=None), tmp_path)
    with pytest.raises(InputError, match="missing: images, info/trn_1000.txt, info/val_1000.txt.*vipl.ict.ac.cn"):
        lrw1000.read(SimpleNamespace(protocol="cut30"), tmp_path)


def make_lrw(root, words=("ABOUT", "ZERO", "BLACK")):
    for word in words:
        for split in ("train", "val", "test"):
            folder = root / "lipread_mp4" / word / split
            folder.mkdir(parents=True)
            (folder / f"{word}_00001.mp4").write_bytes(b"video")
            text = f"Disk reference: 1\nChannel: 2\nProgram start: 3\nClip start: 4\nDuration: 0.53 seconds\n\n{word}\n"
            (folder / f"{word}_00001.txt").write_text(text)
    return root


def test_lrw_labels_are_fixed_over_splits_and_choices(tmp_path):
    root = make_lrw(tmp_path)
    clips, excluded, _, _ = lrw.read(SimpleNamespace(words=None), root)
    assert excluded == [] and len(clips) == 9
    assert {(clip.text, clip.label) for clip in clips} == {("about", 0), ("black", 1), ("zero", 2)}
    chosen, *_ = lrw.read(SimpleNamespace(words=["zero"]), root)
    assert chosen == [clip for clip in clips if clip.text == "zero"]
    video = "lipread_mp4/ZERO/val/ZERO_00001.mp4"
    assert chosen[1] == Clip("ZERO/val/ZERO_00001", video, "", "val", "zero", 2, 0, 0)
    assert (root / video).is_file()
    with pytest.raises(InputError, match="no folder for the word ZEBRA"):
        lrw.read(SimpleNamespace(words=["zero", "zebra"]), root)


def test_lrw_faults_are_listed(tmp_path):
    root = make_lrw(tmp_path)
    folder = root / "lipread_mp4/ABOUT/train"
    (folder / "ABOUT_00002.mp4").write_bytes(b"")
    (folder / "ABOUT_00004.mp4").symlink_to("nowhere.mp4")  # as git-annex leaves what it has not fetched
    (folder / "ABOUT_00003.mp4").write_bytes(b"video")  # without .txt: kept
    (folder / "ABOUT_00001.txt").write_text("one\ntwo\n")
    (folder / "ABOUT_00009.txt").write_text("one\ntwo\n")
    clips, excluded, _, _ = lrw.read(SimpleNamespace(words=["about"]), root)
    assert clips[0].clip == "ABOUT/train/ABOUT_00003"
    assert len(clips) == 3
    assert [(row.clip[-1], row.reason) for row in excluded] == [
        ("1", "ABOUT_00001.txt, line 5: expected 'Duration: <seconds> seconds', found nothing"),
        ("2", "ABOUT_00002.mp4: is empty"),
        ("4", "ABOUT_00004.mp4: is a link to nothing"),
        ("9", "has a .txt but no video"),
    ]


@pytest.mark.parametrize("line", ["Duration: long seconds", "Duration: -1 seconds", "Duration: nan seconds", "0.5", ""])
def test_lrw_duration(tmp_path, line):
    path = tmp_path / "a.txt"
    path.write_text("\n\n\n\nDuration: 0.53 seconds\n")
    assert lrw.read_duration(path) == 0.53
    path.write_text(f"\n\n\n\n{line}\n")
    with pytest.raises(InputError, match="a.txt, line 5"):
        lrw.read_duration(path)


def make_lrw1000(root, frames=60):
    folder = root / "images" / "abc"
    folder.mkdir(parents=True)
    for number in range(1, frames + 1):
        Image.new("L", (8, 8), number).save(folder / f"{number}.jpg")
    (root / "info").mkdir()
    (root / "info/trn_1000.txt").write_text("abc,世界,shi jie,0.4,0.8\nabc,中国,Zhong guo,0.8,2.4\nbad row\n")
    (root / "info/val_1000.txt").write_text("abc,爱,ai,1.2,1.6\nnone,爱,ai,1.2,1.6\n")
    (root / "info/tst_1000.txt").write_text("abc,世界,shi jie,2.2,2.6\nabc,爱,ai,3,3.4\nabc,爱,ai,1,0.5\n")
    return root


def test_lrw1000_cut30(tmp_path):
    clips, excluded, _, _ = lrw1000.read(SimpleNamespace(protocol="cut30"), make_lrw1000(tmp_path))
    assert [(clip.clip, clip.text, clip.label, clip.first, clip.frames) for clip in clips] == [
        ("train/000001-abc", "shi jie", 1, 10, 10),  # frames int(25 t), that of the end not: jpgs 11 .. 20
        ("val/000001-abc", "ai", 0, 30, 10),
        ("test/000001-abc", "shi jie", 1, 55, 10),  # frames 60 .. 64 are missing; the clips stage counts them
    ]
    assert {row.clip: row.reason.split(";")[0].split(",")[0] for row in excluded} == {
        "train/000003": "trn_1000.txt",
        "test/000003": "tst_1000.txt",
        "train/000002-abc": "lasts 40 frames",
        "val/000002-none": "its folder has no numbered jpg",
        "test/000002-abc": "none of its frames exists",
    }


def test_lrw1000_centred40(tmp_path):
    clips, excluded, _, _ = lrw1000.read(SimpleNamespace(protocol="centred40"), make_lrw1000(tmp_path))
    ranges = [(clip.clip, clip.first, clip.frames) for clip in clips]
    assert (
        ranges
        == [
            ("train/000001-abc", 0, 35),  # middle 15: frames -5 .. 34, of which 0 .. 34 exist
            ("train/000002-abc", 20, 40),
            ("val/000001-abc", 15, 40),
            ("test/000001-abc", 40, 20),
            ("test/000002-abc", 60, 0),
        ][:4]
    )
    assert "test/000002-abc" in {row.clip for row in excluded}


def cut_in_the_first_authors_code(start, end):
    """Numbers of the jpgs, from 1: data.py of luomingshuang/S2S-ATTENTION-LRW1000-LMS."""
    first, stop = int(start * 25) + 1, int(end * 25) + 1
    return list(range(first, stop)) if stop - first <= 30 else None


def cut_in_the_public_code(start, end):
    """The same of scripts/prepare_lrw1000.py of VIPL's learn-an-effective-lip-reading-model-without-pains."""
    op, ed = int(start * 25) + 1, int(end * 25) + 1
    if ed - op > 40:
        return None
    first = int((op + ed) / 2 - 40 // 2)
    return [number for number in range(first, first + 40) if 1 <= number <= 60]


@pytest.mark.parametrize(
    ("protocol", "reference"), [("cut30", cut_in_the_first_authors_code), ("centred40", cut_in_the_public_code)]
)
def test_lrw1000_is_cut_as_in_the_public_code(protocol, reference):
    existing = frozenset(range(60))
    times = [hundredths / 100 for hundredths in range(0, 236, 3)]
    for start, end in ((start, end) for start in times for end in times if end >= start + 0.04):
        try:
            first, frames = lrw1000.frame_range(start, end, existing, protocol)
        except ValueError:
            assert reference(start, end) is None
            continue
        assert list(range(first + 1, first + frames + 1)) == reference(start, end), (start, end)


def test_a_word_within_one_frame_is_that_frame():
    assert lrw1000.frame_range(0.81, 0.83, frozenset(range(60)), "cut30") == (20, 1)


def test_a_speaker_without_a_clip_is_told(tmp_path):
    make_grid(tmp_path, speakers=("s1", "s2", "s3"))
    shutil.rmtree(tmp_path / "s2")
    shutil.rmtree(tmp_path / "alignments" / "s2")
    (tmp_path / "s2").mkdir()
    reading = read_grid(tmp_path, split="unseen", test_speakers=["s1", "s2"], test_sentences=0)
    count = len(NAMES) - 1
    assert [
        remark.detail
        for remark in grid.lacking(SimpleNamespace(speakers=["s1", "s2", "s3"]), tmp_path, reading)
        if remark.count
    ] == [f"s1 has {count}, s2 has 0, s3 has {count}"]


def test_links_are_followed_once_and_a_closed_folder_is_named(tmp_path, monkeypatch):
    (tmp_path / "there/in").mkdir(parents=True)
    (tmp_path / "there/in/a.mpg").touch()
    (tmp_path / "s1").symlink_to(tmp_path / "there")
    (tmp_path / "there/in/back").symlink_to(tmp_path / "there")
    assert [path.relative_to(tmp_path).as_posix() for path in folders.files_below(tmp_path / "s1")] == ["s1/in/a.mpg"]
    monkeypatch.setattr(os, "scandir", Mock(side_effect=PermissionError(13, "Permission denied", "s1/in")))
    with pytest.raises(InputError, match=r"^s1/in: Permission denied$"):
        list(folders.files_below(tmp_path / "s1"))


def test_a_carriage_return_in_a_name_keeps_the_table_whole(tmp_path):
    rows = [base.Excluded("s2/bb\rad1s", "raw", "'bb\rad1s' is no sentence\r"), base.Excluded("b", "raw", "two\nlines")]
    write_rows(tmp_path / "a.csv", base.Excluded, rows)
    first, second = read_rows(tmp_path / "a.csv", base.Excluded)
    assert first.clip == "s2/bb\\rad1s" and second == rows[1]


def test_rows_survive_csv(tmp_path):
    clips = [Clip("s1/a", "s1/a.mpg", "s1", "val", 'with, a comma and "quotes"', 3, 1, 2)]
    write_rows(tmp_path / "a.csv", Clip, clips)
    assert read_rows(tmp_path / "a.csv", Clip) == clips
    with pytest.raises(InputError, match="line 1: expected the columns clip, stage, reason"):
        read_rows(tmp_path / "a.csv", Excluded)
    write_rows(tmp_path / "b.csv", Excluded, [Excluded("a", "raw", "why"), Excluded("b", "raw", "why")])
    (tmp_path / "b.csv").write_text((tmp_path / "b.csv").read_text().replace("b,raw,why", "b,raw"))
    with pytest.raises(InputError, match=r"b\.csv, line 3: has 2 cells, line 1 has 3"):
        read_rows(tmp_path / "b.csv", Excluded)
