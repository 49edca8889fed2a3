"""What the committed trainings cost: results/<preset>/costs.csv, which `pcpg costs` writes and the page shows.

It is made from the records of the trainings, which differ between machines. Tables show its seconds of an update; no
other result depends on it.
"""

import json
import math
from pathlib import Path
from statistics import median

from pcpg.report.results.files import read_table
from pcpg.settings.schema import Params
from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths
from pcpg.workspace.rows import write_csv

NAME = "costs.csv"
NEEDED = {"commit", "device", "processes", "updates", "seconds", "peak_memory_mib"}
COLUMNS = ("corpus", "run", "seeds", "updates", "seconds", "peak_memory_mib", "device", "processes", "commit")


def write_costs(settings: Params, paths: Paths) -> None:
    """One row for each run that has a record: medians over its seeds. InputError where no run has one."""
    rows = []
    for corpus in settings.corpus_names:
        for run in settings.trainings(corpus):
            files = (paths.record(corpus, run, seed) for seed in settings.seeds_of(corpus, run))
            records = [_record(path) for path in files if path.is_file()]
            if records:
                rows.append({"corpus": corpus, "run": run} | _summary(records))
    if not rows:
        raise InputError(f"preset {settings.preset}", "no training has left a record, so there are no costs to write")
    write_csv(paths.results / NAME, COLUMNS, rows)


def read_costs(paths: Paths) -> list[dict[str, str]]:
    """The rows of costs.csv; [] where there is no such file."""
    path = paths.results / NAME
    if not path.is_file():
        return []
    rows = read_table(path, *COLUMNS)
    for number, row in enumerate(rows, start=2):
        try:
            counts = int(row["seeds"]), int(row["updates"])
            whole = min(counts) > 0 and 0 <= float(row["seconds"]) < math.inf
        except ValueError:
            whole = False
        if not whole:
            raise InputError(f"{path}, line {number}", "is not a row of costs; write the file again with pcpg costs")
    return rows


def updates(paths: Paths) -> dict[tuple[str, str], tuple[int, float]]:
    """(corpus, run) -> updates, and seconds of each, validations included; {} where there is no costs.csv."""
    return {
        (row["corpus"], row["run"]): (int(row["updates"]), float(row["seconds"]) / int(row["updates"]))
        for row in read_costs(paths)
    }


def _record(path: Path) -> dict:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:  # also an encoding that is not UTF-8
        record = None
    whole = isinstance(record, dict) and record.keys() >= NEEDED
    if not whole or not all(isinstance(record[key], int | float) for key in ("updates", "seconds")):
        raise InputError(path, f"is not a record of a training with {', '.join(sorted(NEEDED))}")
    return record


def _summary(records: list[dict]) -> dict[str, object]:
    """Medians, and all that the columns of texts have."""
    peaks = [record["peak_memory_mib"] for record in records if record["peak_memory_mib"] is not None]
    texts = {key: {str(one[key] or "not recorded") for one in records} for key in ("device", "processes", "commit")}
    return {
        "seeds": len(records),
        "updates": round(median(record["updates"] for record in records)),
        "seconds": round(median(record["seconds"] for record in records), 1),
        "peak_memory_mib": round(median(peaks)) if peaks else "",
        **{key: "; ".join(sorted(distinct)) for key, distinct in texts.items()},
    }
