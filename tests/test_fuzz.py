"""Random and damaged files: every reader returns a value or raises an InputError that names the file, and the line.

Cases: the sum of CASES, run by `pytest tests/test_fuzz.py`. The same ones in every run.
"""

import io
import math
import re
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pcpg.corpora import lrw, lrw1000
from pcpg.corpora.base import Clip, Excluded, Remark, Word
from pcpg.corpora.grid_splits import Lists, read_list
from pcpg.corpora.grid_text import read_align, sentence_of
from pcpg.mouths import sidecar
from pcpg.mouths.store import ClipStore
from pcpg.settings.load import load
from pcpg.settings.schema import Params
from pcpg.workspace.errors import InputError
from pcpg.workspace.rows import read_rows, write_rows

CASES = {
    "align": 2000,
    "lrw": 1500,
    "info": 1000,
    "list": 1500,
    "npy": 2000,
    "npz": 1000,
    "rows": 1500,
    "yaml": 600,
    "store": 600,
}
ROOT = Path(__file__).parents[1]
FRAMES = 3


def test_there_are_enough_cases():
    assert sum(CASES.values()) >= 10_000


# Damage: random bytes, or a valid file with some of its bytes changed

TEXTS = "\0|\n|\r|,|\"|'|-|nan|inf|1e999|-1|/|..|&a [*a]|\ufeff|\u2028|\u0661|: |- |{|!!bool |!!timestamp |1/0"
TOKENS = [*map(str.encode, TEXTS.split("|")), b"\xff\xfe", b"9" * 30, b"9" * 5000, b"[" * 3000]


def change(data: bytes, kind: str, place: int, length: int, token: bytes) -> bytes:
    """`data` damaged once, at `place` (taken modulo what there is)."""
    at = place % (len(data) + 1)
    part = data[at : at + length]
    if kind == "flip" and at < len(data):
        return data[:at] + bytes([data[at] ^ (1 << length % 8)]) + data[at + 1 :]
    changed = {"cut": b"", "delete": b"", "repeat": part * 3, "insert": token + part, "replace": token}
    return data[:at] + changed.get(kind, b"") + (b"" if kind == "cut" else data[at + length :])


changes = st.tuples(
    st.sampled_from(["flip", "flip", "cut", "delete", "repeat", "insert", "replace"]),
    st.integers(0, 1 << 20),
    st.integers(1, 40),
    st.sampled_from(TOKENS) | st.binary(max_size=8),
)


def damaged(*valid: bytes):
    """Bytes of one of the `valid` files after one to four changes, or any bytes."""

    def apply(data: bytes, damage: list) -> bytes:
        for how in damage:
            data = change(data, *how)
        return data

    mutated = st.builds(apply, st.sampled_from(valid), st.lists(changes, min_size=1, max_size=4))
    return mutated | mutated | mutated | st.binary(max_size=400)


def fuzz(name: str):
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(
        max_examples=CASES[name], derandomize=True, database=None, deadline=None, suppress_health_check=checks
    )


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr("pcpg.workspace.files._sync", lambda path: None)


def survives(read, path: Path, data: bytes, lines: bool = False):
    """What `read` makes of the file, None for an InputError; with `lines`, that names a line unless it is the whole."""
    path.write_bytes(data)
    try:
        return read(path)
    except InputError as error:
        assert path.stem in str(error) and "\n" not in str(error) and len(str(error)) < 1000
        assert not lines or re.search(r", line \d+: |: (is empty|names no clip)", str(error)), error
        return None


# Texts


def align_file(name: str) -> bytes:
    words = ["sil", *sentence_of(name).split(), "sp", "sil"]
    return "".join(f"{1000 * k} {1000 * k + 1000} {word}\n" for k, word in enumerate(words)).encode()


@fuzz("align")
@given(data=damaged(align_file("bbaf4p"), align_file("swiz9a").replace(b"\n", b"\r\n")))
def test_align(tmp_path, data):
    rows = survives(read_align, tmp_path / "bbaf4p.align", data, lines=True)
    ends = [0, *(end for _, end, _ in rows or [])]
    assert all(before <= start <= end for before, (start, end, _) in zip(ends, rows or [], strict=False))


@fuzz("lrw")
@given(
    data=damaged(b"Disk reference: 6\nChannel: BBC\nProgram start: 1\nClip start: 2\nDuration: 0.53 seconds\n\nWORD\n")
)
def test_lrw_text(tmp_path, data):
    duration = survives(lrw.read_duration, tmp_path / "ABOUT_00001.txt", data, lines=True)
    assert duration is None or 0 < duration < math.inf


INFO = "abc,世界,shi jie,0.4,0.8\nabc,爱,ai,1.2,1.6\nxyz,中国,zhong guo,0,1.24\n".encode()


@fuzz("info")
@given(data=damaged(INFO, INFO.decode().encode("gbk")), protocol=st.sampled_from(["cut30", "centred40"]))
def test_lrw1000_info(tmp_path, data, protocol):
    """Of a bad line a reader of lists says where it is, and goes on."""
    images = tmp_path / "images" / "abc"
    if not images.exists():
        images.mkdir(parents=True)
        for number in range(1, 50, 4):
            (images / f"{number}.jpg").touch()
        (tmp_path / "info").mkdir()
    for split in ("val", "tst"):
        (tmp_path / f"info/{split}_1000.txt").write_bytes(INFO)
    (tmp_path / "info" / "trn_1000.txt").write_bytes(data)
    try:
        reading = lrw1000.read(SimpleNamespace(protocol=protocol), tmp_path)
    except InputError as error:  # of the whole list
        assert "trn_1000.txt, line 1: is UTF-16 or no text" in str(error)
        return
    assert all(clip.first >= 0 and 1 <= clip.frames <= 40 and clip.video == "images/abc" for clip in reading.clips)
    for row in reading.excluded:
        assert "trn_1000.txt, line" in row.reason or re.fullmatch(r"(train|val|test)/\d{6}-.+", row.clip, re.S)
    for kind, rows in (
        (Clip, reading.clips),
        (Excluded, reading.excluded),
        (Word, reading.words),
        (Remark, reading.remarks),
    ):
        write_rows(tmp_path / "rows.csv", kind, rows)
        assert read_rows(tmp_path / "rows.csv", kind) == rows


LIST = b"s14/video/mpg_6000/bbaq7n\ns1/video/mpg_6000/briz8p\ns2/video/mpg_6000/lwil1a\ns34/video/mpg_6000/prax1a\n"


@fuzz("list")
@given(data=damaged(LIST, LIST.replace(b"\n", b"\r\n")))
def test_split_list(tmp_path, data):
    named = survives(read_list, tmp_path / "train.txt", data, lines=True)
    assert named is None or {name for clips in named.values() for name in clips if sentence_of(name)}
    (tmp_path / "test.txt").write_bytes(LIST)
    try:
        lists = SimpleNamespace(train=tmp_path / "train.txt", test=tmp_path / "test.txt")
        Lists(SimpleNamespace(lists=lists))
    except InputError as error:
        assert re.search(r"(train|test)\.txt(, line \d+)?: ", str(error))


# Arrays


def npy(points: int, kind, **header) -> bytes:
    array = np.random.default_rng(0).uniform(0, 300, (FRAMES, points, 2)).astype(kind)
    file = io.BytesIO()
    described = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape} | header
    np.lib.format.write_array_header_1_0(file, described)
    return file.getvalue() + array.tobytes()


def npz(method: int, name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(zipfile.ZipInfo(name), npy(68, "<f4"), compress_type=method)
    return file.getvalue()


ARRAYS = [
    npy(7, "<f4"),
    npy(68, ">f8"),
    npy(7, "<i2", fortran_order=True),
    npy(7, "<f4", shape=(10**15, 7, 2)),
    npy(7, "<f4", shape=(-1, 7, 2)),
    npy(7, "<f4", descr="|O"),
]


def is_landmarks(points) -> bool:
    return points is None or (points.shape == (FRAMES, 7, 2) and points.dtype == np.float32)


@fuzz("npy")
@given(data=damaged(*ARRAYS))
def test_npy_landmarks(tmp_path, data):
    assert is_landmarks(survives(lambda path: sidecar.read_landmarks(path, FRAMES), tmp_path / "a.npy", data))


METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2)
ARCHIVES = [npz(method, name) for method in METHODS for name in ("data.npy", "x.npy")]


@fuzz("npz")
@given(data=damaged(*ARCHIVES))
def test_npz_landmarks(tmp_path, data):
    read = survives(lambda path: sidecar.read_landmarks(path.with_suffix(".npy"), FRAMES), tmp_path / "a.npz", data)
    assert is_landmarks(read)


# Tables and parameters

TABLES = {
    Clip: [Clip("s1/bbaf4p", "s1/bbaf4p.mpg", "s1", "test", 'with "quotes", commas\nand lines', -1, 0, 75)] * 3,
    Excluded: [Excluded("s1/bbaf4p", "raw", "is empty")] * 3,
}


@cache
def table(kind: type) -> bytes:
    """One file for all cases: writing it waits for the disk."""
    with TemporaryDirectory() as folder:
        write_rows(Path(folder) / "valid.csv", kind, TABLES[kind])
        return (Path(folder) / "valid.csv").read_bytes()


@fuzz("rows")
@given(draw=st.data(), kind=st.sampled_from([Clip, Excluded]))
def test_rows(tmp_path, draw, kind):
    valid = table(kind)
    data = draw.draw(damaged(valid, valid.replace(b"is empty", b"x" * 140_000)))
    rows = survives(lambda path: read_rows(path, kind), tmp_path / "manifest.csv", data, lines=True)
    assert all(isinstance(row, kind) and None not in vars(row).values() for row in rows or [])


@fuzz("yaml")
@given(data=damaged((ROOT / "tests" / "smoke.params.yaml").read_bytes(), b"a: &a [*a]\nseeds: *a\n", b"x: !!bool y\n"))
def test_parameters(tmp_path, data):
    found = survives(load, tmp_path / "mine.yaml", data)
    assert found is None or isinstance(found, Params)


# The clip store


@pytest.fixture
def store(toy) -> Path:
    return toy / "clips" / "smoke" / "grid"


def read_all(folder: Path) -> int:
    clips = ClipStore(folder)
    return sum(int(clips[i].sum()) for i in range(len(clips)))


@fuzz("store")
@given(draw=st.data())
def test_a_damaged_store(store, draw):
    """One of its files changed, whatever they are: a value or an InputError that names the store."""
    files = sorted(path for path in store.rglob("*") if path.is_file())
    path = draw.draw(st.sampled_from(files))
    whole = path.read_bytes()
    head = whole[:4096]
    try:
        path.write_bytes(draw.draw(damaged(head)) + (whole[4096:] if draw.draw(st.booleans()) else b""))
        total = read_all(store)
    except InputError as error:
        assert str(store) in str(error) and "\n" not in str(error)
    else:
        assert total >= 0
    finally:
        path.write_bytes(whole)
    assert read_all(store) > 0
