"""What a copy of a corpus lacks or mixes up is told and counted; the files of the tests are built with known faults."""

import csv
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from pcpg.corpora import grid, grid_align, lrw, lrw1000, raw
from pcpg.corpora.about import FRAMES, protocol
from pcpg.corpora.base import Clip, Excluded, Remark, Word
from pcpg.corpora.grid_splits import SPEAKERS, Lists, read_list
from pcpg.corpora.grid_text import GRAMMAR, sentence_of
from pcpg.mouths import inventory
from pcpg.mouths.join import join_shards
from pcpg.mouths.shard import Cutter, make_shard
from pcpg.mouths.store import Region, shard_folder
from pcpg.settings.corpus import GridLists, GridRaw, Lrw1000Raw, LrwRaw
from pcpg.workspace.errors import InputError
from pcpg.workspace.rows import read_rows

SHARED = Path(__file__).parents[3] / "shared" / "grid"
needs_grid = pytest.mark.skipif(not SHARED.is_dir(), reason="no real GRID clips beside the repository")
LOCAL = GridRaw(
    source="local",
    root=".",
    synthetic=None,
    speakers=None,
    split="overlapped",
    test_speakers=[],
    test_sentences=2,
    lists=None,
    validation=0.25,
    split_seed=1,
)


def names_of(speaker: int, count: int = 12) -> list[str]:
    """Clip names that no other speaker below 20 has."""
    letters = [list(words) for words in GRAMMAR]
    return [
        "b" + "bgrw"[k % 4] + "a" + letters[3][speaker] + letters[4][k % 10] + "anps"[k // 10] for k in range(count)
    ]


def align_of(name: str) -> str:
    return "".join(f"{1000 * k} {1000 * k + 900} {word}\n" for k, word in enumerate(sentence_of(name).split()))


def make_grid(root: Path, folders: dict[str, int]) -> Path:
    """Speakers s1, s2, ... each with the .align files in the folder that `folders` says: folder -> speaker."""
    for speaker in folders.values():
        (root / f"s{speaker}").mkdir(parents=True)
        for name in names_of(speaker):
            (root / f"s{speaker}" / f"{name}.mpg").write_bytes(b"video")
    for folder, speaker in folders.items():
        (root / "alignments" / folder).mkdir(parents=True)
        for name in names_of(speaker):
            (root / "alignments" / folder / f"{name}.align").write_text(align_of(name))
    return root


def remarks_of(reading) -> dict[str, tuple[int, str]]:
    return {remark.what: (remark.count, remark.detail) for remark in reading.remarks if remark.count}


def taken_stock(corpus: str, settings, folder: Path) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Counts and notes of the inventory, once the stage raw has written folder/data."""
    clips, root, out = read_rows(folder / "data/manifest.csv", Clip), Path(settings.root), folder / "clips"
    region = Region(kind="frame", landmarks=None, size=16)
    make_shard(clips, shard_folder(out, "0"), Cutter(root, region), workers=1)
    store = join_shards(clips, out, 1, region)
    inventory.write_inventory(folder / "data", store, folder / "out", FRAMES.get(corpus))
    tables = [csv.DictReader((folder / f"out/{name}.csv").read_text().splitlines()) for name in ("summary", "notes")]
    return {row["what"]: row["count"] for row in tables[0]}, list(tables[1])


# GRID's timing


def test_local_alignments_are_matched_by_what_they_cover(tmp_path):
    root = make_grid(tmp_path, {"s1": 2, "s2": 1, "s3": 3, "more/5": 4})
    shutil.rmtree(root / "alignments" / "s3")
    for name in names_of(4)[4:]:
        (root / "alignments/more/5" / f"{name}.align").unlink()  # an incomplete folder still tells whose it is
    reading = grid.read(LOCAL, root)
    assert reading.excluded == [] and len(reading.clips) == 48
    assert remarks_of(reading) == {
        "speakers whose .align files lie under another name, by the clips that they cover": (
            3,
            "those of s1 in alignments/s2, those of s2 in alignments/s1, those of s4 in alignments/more/5",
        ),
        "speakers without .align files, whose words have no timing": (1, "s3"),
    }
    first = f"s1/{names_of(1)[0]}"
    timing = [(word.word, word.start, word.end) for word in reading.words if word.clip == first]
    assert timing[:2] == [("bin", 0.0, 0.036), ("blue", 0.04, 0.076)] and len(timing) == 6
    assert {word.clip.split("/")[0] for word in reading.words} == {"s1", "s2", "s4"}


@pytest.mark.parametrize("place", ["alignments/s1", "align/s1", "s1/align", "s1"])
@pytest.mark.parametrize("inner", ["", "s1", "video/mpg_6000"])
def test_videos_and_aligns_are_found_where_archives_put_them(tmp_path, place, inner):
    root = make_grid(tmp_path, {"s1": 1})
    expected = grid.read(LOCAL, root)
    for old, new in (("alignments/s1/*", place), ("s1/*.mpg", f"s1/{inner}")):
        files = sorted(root.glob(old))
        (root / new).mkdir(parents=True, exist_ok=True)
        for path in files:
            path.rename(root / new / path.name)
    reading = grid.read(LOCAL, root)
    assert [clip.video for clip in reading.clips] == [f"s1/{inner}/{name}.mpg".replace("//", "/")
                                                      for name in sorted(names_of(1))]  # fmt: skip
    assert [(clip.clip, clip.split) for clip in reading.clips] == [(clip.clip, clip.split) for clip in expected.clips]
    assert (reading.words, reading.excluded, remarks_of(reading)) == (expected.words, [], {})


def test_of_two_videos_of_a_name_the_shallowest_is_read_and_the_other_told(tmp_path):
    root, name = make_grid(tmp_path, {"s1": 1}), names_of(1)[0]
    (root / "s1/a").mkdir()
    (root / "s1/a" / f"{name}.mpg").write_bytes(b"other")
    reading = grid.read(LOCAL, root)
    assert f"s1/{name}.mpg" in {clip.video for clip in reading.clips}
    assert reading.excluded == [Excluded(f"s1/a/{name}.mpg", "raw", f"is not read, but s1/{name}.mpg")]


def test_aligns_of_several_speakers_in_one_folder_are_nobodys(tmp_path):
    root = make_grid(tmp_path, {"s1": 1, "s2": 2, "s3": 3})
    for path in sorted(root.glob("alignments/s[12]/*")):
        path.rename(root / "alignments" / path.name)
    reading = grid.read(LOCAL, root)
    assert len(reading.clips) == 36 and reading.excluded == []
    assert {word.clip.split("/")[0] for word in reading.words} == {"s3"}
    [(what, told)] = remarks_of(reading).items()
    assert "mixed in one folder" in what and told == (2, "s1 in alignments, s2 in alignments")


def test_a_folder_of_more_aligns_than_a_speaker_has_is_nobodys(tmp_path, monkeypatch):
    """Where one of the speakers alone is on disk, or read."""
    root = make_grid(tmp_path, {"s1": 1, "s2": 2})
    for path in sorted(root.glob("alignments/*/*")):
        path.rename(root / "alignments" / path.name)
    monkeypatch.setattr(grid_align, "SENTENCES", 20)
    reading = grid.read(LOCAL.model_copy(update={"speakers": ["s1"]}), root)
    assert len(reading.clips) == 12 and reading.words == reading.excluded == []
    assert [told for what, told in remarks_of(reading).items() if "mixed" in what] == [(1, "s1 in alignments")]


def test_videos_that_only_an_align_names_are_listed(tmp_path):
    root = make_grid(tmp_path, {"s2": 1, "s1": 2})
    lost = names_of(1)[3]
    (root / "s1" / f"{lost}.mpg").unlink()
    reading = grid.read(LOCAL, root)
    assert reading.excluded == [Excluded(f"s1/{lost}", "raw", f"{lost}: has an .align but no .mpg")]
    for path in (root / "s1").iterdir():
        path.unlink()
    reading = grid.read(LOCAL.model_copy(update={"speakers": ["s2"]}), root)
    assert not any(row.clip.startswith("s1/") for row in reading.excluded)


# GRID's splits


def by_lists(folder: Path, train: list[str], test: list[str], **changes) -> GridRaw:
    (folder / "train.txt").write_text("".join(f"{line}\n" for line in train))
    (folder / "test.txt").write_text("".join(f"{line}\n" for line in test))
    lists = GridLists(train=str(folder / "train.txt"), test=str(folder / "test.txt"))
    return LOCAL.model_copy(update={"split": "lists", "lists": lists, **changes})


def test_lists_say_who_is_where(tmp_path):
    root = make_grid(tmp_path / "grid", {"s1": 1, "s2": 2})
    one, two = names_of(1), names_of(2)
    train = [f"s1/video/mpg_6000/{name}" for name in one[:8]] + ["s3/video/mpg_6000/bbaf2n"]
    test = [f"s2/{name}.mpg" for name in two[:5]] + ["", "s1/video/mpg_6000/swwzzs"]
    reading = grid.read(by_lists(tmp_path, train, test), root)
    splits = {clip.clip: clip.split for clip in reading.clips}
    assert {splits[f"s2/{name}"] for name in two[:5]} == {"test"} and len(splits) == 13
    assert sorted(splits[f"s1/{name}"] for name in one[:8]) == ["train"] * 6 + ["val"] * 2
    reasons = {row.clip: row.reason for row in reading.excluded}
    assert len(reasons) == 4 + 7 + 1
    assert reasons[f"s1/{one[9]}"] == "is in neither train.txt nor test.txt"
    assert reasons["s1/swwzzs"] == "is not on disk, but in test.txt, line 7"
    unlisted = [f"s1/{name}" for name in sorted(one[8:])] + [f"s2/{name}" for name in sorted(two[5:])]
    assert remarks_of(reading) == {
        "clips on disk that no list names": (11, f"{', '.join(unlisted[:5])} and 6 more"),
        "clips that a list names and the disk has not": (1, "s1/swwzzs"),
        "clips that the lists name of speakers who are not read": (1, "s3"),
    }  # fmt: skip
    assert {word.clip for word in reading.words} == set(splits)


def test_a_listed_clip_that_is_damaged_keeps_its_own_reason(tmp_path):
    root = make_grid(tmp_path / "grid", {"s1": 1})
    lines = [f"s1/{name}" for name in names_of(1)]
    (root / "s1" / f"{names_of(1)[0]}.mpg").write_bytes(b"")
    reading = grid.read(by_lists(tmp_path, lines[:9], lines[9:], speakers=["s1"]), root)
    assert [(row.clip, row.reason.split(": ")[1]) for row in reading.excluded] == [(lines[0], "is empty")]
    assert remarks_of(reading) == {}


@pytest.mark.parametrize(
    "train, test, problem",
    [
        (["s1/bbaf2n"], ["s1/bbaf3n", "s1/v/bbaf2n"], r"test.txt, line 2: s1/bbaf2n is in .*train.txt, line 1"),
        (["s1/bbaf2n", "s1/bbaf2n"], [], r"train.txt, line 2: s1/bbaf2n is in line 1 already"),
        (["s35/bbaf2n"], [], r"train.txt, line 1: expected a clip of s1 to s34"),
        (["x1/bbaf2n"], [], r"train.txt, line 1: expected"),
        (["s1 bbaf2n"], [], r"train.txt, line 1: expected"),
        (["s1/bbaf2n", "", "s1/bbaf2w"], [], r"train.txt, line 3: bbaf2w: is not a GRID name: character 6"),
        ([], [], r"train.txt: names no clip"),
    ],
)  # fmt: skip
def test_a_fault_of_a_list_is_named(tmp_path, train, test, problem):
    with pytest.raises(InputError, match=problem):
        grid.plan_of(by_lists(tmp_path, train, test))


def test_lists_that_do_not_fit_the_speakers(tmp_path):
    root = make_grid(tmp_path / "grid", {"s1": 1, "s2": 2})
    with pytest.raises(InputError, match=r"train.txt: names, like .*test.txt, no clip of s2"):
        grid.read(by_lists(tmp_path, ["s1/bbaf2n"], ["s1/bbaf3n"], speakers=["s2"]), root)
    with pytest.raises(InputError, match="none.txt: No such file"):
        read_list(tmp_path / "none.txt")


@needs_grid
@pytest.mark.parametrize("kind, lines, test", [("overlap", 24408 + 8415, 255), ("unseen", 28837 + 3986, 989)])
def test_the_public_lists(kind, lines, test):
    files = {split: SHARED / "splits" / f"{kind}_{name}.txt" for split, name in (("train", "train"), ("test", "val"))}
    lists = Lists(SimpleNamespace(lists=SimpleNamespace(**files)))
    assert sum(len(clips) for named in lists.named.values() for clips in named.values()) == lines
    assert len(lists.named["test"]["s1"]) == test
    speakers = {speaker for named in lists.named.values() for speaker in named}
    assert speakers == {f"s{n}" for n in range(1, SPEAKERS + 1) if n != 21}


# The stage


def test_the_stage_tells_what_a_local_copy_lacks(tmp_path, capsys):
    root = make_grid(tmp_path / "grid", {"s1": 2, "s2": 1})
    raw.prepare_corpus("grid", LOCAL.model_copy(update={"root": str(root)}), tmp_path / "data", workers=1)
    told = [
        line for line in capsys.readouterr().err.splitlines() if line.startswith("grid: ") and "speaker/s" not in line
    ]
    assert told[0] == "grid: 24 clips (16 train, 4 val, 4 test); 0 excluded"
    assert told[1].startswith("grid: 2 speakers whose .align files lie under another name")
    assert (
        told[2] == "grid: 2 speakers with other than 1,000 sentences, the excluded ones counted: s1 has 12, s2 has 12"
    )
    assert told[3].startswith("grid: 31 speakers of GRID are not on disk: s3, s4") and "s21" not in told[3]
    assert told[4].startswith("grid: to complete it: ") and "3625687" in told[4]
    assert len(read_rows(tmp_path / "data/remarks.csv", raw.Remark)) == 3
    assert len(read_rows(tmp_path / "data/words.csv", Word)) == 24 * 6


def test_what_a_copy_has_more_than_was_published_is_not_called_missing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(grid, "lacking", lambda *_: [Remark("clips are missing", -3, ""), Remark("are", 0, "")])
    settings = LOCAL.model_copy(update={"root": str(make_grid(tmp_path / "grid", {"s1": 1, "s2": 2}))})
    raw.prepare_corpus("grid", settings, tmp_path / "data", workers=1)
    assert read_rows(tmp_path / "data/remarks.csv", Remark) == []
    assert "missing" not in capsys.readouterr().err


def test_lists_by_the_parameters_and_in_the_protocol(tmp_path):
    root = make_grid(tmp_path / "grid", {"s1": 1})
    lines = [f"s1/{name}" for name in names_of(1)]
    settings = by_lists(tmp_path, lines[:9], lines[9:], root=str(root))
    raw.prepare_corpus("grid", settings, tmp_path / "data", workers=1)
    tested = {clip.clip for clip in read_rows(tmp_path / "data/manifest.csv", Clip) if clip.split == "test"}
    assert tested == set(lines[9:])
    assert protocol(settings) == "lists train.txt and test.txt"


def test_protocols_by_name():
    assert protocol(LOCAL) == "overlapped"
    assert protocol(LrwRaw(source="local", root="x", synthetic=None, words=None)) == "official"
    assert protocol(Lrw1000Raw(source="local", root="x", synthetic=None, protocol="centred40")) == "centred40"
    assert (
        protocol(Lrw1000Raw.model_construct(source="synthetic", root=None, synthetic=None, protocol="cut30"))
        == "cut30, generated corpus"
    )


@needs_grid
def test_real_clips_that_are_short_damaged_or_missing_are_counted_and_listed(tmp_path):
    """Clips of s1: whole, of 74 frames, cut short, no video at all, empty, and one that only its .align knows."""
    whole, short, cut, noise, empty, lost = "bbaf4p", "lrae3s", "bbal7s", "bbal8p", "bbas2p", "bbaszn"
    (tmp_path / "grid/s1").mkdir(parents=True)
    for name in (whole, short, cut, noise, empty, lost):
        shutil.copy(SHARED / "s1" / f"{name}.mpg", tmp_path / "grid/s1")
    videos = tmp_path / "grid/s1"
    (videos / f"{cut}.mpg").write_bytes((videos / f"{cut}.mpg").read_bytes()[:150_000])
    (videos / f"{noise}.mpg").write_bytes(b"no video" * 1000)
    (videos / f"{empty}.mpg").write_bytes(b"")
    (videos / f"{lost}.mpg").unlink()
    (tmp_path / "grid/alignments/s1").mkdir(parents=True)
    for name in (whole, short, cut, noise, empty, lost):
        shutil.copy(SHARED / "alignments/s1" / f"{name}.align", tmp_path / "grid/alignments/s1")
    settings = LOCAL.model_copy(update={"root": str(tmp_path / "grid"), "test_sentences": 1})
    raw.prepare_corpus("grid", settings, tmp_path / "data", workers=1)
    counts, notes = taken_stock("grid", settings, tmp_path)
    notes = {row["clip"][3:]: (row["status"], row["reason"]) for row in notes if row["clip"]}
    assert notes[short] == ("odd", "74 frames, not 75") and "74,1" in (tmp_path / "out/lengths.csv").read_text()
    assert notes[noise][0] == "excluded" and "not a readable video" in notes[noise][1]
    assert notes[empty] == ("excluded", f"s1/{empty}.mpg: is empty")
    assert notes[lost] == ("excluded", f"{lost}: has an .align but no .mpg")
    assert notes[cut][0] == "odd" and whole not in notes
    assert counts["clips found"] == "6" and counts["clips excluded"] == "3"


# LRW and LRW-1000


def make_lrw(root: Path, counts: dict[str, tuple[int, int, int]]) -> Path:
    for word, numbers in counts.items():
        for split, number in zip(("train", "val", "test"), numbers, strict=True):
            folder = root / "lipread_mp4" / word / split
            folder.mkdir(parents=True)
            for k in range(1, number + 1):
                (folder / f"{word}_{k:05d}.mp4").write_bytes(b"video")
                (folder / f"{word}_{k:05d}.txt").write_text("1\n2\n3\n4\nDuration: 0.40 seconds\n")
    return root


def test_an_incomplete_lrw_is_counted(tmp_path, capsys):
    root = make_lrw(tmp_path / "lrw", {"ABOUT": (3, 50, 50), "ZERO": (2, 49, 50), "BLACK": (0, 50, 1)})
    (root / "lipread_mp4/ABOUT/test/ABOUT_00001.txt").unlink()
    (root / "lipread_mp4/ABOUT/test/ABOUT_00002.txt").write_text("1\n2\n3\n4\nDuration: 1.20 seconds\n")
    raw.prepare_corpus(
        "lrw", LrwRaw(source="local", root=str(root), synthetic=None, words=None), tmp_path / "data", workers=1
    )
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lrw: ") and "word/s" not in line]
    assert told == [
        "lrw: 255 clips (5 train, 149 val, 101 test); 0 excluded",
        "lrw: 1 clips without .txt, whose word has no timing",
        "lrw: 1 clips shorter than their word, by the .txt: ABOUT/test/ABOUT_00002",
        "lrw: 497 of LRW's 500 word folders are missing, and classes are numbered without them",
        "lrw: 488,761 of LRW's 488,766 clips for train are missing",
        "lrw: 24,851 of LRW's 25,000 clips for val are missing",
        "lrw: 24,899 of LRW's 25,000 clips for test are missing",
        "lrw: 1 words without any clip for train: BLACK",
        "lrw: 1 words with other than 50 clips for val: ZERO has 49",
        "lrw: 1 words with other than 50 clips for test: BLACK has 1",
        f"lrw: to complete it: {lrw.WHERE}",
    ]
    words = read_rows(tmp_path / "data/words.csv", Word)
    assert len(words) == 254 and words[0] == Word("ABOUT/train/ABOUT_00001", "about", 0.38, 0.78)
    of_one = LrwRaw(source="local", root=str(root), synthetic=None, words=["about"])
    assert not any(remark.count > 0 for remark in lrw.lacking(of_one, root, lrw.read(of_one, root)))
    (root / "lipread_mp4/EMPTY").mkdir()
    of_all = LrwRaw(source="local", root=str(root), synthetic=None, words=None)
    none = [str(one) for one in lrw.lacking(of_all, root, lrw.read(of_all, root)) if "without any clip" in one.what]
    assert none[0] == "2 words without any clip for train: BLACK, EMPTY" and len(none) == 3


def make_lrw1000(root: Path) -> Path:
    for folder, numbers in {"abc": range(1, 60), "gap": [*range(1, 11), *range(13, 60)]}.items():
        (root / "images" / folder).mkdir(parents=True)
        for number in numbers:
            Image.fromarray(np.full((8, 8), number, np.uint8)).save(root / "images" / folder / f"{number}.jpg")
    (root / "info").mkdir()
    (root / "info/trn_1000.txt").write_text("abc,世,shi,0.4,0.8\ngap,世,shi,0.2,0.6\n", encoding="utf-8")
    (root / "info/val_1000.txt").write_text("abc,爱,ai,1.2,1.6\nlost,爱,ai,1.2,1.6\n", encoding="utf-8")
    (root / "info/tst_1000.txt").write_text("abc,世,shi,1.2,1.6\n", encoding="utf-8")
    return root


def test_lines_that_a_list_of_lrw1000_has_twice_are_counted(tmp_path):
    root = make_lrw1000(tmp_path / "lrw1000")
    with open(root / "info/tst_1000.txt", "a", encoding="utf-8") as file:
        file.write("abc,世,shi,1.2,1.6\nabc,世,shi,0.4,0.8\n")  # the second stands in the list for training too
    remarks = lrw1000.read(SimpleNamespace(protocol="cut30"), root).remarks
    assert [str(one) for one in remarks if "repeated" in one.what] == [
        "1 lines are repeated within their list, and count as often: test: abc, shi"
    ]


def test_an_incomplete_lrw1000_is_counted(tmp_path, capsys):
    root = make_lrw1000(tmp_path / "lrw1000")
    settings = Lrw1000Raw(source="local", root=str(root), synthetic=None, protocol="cut30")
    raw.prepare_corpus("lrw1000", settings, tmp_path / "data", workers=1)
    told = [
        line for line in capsys.readouterr().err.splitlines() if line.startswith("lrw1000: ") and "word/s" not in line
    ]
    assert told == [
        "lrw1000: 4 clips (2 train, 1 val, 1 test); 1 excluded",
        "lrw1000: excluded: 1 x its folder has no numbered jpg, or is not there (val/000002-lost)",
        "lrw1000: 1 folders that the info files name have no jpg or are not there: images/lost",
        "lrw1000: 1 words lack jpgs: 2 jpgs in all; train/000002-gap",
        "lrw1000: 718,013 of LRW-1000's 718,018 samples are missing in info/: 5 are there",
        "lrw1000: 998 of LRW-1000's 1,000 classes have no usable clip: "
        "1 in trn_1000.txt, 1 in val_1000.txt, 1 in tst_1000.txt",
        "lrw1000: 1 classes to validate or test have no clip to train on: ai",
        f"lrw1000: to complete it: {lrw1000.WHERE}",
    ]
    _, notes = taken_stock("lrw1000", settings, tmp_path)
    assert [row["reason"] for row in notes if row["clip"] == "train/000002-gap"] == ["2 frames missing"]
