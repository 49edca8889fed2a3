"""A project as it stands at the corpora's true sizes: true tables of made-up clips, and frames that are holes."""

import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pcpg.corpora.base import Clip, Excluded, Remark, Word
from pcpg.mouths.store import IndexRow, Quality, npy_header, shard_folder
from pcpg.settings.load import load
from pcpg.settings.plan import Plan
from pcpg.workspace.rows import write_rows

SOURCES = ("src", "profiles", "Snakefile", "dvc.yaml", "presets")
SHARDS, SIZE = 64, 96  # of presets/paper.yaml


class Size(NamedTuple):
    """Clips of a corpus by split."""

    train: int
    val: int
    test: int
    frames: int  # of a clip
    characters: int  # decoder steps of a training batch: its longest text, and the end symbol

    @property
    def clips(self) -> int:
        return self.train + self.val + self.test


SIZES = {
    "grid": Size(27_550, 1_450, 4_000, 75, 28),  # 33 speakers x 1,000; four for test, 5% of the others for validation
    "lrw": Size(488_766, 25_000, 25_000, 29, 13),  # pcpg.corpora.lrw
    "lrw1000": Size(603_193, 63_237, 51_588, 30, 25),  # its paper's table of splits; at most: longer words are left out
}


def clips(corpus: str) -> Iterator[Clip]:
    """Rows of a manifest, with names, texts and classes as long as the corpus' own."""
    size = SIZES[corpus]
    splits = ["train"] * size.train + ["val"] * size.val + ["test"] * size.test
    for number, split in enumerate(splits):
        if corpus == "grid":
            speaker, name = divmod(number, 1000)
            name = f"s{speaker + 1}/bbaf{name:03d}n"
            yield Clip(name, f"{name}.mpg", f"s{speaker + 1}", split, "bin blue at f two now", -1, 0, 0)
        elif corpus == "lrw":
            word = f"word{number % 500:03d}"
            name = f"{word.upper()}/{split}/{word.upper()}_{number // 500:05d}"
            yield Clip(name, f"lipread_mp4/{name}.mp4", "", split, word, number % 500, 0, 0)
        else:
            name = f"{number % 84_000:032x}"  # a folder of jpgs holds several words
            first = 1 + 30 * (number // 84_000)
            yield Clip(f"{name}/{first}", f"images/{name}", "", split, "zhong guo", number % 1000, first, 30)


def write_manifest(project: Path, corpus: str) -> None:
    """What stage `raw` leaves."""
    folder = project / "data" / "paper" / corpus
    write_rows(folder / "manifest.csv", Clip, clips(corpus))
    for name, kind in (("excluded", Excluded), ("words", Word), ("remarks", Remark)):
        write_rows(folder / f"{name}.csv", kind, [])


def write_shards(project: Path, corpus: str) -> None:
    """What stage `shard` leaves, but for the frames, which are all black and take no room on the disk."""
    size, rows = SIZES[corpus], clips(corpus)
    crc32 = zlib.crc32(bytes(size.frames * SIZE * SIZE))  # the same for all clips
    for number in range(SHARDS):
        share = list(islice(rows, size.clips * (number + 1) // SHARDS - size.clips * number // SHARDS))
        folder = shard_folder(project / "clips" / "paper" / corpus, str(number))
        folder.mkdir(parents=True)
        index = (
            IndexRow(c.clip, c.speaker, c.split, c.text, c.label, i * size.frames, size.frames, crc32)
            for i, c in enumerate(share)
        )
        write_rows(folder / "index.csv", IndexRow, index)
        write_rows(folder / "quality.csv", Quality, (Quality(c.clip, size.frames, 0, 0, 0, 0.312, 1.25) for c in share))
        write_rows(folder / "excluded.csv", Excluded, [])
        header = npy_header(len(share) * size.frames, SIZE)
        (folder / "frames.npy").write_bytes(header)
        os.truncate(folder / "frames.npy", len(header) + len(share) * size.frames * SIZE * SIZE)


def checkout(root: Path, project: Path) -> None:
    """The sources, with the preset `paper` as params.yaml."""
    for name in SOURCES:
        copy: Callable = shutil.copytree if (root / name).is_dir() else shutil.copy
        copy(root / name, project / name)
    shutil.copy(root / "presets" / "paper.yaml", project / "params.yaml")
    (project / "plan.json").write_text(Plan(load(project / "params.yaml")).text(), encoding="utf-8")
