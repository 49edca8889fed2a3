"""Where the tests find things, and a toy corpus on which a training takes seconds."""

import os
import shutil
from pathlib import Path

import pcpg  # before torch and NumPy

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: two threads on cores that others use too wait for each other

import numpy as np
import pytest

from pcpg.corpora.base import Clip
from pcpg.mouths.join import join_shards, part
from pcpg.mouths.shard import pack
from pcpg.mouths.store import Quality, Region, shard_folder
from pcpg.workspace import numerics

assert pcpg
numerics.fast = lambda: None  # a test that reads a preset with numerics: fast leaves this process portable
ROOT = Path(__file__).parents[1]
SHARING = {"test_code.py", "test_pipeline.py"}  # use the fixture smoke
TEXTS = ("bin blue", "set red", "lay a", "place green", "now", "bin red", "set blue")


REGION = Region(kind="landmarks", landmarks="sidecar", size=96)


def store_of(folder: Path, clips: list[Clip], frames: list[np.ndarray], shards: int = 1, quality=(), region=REGION):
    """A clip store of ready frames; -> its folder."""
    quality = quality or [
        Quality(clip.clip, len(rois), 0, 0, 0, 0.1, 1.0) for clip, rois in zip(clips, frames, strict=True)
    ]
    results = list(zip(frames, quality, strict=True))
    for number in range(shards):
        out = shard_folder(folder, str(number))
        pack(part(clips, number, shards), part(results, number, shards), out, region.size)
    join_shards(clips, folder, shards, region)
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests that share one run of the pipeline, which take longest, first."""
    items.sort(key=lambda item: item.path.name not in SHARING)
    elsewhere = {item.path.name for item in items if "smoke" in item.fixturenames} - SHARING
    assert not elsewhere, f"{elsewhere} would run the whole pipeline a second time: name them in SHARING"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """Side by side: the files that share one run of everything on one core; else file by file.

    `--dist loadgroup` says the same, but xdist 3.8 marks groups in a name that pytest 9.2 makes anew.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            return "smoke" if Path(file).name in SHARING else file

    return ByFile(config, log)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


def noise_store(folder: Path) -> Path:
    """A clip store of 14 clips of noise of unequal lengths, 8 of them to train on."""
    lengths, clips = range(20, 34), []
    for number in range(14):
        split = ("train", "val", "test")[max(number - 8, 0) // 2]
        clips.append(Clip(f"s1/clip{number}", "", "s1", split, TEXTS[number % 7], number % 3, 0, 0))
    noise = np.random.default_rng(0).integers(0, 256, (sum(lengths), 96, 96), dtype=np.uint8)
    return store_of(folder, clips, np.split(noise, np.cumsum(lengths)[:-1]), shards=3)


def toy_in(folder: Path) -> Path:
    """A folder where `pcpg train grid ce --seed 1` can run: the smoke preset, and clips of noise."""
    shutil.copy(ROOT / "tests" / "smoke.params.yaml", folder / "params.yaml")
    noise_store(folder / "clips/smoke/grid")
    return folder


@pytest.fixture
def toy(tmp_path) -> Path:
    return toy_in(tmp_path)
