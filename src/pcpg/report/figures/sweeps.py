"""Tables IIa and IIb as pictures: how far each kernel's WER lies from that of the first, ours beside the paper's."""

from dataclasses import dataclass
from math import isnan, nan
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from pcpg.report.figures import COLUMN
from pcpg.report.figures.style import BLUE, VERMILLION, ZERO, signed_tick
from pcpg.report.formats import NOT_RUN, plural, unusual
from pcpg.report.paper import KERNELS, TABLE2A, TABLE2B
from pcpg.report.results.results import Results
from pcpg.report.results.stats import Errors, Estimate
from pcpg.report.runs import CONTINUED

SIZE = (COLUMN, 3.2)  # inches
OURS, PAPER = BLUE, VERMILLION
MARK = {"color": OURS, "marker": "o", "markersize": 5.5, "markeredgewidth": 1.2, "linewidth": 1.6}
DOT = {"color": OURS, "marker": ".", "markersize": 4.5, "markeredgewidth": 0, "linestyle": "none"}
DIAMOND = {"color": PAPER, "marker": "D", "markersize": 4.5, "linestyle": "none"}
SEEDS_AT, OURS_AT, PAPER_AT = -0.24, -0.06, 0.2  # x beside the run's place
JITTER = 0.035  # between the dots of two seeds
APART = 0.5  # between the kernels and the control
ROOM = 0.35  # above and below zero, as a share of what is on the other side
INTERVAL, MEAN, SEED, PRINTED = "_interval", "_mean", "_seed", "_paper"  # labels, for tests; _ keeps them off legends


@dataclass(frozen=True)
class Sweep:
    """Runs that differ in one property of the kernel, and the run that all are compared with."""

    printed: dict[str, float]  # the paper's WER of each run, the first being the one compared with
    axis: str
    zero: str  # name of the first run
    ordered: bool  # whether a line through the paper's points means anything


SWEEPS = {
    "sweep_k": Sweep(TABLE2A, "kernel size $k$ ($s = 1$, uniform weights)", "k = 1", True),
    "sweep_w": Sweep(TABLE2B, "kernel weights $w$ ($k = 3$, $s = 1$)", "uniform w", False),
}


@dataclass(frozen=True)
class Point:
    """One run minus the first of its sweep, percentage points of WER; estimate None: `missing` says why."""

    run: str
    paper: float  # nan where the paper has no such run
    estimate: Estimate | None
    by_seed: dict[int, float]
    missing: str = ""


def draw_sweep(name: str, results: Results) -> Figure:
    """For each kernel the change in WER: our mean with its interval, every seed as a dot, and what the paper prints.

    The mark of ours is hollow where the interval covers zero, filled where it does not. The cross-entropy baseline
    trained on stands apart at the right: a change that it shows too does not come from the kernel. The intervals are of
    one comparison each; the claims' verdicts also correct for their number.
    """
    sweep = SWEEPS[name]
    first, points = read_sweep(sweep, results)
    figure = Figure(figsize=SIZE)
    axes = figure.subplots()
    axes.axhline(0, zorder=1, **ZERO)
    places = {point.run: place for place, point in enumerate(points, start=1)}
    places[CONTINUED] += APART
    for point in points:
        _point(axes, places[point.run], point)
    _printed(axes, [0, *places.values()], [0.0, *(point.paper for point in points)], sweep.ordered)
    axes.axvline(places[CONTINUED] - (1 + APART) / 2, linestyle=":", **ZERO)
    begun = next(iter(sweep.printed))
    labels = [_label(begun, sweep), *(f"{_label(p.run, sweep)}{_seeds(p, begun, results)}" for p in points)]
    axes.set_xticks([0, *places.values()], labels)
    axes.set(xlim=(-0.45, places[CONTINUED] + 0.5), xlabel=sweep.axis)
    axes.set_ylabel(f"change in WER against {sweep.zero}\n(percentage points; below 0 is better)")
    axes.grid(visible=False, axis="x")
    axes.set_title(f"GRID; ours: {_size(points)}", loc="left")
    _scale(axes)
    _rates(axes, first, next(iter(sweep.printed.values())))
    figure.legend(handles=_handles(), loc="outside upper center", ncols=2)
    return figure


def read_sweep(sweep: Sweep, results: Results) -> tuple[Errors | None, list[Point]]:
    """The first run's errors, and the other runs of the sweep and the control against it."""
    first, *others = (*sweep.printed, CONTINUED)
    return results.errors("grid", first, "wer", "greedy"), [_compared(run, first, sweep, results) for run in others]


def _compared(run: str, first: str, sweep: Sweep, results: Results) -> Point:
    paper = round(sweep.printed.get(run, nan) - sweep.printed[first], 2)
    errors = (results.errors("grid", name, "wer") for name in (run, first))
    ours, against = (one.rates() if one else {} for one in errors)
    estimate = results.gap("grid", run, first, "greedy_wer")
    by_seed = {seed: ours[seed] - against[seed] for seed in ours if seed in against}
    return Point(run, paper, estimate, by_seed, "no pair" if ours else NOT_RUN)


def _point(axes: Axes, place: float, point: Point) -> None:
    """Ours at one place of the axis: interval, mean and the dots of the seeds, or why there is none."""
    if point.estimate is None:
        beside = {"xytext": (0, 4), "textcoords": "offset points", "rotation": 90, "ha": "center", "va": "bottom"}
        axes.annotate(point.missing, (place + OURS_AT, 0), **beside, fontsize=7, color=OURS)
        return
    estimate, x = point.estimate, place + OURS_AT
    if estimate.known:
        axes.plot([x, x], estimate.interval(), **{**MARK, "marker": ""}, solid_capstyle="butt", label=INTERVAL)
    face = OURS if estimate.explained() is False else "white"
    axes.plot([x], [estimate.value], **MARK, markerfacecolor=face, label=MEAN)
    middle = (len(point.by_seed) - 1) / 2
    xs = [place + SEEDS_AT + JITTER * (number - middle) for number in range(len(point.by_seed))]
    axes.plot(xs, list(point.by_seed.values()), **DOT, label=SEED)


def _printed(axes: Axes, places: list[float], values: list[float], ordered: bool) -> None:
    """The paper's differences; its first run is zero by definition, and so has no mark."""
    known = [(place + PAPER_AT, value) for place, value in zip(places, values, strict=True) if not isnan(value)]
    if ordered:
        axes.plot(*zip(*known, strict=True), color=PAPER, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1.5)
    axes.plot(*zip(*known[1:], strict=True), **DIAMOND, label=PRINTED)


def _label(run: str, sweep: Sweep) -> str:
    """What stands below the axis."""
    if run == CONTINUED:
        return "CE,\ncontinued\n(control)"
    kernel, _ = KERNELS[run]
    return str(len(kernel)) if sweep.ordered else "{}, {},\n{}".format(*kernel)


def _seeds(point: Point, against: str, results: Results) -> str:
    """Lines below a label: how many seeds are paired, where that is not the usual number; else ""."""
    if point.estimate is None:
        return ""
    wanted = min(len(results.settings.seeds_of("grid", run)) for run in (point.run, against))
    seeds = unusual(point.estimate.seeds, wanted, len(results.seeds))
    return "\n".join(["", *wrap(seeds, width=10)])


def _scale(axes: Axes) -> None:
    """Limits that hold all that is drawn and leave room on both sides of zero for the rates; signs at the ticks."""
    values = np.concatenate([[0.0], *(np.atleast_1d(line.get_ydata()) for line in axes.lines[1:-1])])
    low, high = min(values.min(), -1.0), max(values.max(), 1.0)
    low, high = min(low, -ROOM * high), max(high, -ROOM * low)
    margin = 0.06 * (high - low)
    axes.set_ylim(low - margin, high + margin)
    axes.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(signed_tick)


def _rates(axes: Axes, ours: Errors | None, printed: float) -> None:
    """At the first run, whose change is zero by definition: the rates themselves, ours above and the paper's below."""
    rate = f"{ours.rate():.1f} %" if ours else NOT_RUN
    for text, y, side, colour in ((f"ours\n{rate}", 4, "bottom", OURS), (f"paper\n{printed} %", -4, "top", PAPER)):
        place = {"xytext": (0, y), "textcoords": "offset points", "ha": "center", "va": side}
        axes.annotate(text, (0, 0), **place, fontsize=7, color=colour)


def _handles() -> list[Line2D]:
    marks = [
        ({**MARK, "markerfacecolor": "white"}, "ours: 95 % interval covers zero"),
        (MARK, "ours: does not cover zero"),
        (DOT, "ours, each seed"),
        (DIAMOND, "the paper"),
    ]
    return [Line2D([], [], label=label, **style) for style, label in marks]


def _size(points: list[Point]) -> str:
    """The most seeds and sentences that a comparison of ours has."""
    sizes = [(point.estimate.seeds, point.estimate.utterances) for point in points if point.estimate]
    if not sizes:
        return NOT_RUN
    seeds, sentences = max(sizes)
    return f"{plural(seeds, 'seed')}, {sentences} sentences"
