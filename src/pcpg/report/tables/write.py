"""Writes one table of the paper, ours beside the paper's, as .csv, .md and .tex."""

from pathlib import Path

from pcpg.report.tables.layouts import LAYOUTS
from pcpg.report.tables.render import to_csv, to_markdown, to_tex
from pcpg.report.tables.table import fill
from pcpg.workspace.errors import InputError
from pcpg.workspace.files import write_text

NAMES = tuple(LAYOUTS)
RENDERERS = {"csv": to_csv, "md": to_markdown, "tex": to_tex}


def write(name: str, results: Path, seeds: list[int], preset: str) -> None:
    """Write results/{name}.csv, .md and .tex from the metrics under results/runs.

    A run without metrics reads "not run"; malformed or contradictory metrics are an InputError that names the file.
    """
    if name not in LAYOUTS:
        raise InputError(name, f"not a table; there are {', '.join(NAMES)}")
    table = fill(LAYOUTS[name], results, seeds, preset)
    for suffix, render in RENDERERS.items():
        write_text(results / f"{name}.{suffix}", render(table))
