"""Folders as users have them: of a wrong shape, with other endings, capitals and texts. What is said and read."""

import csv
import dataclasses
import re
from pathlib import Path

import pytest
from PIL import Image
from test_integrity import LOCAL, align_of, make_grid, make_lrw, make_lrw1000, names_of

from pcpg.corpora import base, folders, grid_text, lrw, lrw1000
from pcpg.corpora.raw import prepare_corpus
from pcpg.mouths import video
from pcpg.reader import text
from pcpg.settings.corpus import Lrw1000Raw, LrwRaw
from pcpg.workspace.errors import InputError


def settings_of(corpus: str, root: Path):
    kinds = {
        "lrw": LrwRaw(source="local", root=str(root), synthetic=None, words=None),
        "lrw1000": Lrw1000Raw(source="local", root=str(root), synthetic=None, protocol="cut30"),
    }
    return kinds.get(corpus) or LOCAL.model_copy(update={"root": str(root)})


def rows_of(path: Path) -> dict[str, str]:
    with open(path, newline="", encoding="utf-8") as file:
        return {row["clip"]: row["reason"] for row in csv.DictReader(file)}


# ---- what is said of a folder that cannot be used


def rewrite_aligns(root, change):
    make_grid(root, {"s1": 1})
    for path in (root / "alignments").rglob("*.align"):
        path.write_bytes(change(align_of(path.stem)))


def in_seconds(text):
    return re.sub(r"\d+", lambda number: f"{int(number[0]) / 25_000:.2f}", text).encode()


def in_milliseconds(text):
    return re.sub(r"\d+", lambda number: str(int(number[0]) // 25), text).encode()


def copies(root):
    make_grid(root, {"s1": 1})
    for path in sorted((root / "s1").iterdir()):
        path.rename(path.with_stem(f"{path.stem} (1)"))


def packed(root):
    root.mkdir()
    for name in ("s1.zip", "s2.zip", "alignments.zip"):
        (root / name).write_bytes(b"PK")


def only_aligns(root):
    make_grid(root, {"s1": 1})
    for path in (root / "s1").iterdir():
        path.unlink()


def no_splits(root):
    make_lrw(root, {"ABOUT": (3, 0, 0)})
    for path in sorted((root / "lipread_mp4/ABOUT/train").iterdir()):
        path.rename(root / "lipread_mp4/ABOUT" / path.name)


def unnumbered(root):
    make_lrw1000(root)
    for path in (root / "images").rglob("*.jpg"):
        path.rename(path.with_name(f"{path.stem}_mouth.jpg"))


def renamed(root):
    make_lrw1000(root)
    for path in sorted((root / "images").iterdir()):
        path.rename(path.with_name(f"x-{path.name}"))


def parts(root):
    root.mkdir()
    for name in ("lrw-v1-partaa", "lrw-v1-partab"):
        (root / name).write_bytes(b"part of a tar")


# corpus, what builds it, what the line says, clips in the list
WRONG = {
    "utf-16": (
        "grid",
        lambda root: rewrite_aligns(root, lambda text: text.encode("utf-16")),
        r"12 x alignments/s1/\w+\.align, line 1: is UTF-16 or no text; expected UTF-8",
        12,
    ),
    "seconds": (
        "grid",
        lambda root: rewrite_aligns(root, in_seconds),
        r"12 x alignments/s1/\w+\.align, line 1: .* whole numbers, 25,000 a second, found '0.00 0.04 bin'",
        12,
    ),
    "milliseconds": (
        "grid",
        lambda root: rewrite_aligns(root, in_milliseconds),
        r"12 x alignments/s1/\w+\.align, line 6: ends at 236, but times are in 25,000 a second",
        12,
    ),
    "copies": ("grid", copies, r"12 excluded: 12 x \w+ \(1\): is not a GRID name", 12),
    "not unpacked": (
        "grid",
        packed,
        r"it holds alignments\.zip, s1\.zip, s2\.zip; alignments\.zip must be unpacked",
        0,
    ),
    "another corpus": ("grid", make_lrw1000, r"holds no speaker folder .*; it holds images/, info/", 0),
    "empty": ("grid", Path.mkdir, r"holds no speaker folder .*; it is empty", 0),
    "a file": ("grid", lambda root: root.write_text(""), r"is no folder; expected one that holds s1/", 0),
    "only alignments": ("grid", only_aligns, r"12 excluded: 12 x \w+: has an \.align but no \.mpg", 12),
    "no videos": ("grid", lambda root: (root / "s1").mkdir(parents=True), r"no usable clip .*; s1: it is empty", 0),
    "GRID for LRW": ("lrw", lambda root: make_grid(root, {"s1": 1}), r"it holds alignments/, s1/", 0),
    "no train, val, test": ("lrw", no_splits, r"6 x lipread_mp4/ABOUT/ABOUT_00001\.mp4: is none of train/, val/", 6),
    "no lists": ("lrw1000", lambda root: (root / "images").mkdir(parents=True), r"missing: info/.*it holds images/", 0),
    "no numbers": ("lrw1000", unnumbered, r"images/: it holds abc/, gap/\. .*5 x its folder has no numbered jpg", 5),
    "clips of another copy": ("lrw1000", renamed, r"images/: it holds x-abc/, x-gap/\. .*5 x its folder has no", 5),
    "parts of an archive": ("lrw", parts, r"it holds lrw-v1-partaa, lrw-v1-partab; lrw-v1-partaa must be unpacked", 0),
}


@pytest.mark.parametrize(("corpus", "build", "line", "listed"), WRONG.values(), ids=WRONG)
def test_a_wrong_folder_is_told_in_one_line_with_reasons_and_the_list_is_kept(tmp_path, corpus, build, line, listed):
    root, out = tmp_path / "root", tmp_path / "data/grid"
    build(root)
    with pytest.raises(InputError) as raised:
        prepare_corpus(corpus, settings_of(corpus, root), out, workers=1)
    said = str(raised.value)
    print(said.replace(str(tmp_path), ""))
    assert said.startswith(str(root)) and "\n" not in said and re.search(line, said), said
    kept = tmp_path / "data/grid-excluded.csv"
    assert not out.exists() and kept.exists() == bool(listed)
    if listed:
        assert len(rows_of(kept)) == listed and said.endswith(f"all are listed in {kept}")


@pytest.mark.parametrize("name", ["s1.zip", "lrw-v1-partaa", "a.tar.gz00", "a.tar.gz.aa", "a.zip.001", "a.part1"])
def test_archives_and_their_parts_must_be_unpacked(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert folders.held(tmp_path) == f"it holds {name}; {name} must be unpacked first"


@pytest.mark.parametrize("name", ["apartment", "s1", "readme.txt", "ABOUT", "images"])
def test_what_is_no_archive_is_not_taken_for_one(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert folders.held(tmp_path) == f"it holds {name}"


@pytest.mark.parametrize(
    "inner", ["images/images", "images/LRW1000_Public/images", "lip_images", "lip_images/lip_images"]
)
def test_pictures_that_lie_deeper_are_found(tmp_path, inner):
    root = make_lrw1000(tmp_path)
    expected = lrw1000.read(settings_of("lrw1000", root), root)
    (root / "images").rename(root / "unpacked")
    (root / inner).parent.mkdir(parents=True, exist_ok=True)
    (root / "unpacked").rename(root / inner)
    reading = lrw1000.read(settings_of("lrw1000", root), root)
    moved = [dataclasses.replace(clip, video=clip.video.replace("images", inner, 1)) for clip in expected.clips]
    assert reading.clips == moved and (root / reading.clips[0].video).is_dir()
    assert reading.excluded == expected.excluded


def test_lrw_is_read_where_its_own_folder_is_named(tmp_path):
    root = make_lrw(tmp_path, {"ABOUT": (2, 1, 1)})
    named = lrw.read(settings_of("lrw", root), root / "lipread_mp4")
    assert len(named.clips) == 4 and all((root / "lipread_mp4" / clip.video).is_file() for clip in named.clips)
    assert [clip.clip for clip in named.clips] == [clip.clip for clip in lrw.read(settings_of("lrw", root), root).clips]
    (root / "lipread_mp4").rename(root / "lrw_mp4")
    assert lrw.read(settings_of("lrw", root), root / "lrw_mp4") == named
    with pytest.raises(InputError, match="no folder lipread_mp4/ with a folder for each word; it holds lrw_mp4/"):
        lrw.read(settings_of("lrw", root), root)


def test_the_plan_does_not_hide_the_reasons_and_success_takes_the_list_away(tmp_path):
    root, out, kept = tmp_path / "root", tmp_path / "data/grid", tmp_path / "data/grid-excluded.csv"
    make_grid(root, {"s1": 1, "s2": 2})
    aligns = sorted((root / "alignments/s1").iterdir())
    good = [path.read_text() for path in aligns]
    for number, path in enumerate(aligns):
        path.write_text("0 1\n" if number < 10 else "nothing\nat all\n")
    with pytest.raises(InputError, match=r"s1: has 0 usable clips, so 2 of them cannot be kept for test") as raised:
        prepare_corpus("grid", settings_of("grid", root), out, workers=1)
    assert re.search(
        r"; 12 excluded: 12 x alignments/s1/\w+.align, line 1: expected .*found '0 1'; all", str(raised.value)
    )
    assert len(rows_of(kept)) == 12
    for path, content in zip(aligns, good, strict=True):
        path.write_text(content)
    prepare_corpus("grid", settings_of("grid", root), out, workers=1)
    assert not kept.exists() and (out / "manifest.csv").is_file()


def test_a_folder_without_permission_is_named(tmp_path, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)
    for corpus in ("grid", "lrw", "lrw1000"):
        (tmp_path / corpus).mkdir()
        with pytest.raises(InputError, match=f"{corpus}: Permission denied"):
            prepare_corpus(corpus, settings_of(corpus, tmp_path / corpus), tmp_path / "data", workers=1)


def test_reasons_that_differ_in_files_and_numbers_alone_are_one():
    rows = [base.Excluded(f"s1/c{k}", "raw", f"a/c{k}.align, line {k}: expected 'x', found '{k}'") for k in range(9)]
    rows += [base.Excluded("s1/d", "raw", "is empty"), base.Excluded("s1/e", "raw", "is empty")]
    rows += [base.Excluded("s1/f", "raw", text) for text in ("gone", "torn", "lost")]
    first, second, third, rest = base.reasons(rows).split("; ")
    assert first == "9 x a/c0.align, line 0: expected 'x', found '0'"
    assert (second, third, rest) == ("2 x is empty (s1/d and 1 more)", "1 x gone (s1/f)", "2 for 2 other reasons")


# ---- endings, capitals, numbering


def test_capitals_and_other_containers_are_read_and_doubles_listed(tmp_path):
    root, names = make_grid(tmp_path / "grid", {"s1": 1}), sorted(names_of(1))
    aligns = root / "alignments/s1"
    (root / "s1" / f"{names[0]}.mpg").rename(root / "s1" / f"{names[0].upper()}.MPG")
    (root / "s1" / f"{names[1]}.mpg").rename(root / "s1" / f"{names[1]}.MP4")
    (root / "s1" / f"{names[2]}.avi").write_bytes(b"the same again")
    (root / "s1" / f"{names[6]}.mpg").rename(root / "s1" / f"{names[6]}.3gp")
    (root / "s1" / "Thumbs.db").write_bytes(b"")
    (root / "s1" / f"._{names[0]}.mpg").write_bytes(b"of macOS")
    (aligns / f"{names[3]}.align").rename(aligns / f"{names[3].upper()}.ALIGN")
    (aligns / f"{names[4]}.align").write_text(
        f"0 900 SIL\n{align_of(names[4])}".replace("0 900 b", "950 990 b").upper()
    )
    (aligns / f"{names[5]}.align").write_text(f"{align_of(names[5])}6000 7000 <sil>\n")
    (root / "s1").rename(root / "S1")
    (root / "alignments").rename(root / "Alignments")
    prepare_corpus("grid", settings_of("grid", root), tmp_path / "data", workers=1)
    clips = {row["clip"]: row for row in csv.DictReader((tmp_path / "data/manifest.csv").read_text().splitlines())}
    assert sorted(clips) == [f"s1/{name}" for name in names]
    assert clips[f"s1/{names[0]}"]["video"] == f"S1/{names[0].upper()}.MPG"
    assert clips[f"s1/{names[1]}"]["video"] == f"S1/{names[1]}.MP4"
    assert all((root / row["video"]).is_file() and set(row["text"]) <= set(base.CHARACTERS) for row in clips.values())
    assert rows_of(tmp_path / "data/excluded.csv") == {f"s1/{names[2]}.avi": f"is not read, but S1/{names[2]}.mpg"}
    assert (
        "files in the speakers' folders are neither video nor .align,1,S1/Thumbs.db"
        in (tmp_path / "data/remarks.csv").read_text()
    )
    timed = {row["clip"] for row in csv.DictReader((tmp_path / "data/words.csv").read_text().splitlines())}
    assert timed == set(clips)
    assert grid_text.read_align(aligns.parent.parent / f"Alignments/s1/{names[5]}.align")[-1][2] == "sil"


@pytest.mark.parametrize("corpus", ["grid", "lrw"])
def test_a_name_that_is_no_utf_8_is_listed(tmp_path, corpus):
    build = {"grid": lambda root: make_grid(root, {"s1": 1}), "lrw": lambda root: make_lrw(root, {"ABOUT": (2, 1, 1)})}
    build[corpus](tmp_path / "root")
    folder = tmp_path / "root" / {"grid": "s1", "lrw": "lipread_mp4/ABOUT/train"}[corpus]
    (folder / "B\udcffAF2N.mp4").write_bytes(b"x")
    prepare_corpus(corpus, settings_of(corpus, tmp_path / "root"), tmp_path / "data", workers=1)
    [(clip, reason)] = rows_of(tmp_path / "data/excluded.csv").items()
    assert clip.lower().endswith("b\\udcffaf2n") and ("character 2" in reason or "cannot be printed" in reason)


def test_lrw_in_other_letters_and_containers(tmp_path):
    root = make_lrw(tmp_path, {"ABOUT": (2, 1, 1), "ZERO": (1, 1, 1)})
    folder = root / "lipread_mp4/ABOUT/train"
    (folder / "ABOUT_00001.mp4").rename(folder / "ABOUT_00001.MP4")
    (folder / "ABOUT_00001.txt").rename(folder / "ABOUT_00001.TXT")
    (folder / "ABOUT_00002.mp4").rename(folder / "ABOUT_00002.mkv")
    (folder / "ABOUT_00002.avi").write_bytes(b"again")
    folder.rename(folder.with_name("Train"))
    (root / "lipread_mp4/ZERO").rename(root / "lipread_mp4/zero")
    (root / "lipread_mp4/.hidden").mkdir()
    (root / "lipread_mp4").rename(root / "LIPREAD_MP4")
    reading = lrw.read(LrwRaw(source="local", root=str(root), synthetic=None, words=["about", "zero"]), root)
    assert len(reading.clips) == 7 == len(reading.words) and all(
        (root / clip.video).is_file() for clip in reading.clips
    )
    assert {(clip.text, clip.label) for clip in reading.clips} == {("about", 0), ("zero", 1)}
    assert [row.clip for row in reading.excluded] == ["ABOUT/train/ABOUT_00002.mkv"]


@pytest.mark.parametrize("name", ["{:04d}.jpg", "{}.JPG", "frame_{:03d}.jpeg"])
def test_numbers_of_frames_in_other_shapes_are_read(tmp_path, name):
    """As far as the pictures: a corpus whose stage raw finds a clip must not lose it in the next stage."""
    root = make_lrw1000(tmp_path)
    expected = lrw1000.read(settings_of("lrw1000", root), root)
    pixels = video.read_jpgs(root / "images/abc", 3, 4)
    for path in (root / "images").rglob("*.jpg"):
        path.rename(path.with_name(name.format(int(path.stem))))
    (root / "images").rename(root / "Images")
    reading = lrw1000.read(settings_of("lrw1000", root), root)
    assert [dataclasses.replace(clip, video=clip.video.lower()) for clip in reading.clips] == expected.clips
    assert (video.read_clip(root / reading.clips[0].video, 3, 4) == pixels).all()


def test_frames_counted_from_0_and_two_of_one_number(tmp_path):
    for number in range(5):
        Image.new("L", (8, 8), 50 * number).save(tmp_path / f"{number}.jpg")
    assert sorted(folders.picture_files(tmp_path)) == [1, 2, 3, 4, 5]
    assert video.read_jpgs(tmp_path, 1, 1)[0, 0, 0] == pytest.approx(50, abs=2)
    Image.new("L", (8, 8)).save(tmp_path / "0003.jpg")
    with pytest.raises(InputError, match=r"0003\.jpg and 3\.jpg have the same number"):
        video.read_jpgs(tmp_path)


# ---- texts that the decoder cannot write


def test_pinyin_outside_the_classes_is_mapped_or_excluded_with_file_and_line(tmp_path):
    root = make_lrw1000(tmp_path)
    lines = ["N\u00fc er", "nu\u0308 er", "\uff4e\uff56\u3000er", "ni'hao", "n\u01d0 h\u01ceo", "a-b", "nv  er"]
    rows = "".join(f"abc,\u4e16,{pinyin},0.4,0.8\n" for pinyin in lines)
    (root / "info/trn_1000.txt").write_text(rows, encoding="utf-8")
    reading = lrw1000.read(settings_of("lrw1000", root), root)
    assert [clip.text for clip in reading.clips if clip.split == "train"] == ["nv er"] * 4
    reasons = {row.clip: row.reason for row in reading.excluded if row.clip.startswith("train")}
    assert sorted(reasons) == ["train/000004", "train/000005", "train/000006"]
    assert reasons["train/000004"].startswith('trn_1000.txt, line 4: "ni\'hao" holds "\'"; a text is of')
    for clip in reading.clips:
        text.encode(clip.text)


def test_a_word_outside_the_classes_is_excluded_clip_by_clip_and_the_labels_stay(tmp_path):
    root = make_lrw(tmp_path, {"ABOUT": (1, 1, 1), "LET'S": (1, 1, 1), "ZERO": (1, 1, 1)})
    reading = lrw.read(settings_of("lrw", root), root)
    assert {(clip.text, clip.label) for clip in reading.clips} == {("about", 0), ("zero", 2)}
    assert [row.clip for row in reading.excluded] == [f"LET'S/{split}/LET'S_00001" for split in base.SPLITS]
    assert all('"let\'s" holds' in row.reason for row in reading.excluded)
