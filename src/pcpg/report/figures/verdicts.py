"""Every comparison that decides a claim: the paper's effect, T, ours, and the smallest that could have been shown."""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from pcpg.report.claims.judge import EXCLUDED, INTERVAL, REVERSED, SHOWN, UNDECIDED, Judged, Verdict, judge
from pcpg.report.claims.say import compared
from pcpg.report.figures import COLUMN
from pcpg.report.figures.style import GREEN, VERMILLION, ZERO, not_run, signed_tick
from pcpg.report.paper import DATASETS, WORDS
from pcpg.report.results.results import Results

ROW, HEAD, FRAME = 0.125, 0.19, 0.95  # inches: a comparison, a claim's line, what surrounds the panels
LOOKS = {  # the shape says the same in grey
    SHOWN: {"color": GREEN, "marker": "o"},
    EXCLUDED: {"color": VERMILLION, "marker": "s"},
    REVERSED: {"color": "#882255", "marker": ">"},
    UNDECIDED: {"color": "0.45", "marker": "o", "markerfacecolor": "white"},
}
PANELS = {  # by measure
    "wer": "difference of WER, percentage\npoints (below 0 is as claimed)",
    "error": "C7: classification error,\npercentage points",
    "updates": "C4: updates to a validation CER",
    "rises": "C4: evaluations that rise,\npercentage points",
}
SMALLEST = {"color": "0.9", "linewidth": 0}
PAPER = {"color": "black", "marker": "D", "markersize": 3.2, "markerfacecolor": "white", "markeredgewidth": 0.7}
ASKED = {"color": "black", "marker": "|", "markersize": 6, "markeredgewidth": 1.2}


def draw_verdicts(results: Results) -> Figure:
    verdicts = judge(results)
    panels = [(title, _of(verdicts, measure)) for measure, title in PANELS.items()]
    panels = [(title, rows) for title, rows in panels if rows]
    if not panels:
        return not_run(COLUMN)
    heights = [sum(HEAD + ROW * len(judged) for _, judged in rows) for _, rows in panels]
    figure = Figure(figsize=(COLUMN, sum(heights) + FRAME + 0.45 * len(panels)))
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for one, (title, rows) in zip(axes, panels, strict=True):
        _panel(one, title, rows)
    drawn = [one for _, rows in panels for _, judged in rows for one in judged]
    figure.legend(handles=_handles(drawn), loc="outside upper center", ncols=2, fontsize=6)
    return figure


def _of(verdicts: list[Verdict], measure: str) -> list[tuple[Verdict, list[Judged]]]:
    """The verdicts that have comparisons of this measure, each with those that decide and were run."""
    found = []
    for verdict in verdicts:
        own = [one for one in verdict.judged if one.decides and one.estimate and one.comparison.measure == measure]
        found += [(verdict, own)] if own else []
    return found


def _panel(axes: Axes, title: str, rows: list[tuple[Verdict, list[Judged]]]) -> None:
    limit = _limit([one for _, judged in rows for one in judged])
    place, ticks, labels = 0.0, [], []
    for verdict, judged in rows:
        place += HEAD
        axes.annotate(
            f"{verdict.name}: {verdict.word}", (limit, place), xytext=(0, 1),
            textcoords="offset points", fontsize=6.5, fontweight="bold", ha="right", va="bottom",
            zorder=2, bbox={"facecolor": "white", "linewidth": 0, "pad": 0.5},
        )  # fmt: skip
        for one in judged:
            place += ROW
            _row(axes, place - ROW / 2, one, limit)
            ticks.append(place - ROW / 2)
            labels.append(_label(one))
    axes.axvline(0, zorder=1, **ZERO)
    axes.set(xlim=(-limit, limit), ylim=(place + ROW / 3, 0), xlabel=title)
    axes.xaxis.label.set_size(7)
    axes.set_yticks(ticks, labels, fontsize=6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)  # it would run through the headings
    axes.grid(visible=False)
    axes.xaxis.set_major_locator(MaxNLocator(6, symmetric=True))
    axes.xaxis.set_major_formatter(signed_tick)


def _limit(judged: list[Judged]) -> float:
    """Half the width of the axis: it holds every interval and every effect of the paper."""
    values = [one.comparison.paper for one in judged]
    values += [value for one in judged for value in (one.interval if one.estimate.known else (one.estimate.value,))]
    return 1.08 * max([1.0, *(abs(value) for value in values if not math.isnan(value))])


def _row(axes: Axes, y: float, one: Judged, limit: float) -> None:
    pair, estimate = one.comparison, one.estimate
    if not math.isnan(one.smallest):
        reach = min(one.smallest, limit)
        axes.fill_between([-reach, reach], y - 0.45 * ROW, y + 0.45 * ROW, zorder=0, **SMALLEST)
    look = LOOKS[one.outcome]
    if estimate.known:
        axes.plot(one.interval, [y, y], color=look["color"], linewidth=1.3, solid_capstyle="butt", zorder=2)
    if not math.isnan(pair.paper):
        axes.plot([pair.paper], [y], linestyle="none", zorder=3, **PAPER)
    asked = (-pair.margin, pair.margin) if pair.margin else (one.asked,)
    axes.plot(asked, [y] * len(asked), linestyle="none", zorder=3, **ASKED)
    axes.plot([estimate.value], [y], linestyle="none", markersize=3, zorder=4, **look)


def _label(one: Judged) -> str:
    pair = one.comparison
    level = f", {pair.level:g} %" if pair.measure == "updates" else ""
    return f"{DATASETS[pair.corpus]} {compared(one)}{level} ({one.estimate.seeds})"


def _handles(drawn: list[Judged]) -> list:
    plain = {"linestyle": "none"}
    found = {one.outcome for one in drawn}
    paper = "the paper, of LRW for words" if any(one.comparison.corpus == WORDS for one in drawn) else "the paper"
    names = {EXCLUDED: "excluded: T is ruled out"}
    shown = {names.get(kind, kind): look for kind, look in LOOKS.items() if kind in found}
    marks = [Line2D([], [], label=label, markersize=4, **plain, **look) for label, look in shown.items()]
    marks.append(Line2D([], [], color="0.2", linewidth=1.3, label=f"ours, {INTERVAL:.0%} interval (seeds)"))
    marks.append(Line2D([], [], label=paper, **plain, **PAPER))
    marks.append(Line2D([], [], label="T, the effect asked about, or the margin", **plain, **ASKED))
    return [*marks, Patch(facecolor="0.9", label="so small that these seeds often miss it")]
