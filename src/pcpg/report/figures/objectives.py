"""Objectives side by side: how each changes WER against cross-entropy trained on, and what its policy ends up doing."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator

from pcpg.report.claims.judge import ALPHA
from pcpg.report.figures import WIDTH
from pcpg.report.figures.style import BLUE, ZERO, not_run, signed_tick
from pcpg.report.formats import MINUS, plural, unusual
from pcpg.report.paper import DATASETS
from pcpg.report.results.histories import chosen
from pcpg.report.results.results import Results
from pcpg.report.runs import CONTINUED, objective_runs

ROW, FRAME = 0.155, 1.15  # inches: a run, what surrounds the rows
OURS, DARK, START = BLUE, "0.25", "0.6"  # no test is made of the behaviour, so it has no colour
ALIKE = {"color": OURS, "marker": "o", "markersize": 3.6, "markerfacecolor": "white"}
APART = {"color": OURS, "marker": "o", "markersize": 3.6}
ALONE = {"color": OURS, "marker": "x", "markersize": 3.6}
REWARDS = ("policy_reward", "policy_greedy")  # which may be below 0
WIDE = ("policy_entropy", "policy_kl")  # in nats a text: one run may have 20 times as many as the others
RECORDED = "train_ratio_sd"  # of ppo and nlpo of a step to the policy that drew it, of others of a text to the start
COLUMNS = {  # of a history: what the axis says; the last three only of objectives that have ratios
    "policy_reward": "sampled\nreward",
    "policy_greedy": "greedy\nreward",
    "policy_entropy": "entropy\n(nats,\nlog scale)",
    "policy_kl": "KL to\nthe start\n(nats,\nlog scale)",
    "policy_alike": "clips of\nequal\nrewards\n(share)",
    "text_ratio": "log ratio\nof a text\nto the\nstart (rms)",
    "step_ratio": "log ratio\nof a step\nto the\ndraw (rms)",
    "train_clipped": "steps\nclipped\n(share)",
}


def draw_objectives(corpus: str, results: Results) -> Figure:
    """Rows are runs in the order of the parameter file; a dot is a mean over seeds, small dots are seeds.

    On the left the two-way interval of 95 % for seeds and utterances; a full dot: p after Holm's correction over the
    rows is at most ALPHA; a cross: one seed, so there is no interval. Columns to the right are of the evaluation
    that validation chose, on training clips: mean and range over seeds; their grey line is the start, before any
    update.
    """
    runs = list(objective_runs(results.settings, corpus))
    recorded = (RECORDED, *(column for column in COLUMNS if not column.endswith("_ratio")))
    frames = {run: [_apart(one) for one in results.histories(corpus, run, recorded).values()] for run in runs}
    if not any(frames.values()):
        return not_run(WIDTH)
    shown = [column for column in COLUMNS if any(_chosen(frames[run], column) for run in runs)]
    figure = Figure(figsize=(WIDTH, ROW * len(runs) + FRAME))
    panels = figure.subplots(1, 1 + len(shown), squeeze=False, sharey=True, width_ratios=[3.2, *[1] * len(shown)])[0]
    _differences(panels[0], corpus, runs, results)
    for axes, column in zip(panels[1:], shown, strict=True):
        _behaviour(axes, [frames[run] for run in runs], column)
    seeds = max(len(of_seeds) for of_seeds in frames.values())
    names = _names(corpus, frames, results)
    panels[0].set_yticks(range(len(runs)), names, fontsize=6.5)
    panels[0].set_ylim(len(runs) - 0.4, -0.6)
    exceptions = "" if names == list(frames) else " unless noted"
    panels[0].set_title(f"{DATASETS[corpus]}, {plural(seeds, 'seed')}{exceptions}", loc="left", fontsize=8)
    figure.legend(handles=_handles(), loc="outside upper right", ncols=6, fontsize=6.5)
    return figure


def _apart(history: pd.DataFrame) -> pd.DataFrame:
    """The history with the two quantities that RECORDED stands for, each in a column of its own."""
    of_steps = history["train_clipped"].notna()
    ratio = history[RECORDED]
    return history.assign(text_ratio=ratio.where(~of_steps), step_ratio=ratio.where(of_steps))


def _names(corpus: str, frames: dict[str, list[pd.DataFrame]], results: Results) -> list[str]:
    """Names of the rows, with the number of seeds where it is not that of most."""
    names = []
    for run, of_seeds in frames.items():
        wanted = len(results.settings.seeds_of(corpus, run))
        seeds = unusual(len(of_seeds), wanted, len(results.seeds)) if of_seeds else ""
        names.append(f"{run} {seeds}".rstrip())
    return names


def _differences(axes: Axes, corpus: str, runs: Sequence[str], results: Results) -> None:
    axes.axvline(0, zorder=1, **ZERO)
    ours = results.quantity(corpus, CONTINUED, "greedy_wer")
    chances = results.apart(corpus, runs, CONTINUED, "greedy_wer")
    for place, run in enumerate(runs):
        estimate = None if run == CONTINUED else results.gap(corpus, run, CONTINUED, "greedy_wer")
        if estimate is None:
            continue
        values = results.quantity(corpus, run, "greedy_wer")
        by_seed = [values[seed] - ours[seed] for seed in values if seed in ours] if estimate.known else []
        axes.plot(by_seed, [place + 0.2] * len(by_seed), ".", color="0.55", markersize=2.5, zorder=2)
        look = ALONE
        if estimate.known:
            axes.plot(estimate.interval(), [place, place], color=OURS, linewidth=1.3, zorder=3)
            look = APART if chances[run] <= ALPHA else ALIKE
        axes.plot([estimate.value], [place], linestyle="none", zorder=4, **look)
    axes.set_xlabel(f"WER {MINUS} that of {CONTINUED},\npercentage points", fontsize=7)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(signed_tick)
    axes.grid(visible=False, axis="y")


def _chosen(frames: list[pd.DataFrame], column: str) -> list[float]:
    """By seed, where it is known."""
    values = [float(chosen(frame)[column]) for frame in frames]
    return [value for value in values if not math.isnan(value)]


def _behaviour(axes: Axes, frames: list[list[pd.DataFrame]], column: str) -> None:
    for place, of_seeds in enumerate(frames):
        values = _chosen(of_seeds, column)
        if not values:
            continue
        axes.plot([min(values), max(values)], [place, place], color=DARK, linewidth=0.9)
        axes.plot([float(np.mean(values))], [place], "o", color=DARK, markersize=2.8)
    starts = [float(frame[column].iloc[0]) for of_seeds in frames for frame in of_seeds]
    starts = [value for value in starts if not math.isnan(value)]
    if starts:
        axes.axvline(float(np.mean(starts)), color=START, linewidth=0.8, zorder=1)
    axes.set_xlabel(COLUMNS[column], fontsize=6.5)
    if column in WIDE:
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xticks([0, 1, 10], ["0", "1", "10"])
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(2))
    if column not in REWARDS:
        axes.set_xlim(left=0)
    axes.tick_params(axis="x", labelsize=6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], label="mean, 95 % interval", linewidth=1.3, **ALIKE),
        Line2D([], [], label="differs (Holm, 5 %)", linewidth=1.3, **APART),
        Line2D([], [], label="one seed alone", linestyle="none", **ALONE),
        Line2D([], [], label="a seed", marker=".", linestyle="none", color="0.55", markersize=3),
        Line2D([], [], label="chosen weights: mean, range", marker="o", color=DARK, markersize=2.8, linewidth=0.9),
        Line2D([], [], label="the start", color=START, linewidth=0.8),
    ]
