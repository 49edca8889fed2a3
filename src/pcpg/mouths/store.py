"""Packed mouth clips, as stage `store` leaves them: store.json names the shards and has checksums for all of them.

A store is a folder. store.json holds the SHA-256 of each shard's tables; its table index.csv holds the CRC-32 of each
clip's frames in frames.npy. What is read is checked on the way, so nothing damaged is ever used.
"""

import json
import math
import zlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Literal

import numpy as np

from pcpg.corpora.base import SPLITS, Excluded
from pcpg.settings.keys import Keys, build
from pcpg.workspace.errors import InputError
from pcpg.workspace.files import sha256
from pcpg.workspace.rows import read_rows

VERSION = 1  # of the format
TABLES = ("index", "quality", "excluded")  # .csv, in each shard


@dataclass(frozen=True)
class IndexRow:
    """Where one clip lies in its shard's frames.npy, and what is said in it."""

    clip: str
    speaker: str
    split: str
    text: str
    label: int
    offset: int  # first frame in frames.npy
    frames: int
    crc32: int  # of its bytes


@dataclass(frozen=True)
class Quality:
    """How well one clip's ROIs could be made; nan where a measure does not apply."""

    clip: str
    frames: int
    faceless: int  # frames in which no face was found
    interpolated: int  # frames whose landmarks were filled in
    missing: int  # frames that the manifest names and the corpus lacks
    jitter: float  # rms second difference in time of the mouth's centre before smoothing, px of the video
    scale: float  # mean ROI pixels per video pixel


class Region(Keys):
    """How the mouths were cut out: what a lip-reader has learnt to see, and so all that it can be shown."""

    kind: Literal["landmarks", "box", "frame"]  # aligned to the face, LRW's fixed box, or the whole frame
    landmarks: Literal["mediapipe", "sidecar"] | None
    size: int  # pixels, square

    def __str__(self) -> str:
        return f"{self.kind}, {self.size} x {self.size} pixels"


class Shard(Keys):
    """One folder shards/<name>."""

    name: str
    clips: int
    frames: int
    bytes: int  # of frames.npy
    index: str  # SHA-256 of index.csv
    quality: str
    excluded: str


class Contents(Keys):
    """What store.json says."""

    version: int
    region: Region
    shards: list[Shard]


class ClipStore:
    """Opens a folder with a store.json. Raises InputError where files are missing, damaged or do not belong together.

    A clip's bytes are checked when this process first reads it.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        # the text of store.json, with its checksums, identifies the store
        self.text, contents = read_contents(self.folder / "store.json")
        self.region, self.shards = contents.region, contents.shards
        self._frames = [map_frames(self.path(shard, "frames.npy"), shard, self.region.size) for shard in self.shards]
        self.index: list[IndexRow] = []
        for shard in self.shards:
            rows = self.table(shard, "index", IndexRow)
            check_index(self.path(shard, "index.csv"), rows, shard)
            self.index += rows
        self._begins = [0, *accumulate(shard.clips for shard in self.shards)]  # number of each shard's first clip
        self._checked = bytearray(len(self.index))

    def __reduce__(self):
        return ClipStore, (self.folder,)  # pickle the path, not the whole array

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, i: int) -> np.ndarray:
        """Frames of clip `i`: a read-only view, uint8 (T, size, size). Copy it before torch.from_numpy."""
        i = range(len(self.index))[i]
        row, shard = self.index[i], bisect_right(self._begins, i) - 1
        frames = self._frames[shard][row.offset : row.offset + row.frames]
        if not self._checked[i]:
            if zlib.crc32(frames) != row.crc32:
                raise InputError(self.path(self.shards[shard], "frames.npy"), f"clip {row.clip} is damaged (CRC-32)")
            self._checked[i] = True
        return frames

    def path(self, shard: Shard, name: str) -> Path:
        return shard_folder(self.folder, shard.name) / name

    def table(self, shard: Shard, name: str, kind: type) -> list:
        """The rows of one of a shard's TABLES."""
        path = self.path(shard, f"{name}.csv")
        if sha256(path) != getattr(shard, name):
            raise InputError(path, "damaged, or of another store: store.json names another SHA-256")
        return read_rows(path, kind)

    def quality(self) -> list[Quality]:
        """One row a clip, in the order of the index."""
        return [row for shard in self.shards for row in self.table(shard, "quality", Quality)]

    def excluded(self) -> list[Excluded]:
        """The clips that could not be used."""
        return [row for shard in self.shards for row in self.table(shard, "excluded", Excluded)]

    def select(self, split: str) -> list[int]:
        """Numbers of the clips of a split."""
        if split not in SPLITS:
            raise ValueError(f"{split!r} is not one of {SPLITS}")
        return [i for i, row in enumerate(self.index) if row.split == split]

    def mean_std(self, rows: Iterable[int]) -> tuple[float, float]:
        """Mean and standard deviation of all pixels of the clips `rows`, black 0 and white 1.

        From a histogram of whole numbers: exact whatever the order, and one clip in memory at a time.
        """
        counts = np.zeros(256, np.int64)
        for i in rows:
            counts += np.bincount(self[i].reshape(-1), minlength=256)
        if not counts.any():
            raise ValueError("no clips to take the mean of")
        levels = np.arange(256) / 255
        mean = float(counts @ levels / counts.sum())
        return mean, float(np.sqrt(counts @ (levels - mean) ** 2 / counts.sum()))


def shard_folder(store: Path, name: str) -> Path:
    return store / "shards" / name


def read_contents(path: Path) -> tuple[str, Contents]:
    """store.json as text and as values; InputError where it is none of this version."""
    if not path.is_file():
        raise InputError(path, "no such file")
    try:
        text = path.read_bytes().decode("utf-8")
        mapping = json.loads(text)
    except (ValueError, RecursionError):  # of encoding or of JSON
        raise InputError(path, "is not JSON: damaged") from None
    version = mapping.get("version") if isinstance(mapping, dict) else None
    if version != VERSION:
        raise InputError(path, f"is of format version {version!r}, this pcpg reads {VERSION}; make the store again")
    contents = build(Contents, mapping, path)
    if [shard.name for shard in contents.shards] != [str(number) for number in range(len(contents.shards))]:
        raise InputError(path, "shards: their names are not 0, 1, 2 and so on")
    return text, contents


def npy_header(frames: int, size: int) -> bytes:
    """The first 128 bytes of frames.npy, for an array uint8 (frames, size, size); of one length for any `frames`."""
    fields = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({frames}, {size}, {size}), }}"
    return b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + fields.encode().ljust(117) + b"\n"


def map_frames(path: Path, shard: Shard, size: int) -> np.ndarray:
    """frames.npy mapped into memory, read-only: uint8 (frames, size, size)."""
    if not path.is_file():
        raise InputError(path, "no such file")
    size_on_disk, header = path.stat().st_size, npy_header(shard.frames, size)
    if size_on_disk != shard.bytes:
        raise InputError(
            path, f"has {size_on_disk} bytes, store.json says {shard.bytes}: cut short, or of another store"
        )
    with open(path, "rb") as file:
        begins = file.read(len(header))
    shape = (shard.frames, size, size)
    if begins != header or size_on_disk != len(header) + math.prod(shape):
        raise InputError(path, f"is not an array of {shard.frames} frames of {size} x {size} pixels")
    return np.asarray(np.memmap(path, np.uint8, "r", len(header), shape))


def check_index(path: Path, rows: list[IndexRow], shard: Shard) -> None:
    """InputError unless the rows follow one another without a gap and fill the frames of the shard."""
    end = 0
    for line, row in enumerate(rows, start=2):
        if row.offset != end or row.frames < 1 or row.split not in SPLITS:
            wanted = f"expected frames from {end}, at least 1, and a split of {', '.join(SPLITS)}"
            got = f"got {row.frames} from {row.offset}, split {row.split}"
            raise InputError(f"{path}, line {line}", f"{row.clip}: {wanted}; {got}")
        end += row.frames
    if (end, len(rows)) != (shard.frames, shard.clips):
        wanted = f"{shard.clips} clips, {shard.frames} frames"
        raise InputError(path, f"names {len(rows)} clips, {end} frames; store.json says {wanted}")
