"""One number for how fast a training converged, and one for how steadily: what claim C4 is judged by."""

import numpy as np
import pandas as pd

from pcpg.report.results.curves import CONVERGENCE, converged

STEADINESS = (
    "The unrest of a run is the mean rise of its validation CER from one evaluation to the next, in percentage points; "
    "a fall counts as 0."
)
MEASURES = {"iterations": CONVERGENCE, "unrest": STEADINESS}


def duration(history: pd.DataFrame) -> float:
    """Iterations from the start of a run, where it leaves the baseline if it does, to its convergence."""
    return converged(history) - float(history["iteration"].iloc[0])


def unrest(history: pd.DataFrame) -> float:
    """Percentage points an evaluation; nan under two evaluations."""
    rates = history["val_cer"].dropna().to_numpy()
    if len(rates) < 2:
        return float("nan")
    return float(100 * np.diff(rates).clip(min=0).mean())
