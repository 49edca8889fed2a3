"""What the policy-gradient runs do after they leave the baseline: reward, entropy, and how unsteady the gradient is."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from pcpg.report.figures import WIDTH
from pcpg.report.figures.learning import STYLES, styles_of
from pcpg.report.figures.style import PURPLE, band_handle, say_in
from pcpg.report.formats import NOT_RUN, seeds_run
from pcpg.report.paper import DATASETS
from pcpg.report.results.histories import band, mean_start
from pcpg.report.results.results import Results
from pcpg.report.runs import drawn_runs

# those of fig6 keep their looks
RUNS = {
    "k1s1": STYLES["k1s1"],
    "k5s1": STYLES["k5s1"],
    "k5s5": ("k = 5, s = 5", PURPLE, "D"),
    "k1s1-scaled": ("k = 1, s = 1, a fifth of the strength", "black", "v"),
}
# of two runs whose curves fall together (docs/collapse.md) the second is dashed, so that the first shows beneath it
DASHES = {"k5s1": (0, (3, 2)), "k1s1-scaled": (0, (3, 2))}
RELATIVE = "relative_sd"  # of the gradient's norm, by its mean
COLUMNS = ("train_reward", "train_entropy", "train_gradient_norm", "train_gradient_norm_sd")
PANELS = {  # column: what the axis says
    "train_reward": "reward per character\nof the samples",
    "train_entropy": "entropy of the policy\n(nats per transcription)",
    "train_gradient_norm": "gradient norm\n(before clipping)",
    RELATIVE: "sd of the gradient norm\n/ gradient norm",
}
SIZE = (WIDTH, 3.9)  # inches
BAND = 0.1  # opacity
CURVE, RANGE = "_curve", "_range"  # labels that tests read; the underscore keeps them out of legends


def draw_policy(corpus: str, results: Results) -> Figure:
    """Four panels against the updates since leaving the baseline; each covers the training since the last point.

    Reward per character is 1 - CER of what the policy samples, so it rises as sampling gets better; entropy is summed
    over the steps of a transcription. The gradient is that of the whole loss of Eq. 8, in which cross-entropy
    weighs less the larger lambda is: only norms at the same lambda compare. How steady the gradient is shows in the
    standard deviation of its norm over updates, by its mean. Lines are means over seeds, bands run from the lowest to
    the highest seed. A panel says so where a history lacks its column.
    """
    figure = Figure(figsize=SIZE)
    panels = figure.subplots(2, 2, sharex=True)
    runs = results.settings.runs.get(corpus, {})
    styles = styles_of(RUNS, [run for run in drawn_runs(results.settings, corpus) if not runs[run].from_scratch])
    frames = {run: _frames(results, corpus, run) for run in styles}
    looks = {run: _look(run, colour, marker) for run, (_, colour, marker) in styles.items()}
    ran = any(frames.values())
    for axes, (column, label) in zip(panels.flat, PANELS.items(), strict=True):
        drawn = [_curve(axes, looks[run], of_seeds, column) for run, of_seeds in frames.items()]
        axes.set_ylabel(label)
        if not any(drawn):
            say_in(axes, "not recorded" if ran else NOT_RUN)
            axes.set_yticks([])
    for axes in panels[1]:
        axes.set_xlabel("updates since leaving the baseline")
    panels[0, 0].set_title(DATASETS[corpus], loc="left")
    figure.align_ylabels()
    handles = []
    for run, of_seeds in frames.items():
        seeds = seeds_run(len(of_seeds), len(results.settings.seeds_of(corpus, run)))
        handles.append(Line2D([], [], label=f"{styles[run][0]} ({seeds})", **looks[run]))
    handles.append(band_handle("lowest to highest seed"))
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def _look(run: str, colour: str, marker: str) -> dict:
    return {"color": colour, "marker": marker, "markerfacecolor": "white", "linestyle": DASHES.get(run, "-")}


def _frames(results: Results, corpus: str, run: str) -> list[pd.DataFrame]:
    frames = results.histories(corpus, run, COLUMNS).values()
    return [one.assign(**{RELATIVE: one["train_gradient_norm_sd"] / one["train_gradient_norm"]}) for one in frames]


def _curve(axes: Axes, look: dict, frames: list[pd.DataFrame], column: str) -> bool:
    """Draw one run in one panel; -> whether there was something to draw."""
    values = band(frames, column)
    if values is None:
        return False
    updates = values.iteration - mean_start(frames)
    axes.fill_between(updates, values.low, values.high, color=look["color"], alpha=BAND, linewidth=0, label=RANGE)
    axes.plot(updates, values.mean, label=CURVE, **look)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return True
