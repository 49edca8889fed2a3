"""The page's account of the trainings: on what, how long, in how much memory, and of which commit."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from pcpg.learning.history import RECORD, read_record
from pcpg.report.page.markup import Markup, fold, join, row, table, tag
from pcpg.report.page.predictions import run_names
from pcpg.report.paper import CORPORA
from pcpg.settings.schema import Params
from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths

KEYS = {"commit", "device", "processes", "updates", "seconds", "peak_memory_mib"}


def recorded(settings: Params, paths: Paths) -> dict[tuple[str, str], list[dict]]:
    """(corpus, run) -> what provenance.json says of each seed; runs without any are absent."""
    found = {}
    for corpus in settings.corpus_names:
        for run in run_names(settings, corpus):
            files = [paths.outcome(corpus, run, seed) / RECORD for seed in settings.seeds]
            if records := [_read(path) for path in files if path.is_file()]:
                found[corpus, run] = records
    return found


def _read(path: Path) -> dict:
    record = read_record(path)
    if not record.keys() >= KEYS:
        raise InputError(path, f"is not a record of a training with {', '.join(sorted(KEYS))}")
    return record


def cost(found: dict[tuple[str, str], list[dict]]) -> Markup:
    """One row a run: medians over its seeds."""
    if not found:
        return tag("p", "Time, device and peak memory of the trainings: not recorded.", class_="empty")
    records = [record for each in found.values() for record in each]
    hours = sum(record["seconds"] for record in records) / 3600
    devices = sorted({record["device"] for record in records})
    head = ("Run", "Seeds", "Updates", "Time", "Peak memory", "Device")
    rows = [row(f"{CORPORA[corpus]} {run}", *_cells(each), numeric=1) for (corpus, run), each in found.items()]
    told = f"{len(records)} trainings took {hours:.1f} hours one after another, with their validations, on "
    return join(
        tag("p", told, "; ".join(devices), ". Medians over seeds. On a CPU the memory is that of the whole process, on "
            "a GPU what tensors took of its own; several trainings may have shared the machine.", class_="key"),
        fold("Time, memory and device of each run", table("Trainings", head, rows)),
    )  # fmt: skip


def _cells(records: list[dict]) -> Iterator[object]:
    peaks = [record["peak_memory_mib"] for record in records if record["peak_memory_mib"] is not None]
    seconds = round(median(record["seconds"] for record in records))
    devices = sorted({f"{record['processes']} x {record['device']}" for record in records})
    yield len(records)
    yield f"{round(median(record['updates'] for record in records)):,}"
    yield f"{seconds // 60}:{seconds % 60:02}"
    yield f"{round(median(peaks)):,} MiB" if peaks else "not recorded"
    yield "; ".join(devices)


def commits(found: dict[tuple[str, str], list[dict]]) -> Markup:
    """Of which commits the trained weights are, with the number of trainings of each."""
    known = [record["commit"] or "not recorded" for records in found.values() for record in records]
    rows = [row(tag("code", commit), known.count(commit)) for commit in sorted(set(known))]
    return table("Commits of the trainings", ("Commit", "Trainings"), rows) if rows else join()
