"""Writes one figure as .png and .svg: the same input gives the same bytes."""

from pathlib import Path

import matplotlib.style
from matplotlib.figure import Figure

from pcpg.errors import InputError
from pcpg.files import atomic_file
from pcpg.report import fig5, fig6, strip
from pcpg.report.paper import CORPORA

STYLE = Path(__file__).with_name("pcpg.mplstyle")
CURVES = {f"fig6_{corpus}": corpus for corpus in CORPORA}
NAMES = ("fig5_coverage", *CURVES, "strip")
METADATA = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}


def write(name: str, results: Path, out: Path, seeds: list[int], clips: Path | None = None) -> None:
    """Write out/{name}.png and .svg; `clips` (one folder a corpus) is needed by the figure strip only."""
    with matplotlib.style.context(STYLE, after_reset=True):
        figure = _draw(name, results, seeds, clips)
        for suffix, metadata in METADATA.items():
            with atomic_file(out / f"{name}.{suffix}") as temporary:
                figure.savefig(temporary, format=suffix, metadata=metadata)


def _draw(name: str, results: Path, seeds: list[int], clips: Path | None) -> Figure:
    if name == "fig5_coverage":
        return fig5.draw()
    if name in CURVES:
        return fig6.draw(CURVES[name], results, seeds)
    if name != "strip":
        raise InputError(name, f"not a figure; there are {', '.join(NAMES)}")
    if clips is None:
        raise InputError(name, "this figure needs the folder of the clip stores")
    return strip.draw(clips)
