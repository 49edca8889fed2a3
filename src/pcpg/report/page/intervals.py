"""Intervals as drawings: a line from low to high, our effect on it, the paper's beside it, all on one scale."""

from dataclasses import dataclass

from pcpg.report.page.markup import Markup, join, tag
from pcpg.report.words import MINUS, signed

WIDTH, EDGE, STEP = 240, 10, 8  # px: the drawing, what is free at either end, from line to line


@dataclass(frozen=True)
class Interval:
    effect: float
    low: float
    high: float
    paper: float | None
    control: bool


def draw(intervals: list[Interval], reach: float, scale: bool = False) -> Markup:
    """The intervals under one another, over -reach .. reach; with `scale` also its numbers."""
    height = STEP * len(intervals) + 6

    def x(value: float) -> str:
        return f"{WIDTH / 2 + max(-1.0, min(1.0, value / reach)) * (WIDTH / 2 - EDGE):.1f}"

    drawn = [tag("line", x1=x(0), x2=x(0), y1=0, y2=height, class_="zero")]
    for number, one in enumerate(intervals):
        drawn += _one(one, x, STEP * number + 7)
    if scale:
        drawn.append(_scale(reach, height + 12))
    low, high = min(one.low for one in intervals), max(one.high for one in intervals)
    label = f"{len(intervals)} intervals" if len(intervals) > 1 else "interval"
    return tag(
        "svg", drawn, viewBox=f"0 0 {WIDTH} {height + 16 * scale}", width=WIDTH, height=height + 16 * scale,
        class_="intervals", role="img", aria_label=f"{label} from {signed(low)} to {signed(high)}",
    )  # fmt: skip


def _one(one: Interval, x, y: int) -> list[Markup]:
    kind = "control" if one.control else None
    found = [tag("line", x1=x(one.low), x2=x(one.high), y1=y, y2=y, class_="range")]
    if one.paper is not None:
        at = float(x(one.paper))
        found.append(tag("path", d=f"M{at:.1f} {y - 4}l4 4l-4 4l-4 -4z", class_="paper"))
    found.append(tag("circle", cx=x(one.effect), cy=y, r=3, class_="effect"))
    return [tag("g", found, class_=kind)]


def _scale(reach: float, y: int) -> Markup:
    ends = [(EDGE, f"{MINUS}{reach:g}", "start"), (WIDTH / 2, "0", "middle"), (WIDTH - EDGE, f"+{reach:g}", "end")]
    return join([tag("text", text, x=f"{at:g}", y=y, text_anchor=anchor) for at, text, anchor in ends])
