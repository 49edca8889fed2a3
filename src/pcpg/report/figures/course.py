"""Claim C4 as curves: how far validation CER of k=5, s=1 lies from that of its rivals, from random weights on."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pcpg.report.claims.judge import INTERVAL
from pcpg.report.figures import COLUMN
from pcpg.report.figures.learning import STYLES
from pcpg.report.figures.style import ZERO, band_handle, say_in
from pcpg.report.formats import plural
from pcpg.report.paper import DATASETS
from pcpg.report.results.histories import on_one_grid
from pcpg.report.results.results import Results
from pcpg.report.results.stats import of_numbers

RUN = "k5s1-scratch"
RIVALS = {"k1s1-scratch": STYLES["k1s1"], "ce": STYLES["ce"]}
SIZE = (COLUMN, 2.6)  # inches


def draw_course(corpus: str, results: Results) -> Figure:
    """The mean over the seeds that both have, with Student's interval at each update; below 0 k=5, s=1 is ahead."""
    figure = Figure(figsize=SIZE)
    axes = figure.subplots()
    axes.axhline(0, **ZERO)
    drawn = [_curve(axes, results, corpus, rival) for rival in RIVALS]
    if not any(drawn):
        say_in(axes)
        return figure
    axes.set(xlabel="update", ylabel="difference of validation CER\n(percentage points; below 0 is as claimed)")
    axes.yaxis.label.set_size(7)
    axes.set_title(
        f"{DATASETS[corpus]}: k = 5, s = 1, from random weights, {plural(max(drawn), 'seed')}", loc="left", fontsize=8
    )
    handles = [*axes.get_legend_handles_labels()[0], band_handle(f"{INTERVAL:.0%} interval")]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, fontsize=7)
    return figure


def _curve(axes: Axes, results: Results, corpus: str, rival: str) -> int:
    """Draw the difference to one rival; -> on how many seeds, 0 where none is shared and nothing is drawn."""
    ours, theirs = results.histories(corpus, RUN), results.histories(corpus, rival)
    shared = sorted(ours.keys() & theirs.keys())
    if not shared:
        return 0
    updates, differences = paired([ours[seed] for seed in shared], [theirs[seed] for seed in shared])
    points, (name, colour, marker) = [of_numbers(100 * place) for place in differences.T], RIVALS[rival]
    mean = np.array([point.value for point in points])
    style = {"color": colour, "marker": marker, "markersize": 3, "markerfacecolor": "white"}
    axes.plot(updates, mean, label=f"minus {name}", **style)
    if len(shared) > 1:
        reach = np.array([point.reach(INTERVAL) for point in points])
        axes.fill_between(updates, mean - reach, mean + reach, color=colour, alpha=0.2, linewidth=0)
    return len(shared)


def paired(ours: list[pd.DataFrame], theirs: list[pd.DataFrame]) -> tuple[np.ndarray, np.ndarray]:
    """Updates (P,) at which any is validated and that all reach, and ours minus theirs there, (S, P) fractions."""
    known = [frame.dropna(subset="val_cer") for frame in (*ours, *theirs)]
    updates, lines = on_one_grid(*([frame[name].to_numpy() for frame in known] for name in ("iteration", "val_cer")))
    return updates, lines[: len(ours)] - lines[len(ours) :]
