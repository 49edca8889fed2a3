"""The paper's Fig. 5 and what follows from it: the windows of Eq. 6, and each step's weight in the sum of Eq. 7."""

from fractions import Fraction
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from pcpg.report.figures import WIDTH
from pcpg.report.figures.style import BLUE, ORANGE
from pcpg.report.formats import inflected, kernel_label
from pcpg.report.paper import KERNELS, TABLE1, TABLE2A, TABLE2B

SIZE = (WIDTH, 5.6)  # inches
STEPS = 24  # about a sentence of GRID
FEW = 7  # steps of the drawings
DRAWINGS = {  # run: what its windows do, and what their sum is
    "k5s1": ("windows overlap", "plain policy gradient,\nsofter ends"),
    "k5s5": ("windows do not overlap", "plain policy gradient,\na fifth as strong"),
    "k2s1": ("steps u and u + 1", "plain policy gradient,\nfirst step halved"),
}
TABLES = {"I": TABLE1["grid"], "IIa": TABLE2A, "IIb": TABLE2B}

WHOLE, PART = BLUE, ORANGE  # dark and light in grey
PLAIN, WINDOW, EDGE = "0.93", "#A9D3EC", "0.4"
TOP = 1.9  # y of the first window, in rows; the step losses stand at 0, and each window has a row of its own
FLOOR = TOP + FEW + 5.2  # y of the foot of the coverage bars
UNIT = 4.0  # rows that a coverage of 1 is high
HEADLINE = {"x": 0.005, "ha": "left", "fontsize": 8.5}
ARROW = {"arrowstyle": "->", "linewidth": 0.6, "color": EDGE}
RIM, GAP = 3.4, 1.2  # before the first drawing and between two, in steps
MARGIN = ("step\nlosses", "a window\na row\n(• step u)", "$c_i$: sum\nof the\ncolumn")


def windows(run: str, steps: int) -> list[list[Fraction]]:
    """The weights that each window of the run gives to steps 1 to `steps` (Eq. 6); 0 outside the window."""
    import torch  # slow to start

    from pcpg.objectives.pseudo_conv import pseudo_convolve

    convolved = pseudo_convolve(torch.eye(steps, dtype=torch.float64), *_kernel(run))
    return [_exact(window) for window in convolved.T.tolist()]


def covered(run: str, steps: int = STEPS) -> list[Fraction]:
    """c_i of steps 1 to `steps`: the weight of L_i in the sum of Eq. 7."""
    from pcpg.objectives.pseudo_conv import coverage

    return _exact(coverage(steps, *_kernel(run)).tolist())


def _kernel(run: str) -> tuple:
    import torch

    kernel, stride = KERNELS[run]
    return torch.tensor([float(weight) for weight in kernel], dtype=torch.float64), stride


def _exact(values: list[float]) -> list[Fraction]:
    return [Fraction(value).limit_denominator(100) for value in values]


def draw_coverage() -> Figure:
    """Above: Fig. 5 for three kernels, and what each column of windows sums to; below: this sum for every run."""
    figure = Figure(figsize=SIZE)
    upper, lower = figure.subfigures(2, 1, height_ratios=(1.2, 1))
    upper.suptitle(r"Windows of $k$ steps, moved by $s$:  $L'_u = \sum_i w_i L_i$,  here with $w_i = 1/k$", **HEADLINE)
    lower.suptitle(r"Their sum is one weight a step:  $L_{PCPG} = \sum_u L'_u = \sum_i c_i L_i$", **HEADLINE)
    _drawings(upper.subplots())
    for panel, run in zip(lower.subplots(3, 3, sharex=True, sharey=True).flat, KERNELS, strict=True):
        _panel(panel, run)
    lower.supxlabel(f"step i of a sentence of {STEPS}", fontsize=7.5)
    lower.supylabel("coverage $c_i$", fontsize=7.5)
    shades = [Patch(color=WHOLE, label="$c_i = 1$"), Patch(color=PART, label="$c_i < 1$")]
    lower.legend(handles=shades, loc="upper right", ncols=2)
    return figure


def _drawings(axes: Axes) -> None:
    for y, text in zip((0.5, TOP + FEW / 2, FLOOR - UNIT / 2), MARGIN, strict=True):
        axes.text(0, y, text, va="center", fontsize=7)
    right = RIM
    for run in DRAWINGS:
        right = _drawing(axes, right, run) + GAP
    axes.set_axis_off()
    axes.set(xlim=(0, right - GAP + 0.05), ylim=(FLOOR + 2.6, -1.6))


def _drawing(axes: Axes, left: float, run: str) -> float:
    """Draw one kernel's windows from x = left on; -> the x where the drawing ends."""
    kernel, stride = KERNELS[run]
    weights_of, (what, sums) = windows(run, FEW), DRAWINGS[run]
    firsts = [_first(window, len(kernel)) for window in weights_of]
    past = firsts[-1] + len(kernel)
    origin = left - firsts[0]  # x of step 1
    goal = origin + past + 0.8  # x of the windows' losses
    axes.text(left, -0.6, f"{kernel_label(*KERNELS[run])}: {what}", va="bottom", fontsize=7.5)
    for step in range(firsts[0], past):
        inside = step in range(FEW)
        _box(axes, origin + step, 0, PLAIN if inside else None, f"$L_{step + 1}$" if inside else "0")
    for place, first in enumerate(firsts):
        y = TOP + place
        for step in range(first, first + len(kernel)):
            dot = stride == 1 and step == place
            _box(axes, origin + step, y, WINDOW if step in range(FEW) else None, "•" if dot else "")
        axes.annotate("", (goal, y + 0.5), (origin + first + len(kernel), y + 0.5), arrowprops=ARROW)
        _box(axes, goal, y, PLAIN, f"$L'_{place + 1}$", width=1.4)
    _stack(axes, origin, weights_of)
    axes.text(origin + FEW / 2, FLOOR + 0.4, sums, ha="center", va="top", fontsize=7)
    return goal + 1.4


def _first(window: list[Fraction], size: int) -> int:
    """The first step of a window of `size` steps, counted from 0; negative where it begins before the sentence."""
    inside = [step for step, weight in enumerate(window) if weight]
    return inside[-1] + 1 - size if inside[0] == 0 else inside[0]


def _box(axes: Axes, x: float, y: float, colour: str | None, text: str, width: float = 1) -> None:
    """One step of a row; without a colour it lies outside the sentence."""
    style = {"facecolor": colour} if colour else {"fill": False, "linestyle": ":"}
    axes.add_patch(Rectangle((x, y), width, 1, edgecolor=EDGE, linewidth=0.6, **style))
    axes.text(x + width / 2, y + 0.52, text, ha="center", va="center", fontsize=7)


def _stack(axes: Axes, origin: float, weights_of: list[list[Fraction]]) -> None:
    """Each step's weights in the windows, one on another: the coverage as a bar, named once where it stays the same."""
    columns = list(zip(*weights_of, strict=True))
    for step, column in enumerate(columns):
        colour, y = WHOLE if sum(column) == 1 else PART, FLOOR
        for weight in filter(None, column):
            height = UNIT * float(weight)
            y -= height
            axes.add_patch(Rectangle((origin + step, y), 1, height, facecolor=colour, edgecolor="white", linewidth=0.6))
    for value, group in groupby(enumerate(map(sum, columns)), key=lambda item: item[1]):
        steps = [step for step, _ in group]
        y = FLOOR - UNIT * float(value) - 0.2
        axes.text(origin + (steps[0] + steps[-1] + 1) / 2, y, str(value), ha="center", va="bottom", fontsize=7)


def _panel(axes: Axes, run: str) -> None:
    """The coverage of one run as bars; above them in numbers the beginning, the middle and the end."""
    shares = covered(run)
    colours = [WHOLE if weight == 1 else PART for weight in shares]
    axes.bar(range(1, STEPS + 1), [float(weight) for weight in shares], width=0.86, color=colours)
    places = [table for table, rows in TABLES.items() if run in rows]
    axes.set_title(kernel_label(*KERNELS[run]), loc="left", fontsize=7.5)
    axes.set_title(f"{inflected('Table', len(places))} {', '.join(places)}", loc="right", fontsize=7, color=EDGE)
    middle = [step for step, weight in enumerate(shares) if weight == shares[STEPS // 2]]
    parts = {"left": shares[: middle[0]], "center": [shares[middle[0]]], "right": shares[middle[-1] + 1 :]}
    for (side, values), x in zip(parts.items(), (0.6, (STEPS + 1) / 2, STEPS + 0.4), strict=True):
        y = float(max(shares)) + 0.06
        axes.text(x, y, " ".join(map(str, values)), ha=side, va="bottom", fontsize=7)
    axes.set(xlim=(0.4, STEPS + 0.6), ylim=(0, 1.4), yticks=(0, 1), xticks=(1, 6, 12, 18, 24))
    axes.grid(visible=False)
