"""The last parts of the page: the quality of the data, what the trainings cost, and how to make it all again."""

import re
import shlex
from collections import Counter
from dataclasses import astuple
from importlib import metadata
from pathlib import Path
from statistics import median_low

from pcpg.mouths.inventory import Count, Length, Measure, Note
from pcpg.reader.sizes import RULE, measure
from pcpg.report.costs import read_costs
from pcpg.report.formats import plural
from pcpg.report.paper import DATASETS
from pcpg.settings.schema import Params
from pcpg.workspace.files import sha256
from pcpg.workspace.paths import Paths
from pcpg.workspace.rows import read_rows

NOTES = 300  # of a corpus on the page
USUAL = 75  # frames of a clip, where they have not been counted


def quality_part(settings: Params, paths: Paths) -> dict:
    """What became of every clip: counts a corpus, and each clip that is odd, repaired or left out, with the reason."""
    rows = {corpus: _rows(paths.inventory(corpus) / "summary.csv", Count) for corpus in settings.corpus_names}
    counts = {corpus: {row.what: row.count for row in of_corpus} for corpus, of_corpus in rows.items()}
    known = {corpus: of_corpus for corpus, of_corpus in counts.items() if of_corpus}
    kinds = dict.fromkeys(what for of_corpus in known.values() for what in of_corpus)
    rows = [[what, *(f"{each[what]:,}" if what in each else "" for each in known.values())] for what in kinds]
    if known:
        rows.append(["frames a clip", *(_range(lengths(paths, corpus)) for corpus in known)])
    return {
        "headings": ["", *(DATASETS[corpus] for corpus in known)],
        "rows": rows,
        "uncounted": [DATASETS[corpus] for corpus in counts if corpus not in known],
        "corpora": [_of_corpus(DATASETS[corpus], paths.inventory(corpus)) for corpus in known],
    }


def _rows(path: Path, kind: type) -> list:
    """The rows of a file of stage `store`, as `kind`; [] where there is no such file."""
    return read_rows(path, kind) if path.is_file() else []


def lengths(paths: Paths, corpus: str) -> list[int]:
    """Frames of each clip, ascending; [] where they have not been counted."""
    rows = _rows(paths.inventory(corpus) / "lengths.csv", Length)
    return sorted(row.frames for row in rows for _ in range(row.clips))


def _range(frames: list[int]) -> str:
    if not frames:
        return "not counted"
    return f"{frames[0]}" if frames[0] == frames[-1] else f"{frames[0]} to {frames[-1]}, median {median_low(frames)}"


def _of_corpus(name: str, folder: Path) -> dict:
    """Measures and notes of one corpus; what the page shows of them, in words."""
    measures, notes = _rows(folder / "quality.csv", Measure), _rows(folder / "notes.csv", Note)
    noted = (folder / "notes.csv").is_file()
    more = f"; the first {NOTES:,} of them, all are in notes.csv" if len(notes) > NOTES else ""
    summary = f"{plural(len(notes), 'note')} on what is odd, repaired or left out{more}"
    if not notes:
        summary = "every clip was used as it is." if noted else "what became of each clip is not noted."
    return {
        "name": name,
        "summary": f"{name}: {summary}",
        "measures": list(map(astuple, measures)),
        "notes": list(map(astuple, notes[:NOTES])),
    }


def sizes_part(settings: Params, paths: Paths, texts: dict[str, list[str]]) -> dict:
    """Parameters and FLOPs by part of the network. texts: reference texts of each corpus, for the decoder's steps."""
    headings, sizes = ["Part"], []
    for corpus in settings.corpus_names:
        frames = median_low(lengths(paths, corpus) or [USUAL])
        steps = median_low([len(text) for text in texts.get(corpus) or [" " * 27]]) + 1
        column = f"{DATASETS[corpus]}: {frames} frames, {steps} steps"
        headings += [f"{column}, parameters", "GFLOP a clip"]
        sizes.append(measure(settings.view[corpus], settings.network[corpus], frames, steps))
    rows = [[part, *_size([of_corpus[part] for of_corpus in sizes])] for part in sizes[0]]
    rows.append(["total", *_size([tuple(map(sum, zip(*each.values(), strict=True))) for each in sizes])])
    how_to_read = (
        "The network of each corpus, and one forward pass of a clip of median length, decoded in as many steps as the "
        f"median test text has characters, and one for its end. {RULE}"
    )
    return {"headings": headings, "rows": rows, "how_to_read": how_to_read}


def _size(sizes: list[tuple[int, int]]) -> list[str]:
    return [text for parameters, flops in sizes for text in (f"{parameters:,}", f"{flops / 1e9:.3f}")]


def costs_part(settings: Params, paths: Paths) -> dict:
    """What the committed trainings took: one row a run."""
    rows = [row for row in read_costs(paths) if row["corpus"] in settings.corpus_names]
    trainings = sum(int(row["seeds"]) for row in rows)
    hours = sum(int(row["seeds"]) * float(row["seconds"]) for row in rows) / 3600
    devices = "; ".join(sorted({row["device"] for row in rows}))
    commits = Counter()
    for row in rows:
        commits[row["commit"]] += int(row["seeds"])
    sentence = (
        f"Of the committed run: {trainings} trainings took about {hours:.1f} hours one after another, with their "
        f"validations, on {devices}. Medians over seeds. On a CPU the memory is that of the whole process, on a GPU "
        "what tensors took of its own; several trainings may have shared the machine."
    )
    return {"sentence": sentence, "rows": [_cost(row) for row in rows], "commits": sorted(commits.items())}


def _cost(row: dict[str, str]) -> list[str]:
    seconds, peak = round(float(row["seconds"])), row["peak_memory_mib"]
    return [
        f"{DATASETS[row['corpus']]} {row['run']}",
        row["seeds"],
        f"{int(row['updates']):,}",
        f"{seconds // 60}:{seconds % 60:02}",
        f"{float(row['seconds']) / int(row['updates']):.3f}",
        f"{int(peak):,} MiB" if peak else "not recorded",
        f"{row['processes']} x {row['device']}",
    ]


def again_part(name: str, parameter_file: Path) -> dict:
    """The commands, what they were run with, and the digest of the parameter file, which commands call `name`."""
    file = shlex.quote(name)
    commands = f"make setup\n. .venv/bin/activate\nsnakemake --cores 2 --configfile {file}\npcpg page --params {file}"
    digests = [["parameters", sha256(parameter_file), f"sha256sum {file}"]]
    return {"commands": commands, "versions": list(versions().items()), "digests": digests}


def versions() -> dict[str, str]:
    """This package, and every package that it asks for.

    Without that of Python: several give the same bytes, and the records of trainings have it.
    """
    wanted = [text for text in metadata.requires("pcpg") or [] if "extra ==" not in text]
    names = ["pcpg", *sorted(re.match(r"[\w.-]+", text)[0] for text in wanted)]
    present = {installed.metadata["Name"].lower() for installed in metadata.distributions()}
    return {name: metadata.version(name) for name in names if name.lower() in present}
