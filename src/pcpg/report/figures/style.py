"""What all figures share. No date or software name is written into the files: equal figures have equal bytes."""

from functools import partial
from pathlib import Path

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from pcpg.report.formats import MINUS, NOT_RUN

STYLE = Path(__file__).with_name("pcpg.mplstyle")
METADATA = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
# draw and save within house_style(): the project's look, whatever the user's own settings of matplotlib
house_style = partial(matplotlib.style.context, STYLE, after_reset=True)

# the palette of Okabe and Ito, which colour-blind readers can tell apart
BLUE, SKY, GREEN = "#0072B2", "#56B4E9", "#009E73"
VERMILLION, ORANGE, PURPLE = "#D55E00", "#E69F00", "#CC79A7"
ZERO = {"color": "0.35", "linewidth": 0.8}  # the line of no difference


def signed_tick(value: float, _: int) -> str:
    """A difference at an axis, as matplotlib formats ticks."""
    return f"{value:+g}".replace("-", MINUS) if value else "0"


def band_handle(what: str) -> Patch:
    """The entry of a legend that says what the band about a curve is."""
    return Patch(facecolor="0.85", label=what)


def say_in(axes: Axes, text: str = NOT_RUN) -> None:
    """In the middle of a panel that has nothing to show."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center")


def not_run(width: float) -> Figure:
    """A figure, `width` inches wide, that says only that nothing has run."""
    figure = Figure(figsize=(width, 1))
    figure.text(0.5, 0.5, NOT_RUN, ha="center")
    return figure


def place(figure: Figure, left: float, top: float, wide: float, high: float, **kwargs) -> Axes:
    """Axes with their upper left corner so many inches from the figure's; kwargs: of add_axes."""
    figure.set_layout_engine("none")  # as an argument of Figure it would be undone on saving
    width, height = figure.get_size_inches()
    return figure.add_axes((left / width, 1 - (top + high) / height, wide / width, high / height), **kwargs)
