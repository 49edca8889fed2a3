"""Training histories: one a seed, their mean with a band, where a run converges and how steadily it learns."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pcpg.workspace.errors import InputError

COLUMNS = ("iteration", "epoch", "train_loss", "val_ce", "val_cer")
CE = "train_ce"  # of an objective that has it
TOLERANCE = 0.02
COURSE = (
    "C4: updates from 0 to the first evaluation at or below a fixed validation CER, or to the end of the shorter "
    "training where it is never reached (restricted mean), and the share of evaluations at which validation CER rises, "
    "over the iterations that both trainings have; paired by seed, Student's t."
)


@dataclass(frozen=True)
class Band:
    """Mean, lowest and highest over seeds at each iteration, each (points,)."""

    iteration: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def read_history(path: Path, more: tuple[str, ...] = ()) -> pd.DataFrame:
    """COLUMNS as numbers, and CE and the columns `more`, which a history may lack; what is empty or lacking is nan."""
    try:
        frame = pd.read_csv(path)
        missing = [name for name in COLUMNS if name not in frame]
        if missing:
            raise ValueError(f"no column {', '.join(missing)}")
        frame = frame.reindex(columns=[*COLUMNS, CE, *more]).astype(float)
    except ValueError as error:  # also what pandas raises on an empty or ragged file
        raise InputError(path, str(error)) from None
    if not np.all(np.diff(frame["iteration"]) > 0):
        raise InputError(path, "iterations do not increase")
    if frame["val_cer"].isna().all():
        raise InputError(path, "no evaluation with a validation CER")
    return frame


def chosen(history: pd.DataFrame) -> pd.Series:
    """The evaluation whose weights were kept: the first with the lowest validation CER, the start left out."""
    later = history.iloc[1:] if len(history) > 1 else history
    return later.loc[later["val_cer"].idxmin()]


def half_way(history: pd.DataFrame) -> pd.Series:
    """The evaluation nearest to half of the updates, the earlier of two; whatever came before and after."""
    evaluated = history[history["val_cer"].notna()]
    ends = history["iteration"].iloc[[0, -1]]
    return evaluated.loc[(evaluated["iteration"] - ends.mean()).abs().idxmin()]


def last(history: pd.DataFrame) -> pd.Series:
    """The last evaluation."""
    return history[history["val_cer"].notna()].iloc[-1]


def convergence(history: pd.DataFrame) -> float:
    """Of one seed: the iteration of its first evaluation within TOLERANCE (relative) of its lowest validation CER."""
    reached = history["val_cer"] <= history["val_cer"].min() * (1 + TOLERANCE)
    return float(history["iteration"][reached].iloc[0])


def updates_to(history: pd.DataFrame, level: float, end: float) -> float:
    """Updates from 0 to the first evaluation with a validation CER at or below `level`, a fraction; else `end`.

    With one `end` for all runs the mean is the restricted mean of survival analysis, which no run drops out of.
    """
    reached = history["iteration"][history["val_cer"] <= level]
    return min(float(reached.iloc[0]), end) if len(reached) else end


def rises(history: pd.DataFrame, first: float, last: float) -> float:
    """Percent of the evaluations whose validation CER is above that of the one before; nan under two evaluations.

    Of those at the iterations from `first` to `last`, the first of which no run from random weights rises to.
    """
    rates = history["val_cer"][history["iteration"].between(first, last)].dropna().to_numpy()
    return float(100 * (np.diff(rates) > 0).mean()) if len(rates) > 1 else float("nan")


def common_stretch(*histories: pd.DataFrame) -> tuple[float, float]:
    """The first and the last iteration of what all of them have."""
    iterations = [history["iteration"] for history in histories]
    return max(one.iloc[0] for one in iterations), min(one.iloc[-1] for one in iterations)


def mean_start(frames: list[pd.DataFrame]) -> float:
    """Mean over seeds of the first iteration: where a run starts, or leaves the baseline."""
    return float(np.mean([frame["iteration"].iloc[0] for frame in frames]))


def mean_convergence(frames: list[pd.DataFrame]) -> float:
    """Mean over seeds of the iteration of convergence."""
    return float(np.mean([convergence(frame) for frame in frames]))


def on_one_grid(places: list[np.ndarray], values: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The places (P,) that any of N curves has and all of them reach, and the curves' values there, (N, P).

    Between two of its points a curve is a straight line; nothing is extrapolated.
    """
    first, last = max(curve[0] for curve in places), min(curve[-1] for curve in places)
    grid = np.unique(np.concatenate(places))
    grid = grid[(grid >= first) & (grid <= last)]
    return grid, np.array([np.interp(grid, *curve) for curve in zip(places, values, strict=True)])


def band(frames: list[pd.DataFrame], column: str) -> Band | None:
    """One column over seeds, as far as all seeds go; None where they share no stretch.

    Seeds may leave the baseline at different iterations, so they are aligned at their first iterations, and drawn from
    the mean of these.
    """
    offsets, values = [], []
    for frame in frames:
        known = frame[column].notna().to_numpy()
        if known.any():
            offsets.append((frame["iteration"] - frame["iteration"].iloc[0]).to_numpy()[known])
            values.append(frame[column].to_numpy()[known])
    if not offsets:
        return None
    grid, lines = on_one_grid(offsets, values)
    if not len(grid):
        return None
    return Band(grid + mean_start(frames), lines.mean(axis=0), lines.min(axis=0), lines.max(axis=0))
