"""Packed mouth clips: one array of frames, mapped into memory, and an index of what lies where."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pcpg.corpora.base import SPLITS, read_rows
from pcpg.errors import InputError, shortage


@dataclass(frozen=True)
class IndexRow:
    """Where one clip lies in frames.npy, and what is said in it."""

    clip: str
    speaker: str
    split: str
    text: str
    label: int
    offset: int  # first frame in frames.npy
    frames: int


class ClipStore:
    """Opens a folder that `build` made. Raises InputError where files are missing or do not belong together."""

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.index: list[IndexRow] = read_rows(self.folder / "index.csv", IndexRow)
        self._frames = _map_frames(self.folder / "frames.npy")
        end = 0
        for line, row in enumerate(self.index, start=2):
            if row.offset != end or row.frames < 1 or row.offset + row.frames > len(self._frames):
                problem = f"{row.clip}, {row.offset}+{row.frames}, does not fit the {len(self._frames)} of frames.npy"
                raise InputError(f"{self.folder / 'index.csv'}, line {line}", problem)
            end += row.frames
        if end != len(self._frames):
            raise InputError(self.folder, f"index.csv names {end} frames, frames.npy has {len(self._frames)}")

    def __reduce__(self):
        return ClipStore, (self.folder,)  # to another process goes the path: pickle would copy the whole array

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, i: int) -> np.ndarray:
        """Frames of clip `i`: a read-only view, uint8 (T, size, size). Copy it before torch.from_numpy."""
        row = self.index[i]
        return self._frames[row.offset : row.offset + row.frames]

    def stamp(self) -> tuple:
        """Tells this store from another or an older one without reading its frames."""
        frames = (self.folder / "frames.npy").stat()
        return (self.folder / "index.csv").read_text(encoding="utf-8"), frames.st_size, frames.st_mtime_ns

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


def _map_frames(path: Path) -> np.ndarray:
    if not path.is_file():
        raise InputError(path, "no such file")
    try:
        frames = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (ValueError, OSError, EOFError) as error:
        if shortage(error):
            raise
        raise InputError(path, "not a readable .npy array, or cut short") from None
    if frames.dtype != np.uint8 or frames.ndim != 3 or frames.shape[1] != frames.shape[2]:
        raise InputError(path, f"expected uint8 (frames, size, size), found {frames.dtype} {frames.shape}")
    return frames
