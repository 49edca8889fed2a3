"""Writes one table, ours beside the paper's, as .csv, .md and .tex."""

from pcpg.report.names import table_names
from pcpg.report.results.results import Results
from pcpg.report.tables.fill import fill
from pcpg.report.tables.layouts import layout_of
from pcpg.report.tables.render import csv_row, to_markdown, to_tex
from pcpg.settings.schema import Params
from pcpg.workspace.errors import InputError
from pcpg.workspace.files import write_text
from pcpg.workspace.paths import Paths
from pcpg.workspace.rows import write_csv


def write_table(name: str, settings: Params, paths: Paths) -> None:
    """Write results/<preset>/{name}.csv, .md and .tex from the metrics and predictions of the runs.

    A run without results reads "not run"; malformed or contradictory ones are an InputError that names the file.
    """
    if name not in table_names():
        raise InputError(name, f"not a table; there are {', '.join(table_names())}")
    table = fill(layout_of(name, settings), Results(paths, settings))
    rows = [csv_row(table, line) for line in table.lines]
    write_csv(paths.results / f"{name}.csv", list(rows[0]), rows)
    write_text(paths.results / f"{name}.md", to_markdown(table))
    write_text(paths.results / f"{name}.tex", to_tex(table))
