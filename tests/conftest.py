"""Where the tests find things, and a toy corpus on which a training takes seconds."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from pcpg.corpora.base import write_rows
from pcpg.store import IndexRow

ROOT = Path(__file__).parents[1]
TEXTS = ("bin blue", "set red", "lay a", "place green", "now", "bin red", "set blue")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture
def toy(tmp_path) -> Path:
    """A folder where `pcpg train grid --seed 1` can run: the smoke preset, and 14 clips of noise of unequal lengths."""
    shutil.copy(ROOT / "tests" / "smoke.params.yaml", tmp_path / "params.yaml")
    folder, offset, rows = tmp_path / "clips" / "smoke" / "grid", 0, []
    folder.mkdir(parents=True)
    for number in range(14):
        split, frames = ("train", "val", "test")[max(number - 8, 0) // 2], 20 + number
        rows.append(IndexRow(f"s1/clip{number}", "s1", split, TEXTS[number % 7], number % 3, offset, frames))
        offset += frames
    noise = np.random.default_rng(0).integers(0, 256, (offset, 96, 96), dtype=np.uint8)
    np.save(folder / "frames.npy", noise)
    write_rows(folder / "index.csv", IndexRow, rows)
    return tmp_path
