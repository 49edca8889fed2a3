"""The paper's Fig. 6: training curves of the baseline and of the runs that leave it."""

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from pcpg.report.figures import WIDTH
from pcpg.report.figures.style import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION, band_handle, say_in
from pcpg.report.formats import seeds_run
from pcpg.report.paper import DATASETS
from pcpg.report.results.histories import CE, TOLERANCE, Band, band, mean_convergence
from pcpg.report.results.results import Results
from pcpg.report.runs import drawn_runs, scratch_runs

Style = tuple[str, str, str]  # of a run: name, colour, marker

# in grey the markers tell them apart
STYLES = {
    "ce": ("cross-entropy", BLUE, "o"),
    "k1s1": ("k = 1, s = 1", GREEN, "s"),
    "k5s1": ("k = 5, s = 1", VERMILLION, "^"),
}
FROM_SCRATCH = {"k1s1-scratch": STYLES["k1s1"], "k5s1-scratch": STYLES["k5s1"]}  # looks of the same kernels
# other colours and markers: runs that the paper lacks, the first twelve in looks that no other run has
COLOURS = (SKY, ORANGE, PURPLE, "black", BLUE)
MARKERS = ("v", "D", "P", "X", "<", ">")
SIZE = (WIDTH, 4.0)  # inches
DASH = 3  # points, of a line at an iteration of convergence
MARKS = 0.13  # markers along a curve, as a share of the panel's diagonal
BAND = 0.2  # opacity
CURVE = "_curve"  # label of every training curve; the underscore keeps it out of legends
WIDE = 5.0  # highest / lowest value from which on a panel is logarithmic


def styles_of(runs: dict[str, Style], others: list[str]) -> dict[str, Style]:
    """The given styles, and for each other run its name with a colour and a marker that no given run has."""
    used = {look for _, *looks in runs.values() for look in looks}
    colours, markers = (cycle([look for look in every if look not in used]) for every in (COLOURS, MARKERS))
    return runs | {run: (run, next(colours), next(markers)) for run in others if run not in runs}


def draw_learning_curves(corpus: str, results: Results, scratch: bool = False) -> Figure:
    """Top: cross-entropy of training and validation; bottom: validation CER; right: where the branches leave.

    The paper's runs, and those of `drawn_runs`. scratch: the runs that start from random weights, as the paper seems to
    have drawn them; there is no right half then.

    Lines are means over seeds as far as all of them go, bands run from the lowest to the highest seed. A thin dashed
    vertical line with the run's marker stands at the mean iteration of convergence (histories.convergence); where those
    of several runs fall together, their dashes follow one another. A run that is stopped at a validation CER has none.
    Fine-tuned runs start where they leave the baseline, so their iterations include the baseline's up to there. A run
    without history is named so.
    """
    runs = results.settings.runs.get(corpus, {})
    if scratch:
        styles = styles_of({"ce": STYLES["ce"]} | FROM_SCRATCH, scratch_runs(results.settings, corpus))
    else:
        styles = styles_of(STYLES, drawn_runs(results.settings, corpus))
    figure = Figure(figsize=SIZE)
    columns = {"ncols": 1} if scratch else {"ncols": 2, "width_ratios": (3, 2)}
    panels = figure.subplots(2, sharex="col", squeeze=False, **columns)
    frames = {run: list(results.histories(corpus, run).values()) for run in styles}
    for top, bottom in panels.T:
        for place, (run, of_seeds) in enumerate(frames.items()):
            if of_seeds:
                _draw_run(top, bottom, styles[run], of_seeds, place)
                if runs[run].optimisation.stop is None:
                    _draw_convergence(top, bottom, styles[run], of_seeds, place, len(frames))
        bottom.set_xlabel("iteration" if bottom is panels[1, 0] else "iteration (enlarged: means alone)")
    for axes in panels[:, 0]:
        _scale(axes)
    branches = [styles[run][1] for run in styles if frames[run] and not runs[run].from_scratch]
    for axes in panels[:, 1:].flat:
        _zoom(axes, branches)
    panels[0, 0].set_title(f"{DATASETS[corpus]}, from random weights" if scratch else DATASETS[corpus], loc="left")
    panels[0, 0].set_ylabel("cross-entropy\nper character (nats)")
    panels[1, 0].set_ylabel("validation CER (%)")
    wanted = {run: len(results.settings.seeds_of(corpus, run)) for run in frames}
    figure.legend(handles=_handles(frames, styles, wanted), loc="outside upper center", ncols=3)
    return figure


def _zoom(axes: Axes, colours: list[str]) -> None:
    """Limit a panel to the stretch of the branches, of these colours, and a little before, and to the means there.

    Without bands, which are wider than the differences of the means; the panel on the left has them.
    """
    for band_ in list(axes.collections):
        band_.remove()
    curves = [line for line in axes.lines if line.get_label() == CURVE]
    branches = [line.get_xdata() for line in curves if line.get_color() in colours]
    if not branches:
        axes.set_visible(False)
        return
    first, last = np.concatenate(branches).min(), np.concatenate(branches).max()
    margin = 0.12 * max(last - first, 1)
    left, right = first - 2 * margin, last + margin
    values = []
    for x, y in (line.get_data() for line in curves):
        if x[0] <= right and x[-1] >= left:
            values.append(np.interp(np.linspace(max(left, x[0]), min(right, x[-1]), 50), x, y))
    low, high = np.concatenate(values).min(), np.concatenate(values).max()
    axes.set_xlim(left, right)
    for line in axes.lines:
        if not line.get_clip_on():  # a mark of convergence above the panel
            line.set_visible(left <= line.get_xdata()[0] <= right)
    if high > low:
        axes.set_ylim(low - 0.1 * (high - low), high + 0.15 * (high - low))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def _draw_run(top: Axes, bottom: Axes, style: Style, frames: list[pd.DataFrame], place: int) -> None:
    _, colour, marker = style
    marks = {"marker": marker, "markerfacecolor": "white", "markevery": (MARKS * place / len(STYLES), MARKS)}
    _curve(top, band(frames, CE), {"color": colour, "linestyle": "-"})
    _curve(top, band(frames, "val_ce"), {"color": colour, "linestyle": "--", **marks})
    _curve(bottom, band(frames, "val_cer"), {"color": colour, "linestyle": "--", **marks}, scale=100)


def _draw_convergence(
    top: Axes, bottom: Axes, style: Style, frames: list[pd.DataFrame], place: int, count: int
) -> None:
    """place of count runs: which turn its dashes take, and how high its marker stands above the panel."""
    _, colour, marker = style
    end, height = mean_convergence(frames), 1.03 + 0.055 * place
    dashes = (DASH * (count - place), (DASH, DASH * (count - 1)))
    for axes in (top, bottom):
        axes.axvline(end, color=colour, linestyle=dashes, linewidth=0.7, zorder=1)
    top.plot([end], [height], marker, color=colour, transform=top.get_xaxis_transform(), clip_on=False)


def _curve(axes: Axes, values: Band | None, style: dict, scale: float = 1) -> None:
    if values is None:
        return
    low, high = scale * values.low, scale * values.high
    axes.fill_between(values.iteration, low, high, color=style["color"], alpha=BAND, linewidth=0)
    axes.plot(values.iteration, scale * values.mean, label=CURVE, **style)


def _scale(axes: Axes) -> None:
    """Logarithmic where the values span a wide range: the branches differ where the curves are low."""
    curves = [line.get_ydata() for line in axes.lines if line.get_label() == CURVE]
    if not curves:
        say_in(axes)
        axes.set(xticks=[], yticks=[])
        return
    values = np.concatenate(curves)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if values.max() > WIDE * values[values > 0].min(initial=np.inf):
        axes.set_yscale("log", nonpositive="clip")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())


def _handles(frames: dict[str, list], styles: dict[str, Style], wanted: dict[str, int]) -> list[Line2D]:
    """Entries of the legend: the runs with their numbers of seeds, then what the line styles and the rule mean."""
    handles = []
    for run, of_seeds in frames.items():
        name, colour, marker = styles[run]
        label = f"{name} ({seeds_run(len(of_seeds), wanted[run])})"
        handles.append(Line2D([], [], color=colour, marker=marker, markerfacecolor="white", label=label))
    for label, style in (("training", "-"), ("validation", "--")):
        handles.append(Line2D([], [], color="0.3", linestyle=style, label=label))
    rule = {"color": "0.3", "linewidth": 0.6, "marker": "|", "markersize": 8, "linestyle": "none"}
    label = f"converged: CER within {TOLERANCE:.0%} of its lowest"
    return [*handles, band_handle("lowest to highest seed"), Line2D([], [], label=label, **rule)]
