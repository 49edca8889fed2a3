"""The last parts of the page: the quality of the data, what it costs, and how to make it again."""

import hashlib
import platform
import re
from importlib import metadata
from pathlib import Path
from statistics import median_low

import pcpg
from pcpg.mouths.inventory import Count, Measure, Note
from pcpg.report.page.markup import Markup, fold, join, row, table, tag
from pcpg.report.paper import CORPORA
from pcpg.settings.schema import Params
from pcpg.workspace.paths import Paths
from pcpg.workspace.rows import read_rows

NOTES = 300  # of a corpus on the page
LENGTH = re.compile(r"clips of (\d+) frames")
PARTS = "One multiply-add is 2 FLOPs; convolutions and matrix products are counted, what works element by element not."


def quality(settings: Params, paths: Paths) -> Markup:
    """What became of every clip: counts a corpus, and each clip that is odd, repaired or left out, with the reason."""
    counts = {corpus: counted(paths, corpus) for corpus in settings.corpus_names}
    known = {corpus: found for corpus, found in counts.items() if found}
    kinds = dict.fromkeys(what for found in known.values() for what in found if not LENGTH.fullmatch(what))
    rows = [row(what, *(f"{found[what]:,}" if what in found else "" for found in known.values())) for what in kinds]
    if known:
        rows.append(row("frames a clip", *(_lengths(found) for found in known.values())))
    shown = table("Counts of clips", ["", *(CORPORA[corpus] for corpus in known)], rows) if known else None
    unknown = [
        tag("p", f"{CORPORA[corpus]}: not counted yet.", class_="empty") for corpus in counts if not counts[corpus]
    ]
    measured = [_measures(CORPORA[corpus], paths.inventory(corpus) / "quality.csv") for corpus in known]
    return join(
        shown, unknown, measured, [_notes(CORPORA[corpus], paths.inventory(corpus) / "notes.csv") for corpus in known]
    )


def counted(paths: Paths, corpus: str) -> dict[str, int]:
    """What the stage store counted; {} where it has not run."""
    path = paths.inventory(corpus) / "summary.csv"
    return {found.what: found.count for found in read_rows(path, Count)} if path.is_file() else {}


def lengths(found: dict[str, int]) -> list[int]:
    """Frames of each clip, ascending, from what `counted` returned."""
    number = {int(match[1]): count for what, count in found.items() if (match := LENGTH.fullmatch(what))}
    return [length for length, count in sorted(number.items()) for _ in range(count)]


def _lengths(found: dict[str, int]) -> str:
    all_ = lengths(found)
    if not all_:
        return ""
    return f"{all_[0]}" if all_[0] == all_[-1] else f"{all_[0]} to {all_[-1]}, median {median_low(all_)}"


def _measures(corpus: str, path: Path) -> Markup | None:
    if not path.is_file():
        return None
    rows = [row(m.what, m.median, m.p95, m.largest, m.clip, numeric=1) for m in read_rows(path, Measure)]
    head = ("Of each clip", "Median", "95 of 100 at most", "Largest", "That of")
    return fold(f"{corpus}: faces, jitter and scale", table(f"Quality of {corpus}", head, rows))


def _notes(corpus: str, path: Path) -> Markup:
    notes = read_rows(path, Note) if path.is_file() else []
    if not notes:
        what = "every clip was used as it is" if path.is_file() else "what became of each clip is not noted"
        return tag("p", f"{corpus}: {what}.")
    rows = [row(note.clip, note.status, note.stage, note.reason, numeric=9) for note in notes[:NOTES]]
    more = f"; the first {NOTES:,} of them, all are in {path.name}" if len(notes) > NOTES else ""
    shown = table(f"Notes on {corpus}", ("Clip", "What", "Stage", "Why"), rows, numeric=9)
    return fold(
        f"{corpus}: {len(notes):,} note{'s'[: len(notes) != 1]} on what is odd, repaired or left out{more}", shown
    )


def cost(settings: Params, paths: Paths, texts: dict[str, list[str]]) -> Markup:
    """Parameters and FLOPs by part of the network. texts: reference texts of each corpus, for the decoder's steps."""
    from pcpg.reader.sizes import measure

    columns, sizes = [], []
    for corpus in settings.corpus_names:
        frames = lengths(counted(paths, corpus)) or [75]
        steps = median_low([len(text) for text in texts.get(corpus) or [" " * 27]]) + 1
        columns.append(f"{CORPORA[corpus]}: {median_low(frames)} frames, {steps} steps")
        sizes.append(measure(settings.model[corpus], median_low(frames), steps))
    rows = [row(part, *_cost([found[part] for found in sizes])) for part in sizes[0]]
    rows.append(
        row("total", *_cost([tuple(map(sum, zip(*found.values(), strict=True))) for found in sizes]), kind="sum")
    )
    headings = ["Part", *(name for column in columns for name in (f"{column}, parameters", "GFLOP a clip"))]
    return join(
        tag("p", "The network of each corpus, and one forward pass of a clip of median length, decoded in as many "
            f"steps as the median test text has characters, and one for its end. {PARTS}", class_="key"),
        table("Parameters and FLOPs", headings, rows),
    )  # fmt: skip


def _cost(sizes: list[tuple[int, int]]) -> list[str]:
    return [text for parameters, flops in sizes for text in (f"{parameters:,}", f"{flops / 1e9:.3f}")]


def again(file: str) -> Markup:
    """The commands, what they were run with, and digests to compare."""
    commands = [
        "make setup", ". .venv/bin/activate", f"snakemake --cores 2 --configfile {file}", f"pcpg page --params {file}",
    ]  # fmt: skip
    rows = [row(name, tag("code", version), numeric=9) for name, version in versions().items()]
    return join(
        tag("p", "In a clone of the repository; the second but last makes everything that is missing, the last this "
            "page alone, with the same bytes from the same inputs on the same machine."),
        tag("pre", tag("code", "\n".join(commands)), tabindex="0"),
        fold("Versions with which this page was made", table("Versions", ("Software", "Version"), rows, numeric=9)),
    )  # fmt: skip


def versions() -> dict[str, str]:
    """Python, this package, and every package that it asks for."""
    found = {"Python": f"{platform.python_implementation()} {platform.python_version()}"}
    wanted = [text for text in metadata.requires("pcpg") or [] if "extra ==" not in text]
    names = ["pcpg", *sorted(re.match(r"[\w.-]+", text)[0] for text in wanted)]
    present = {installed.metadata["Name"].lower() for installed in metadata.distributions()}
    return found | {name: metadata.version(name) for name in names if name.lower() in present}


def digests(settings_file: Path) -> Markup:
    """SHA-256 of the parameter file and of the sources, with the commands that print them."""
    name = settings_file.name
    sources = "(cd src && find pcpg -type f -not -path '*/__pycache__/*' | LC_ALL=C sort | xargs sha256sum | sha256sum)"
    rows = [
        row(
            "parameters",
            tag("code", hashlib.sha256(settings_file.read_bytes()).hexdigest()),
            tag("code", f"sha256sum {name}"),
            numeric=9,
        ),
        row("sources", tag("code", source_digest()), tag("code", sources), numeric=9),
    ]
    return table("Digests", ("Of the", "SHA-256", "Printed by"), rows, numeric=9)


def source_digest() -> str:
    """One SHA-256 for all files of the package: that of the listing which sha256sum prints for them, by name."""
    package = Path(pcpg.__file__).parent
    files = {path.relative_to(package.parent).as_posix(): path for path in package.rglob("*") if path.is_file()}
    wanted = sorted((name for name in files if "/__pycache__/" not in name), key=str.encode)
    listing = "".join(f"{hashlib.sha256(files[name].read_bytes()).hexdigest()}  {name}\n" for name in wanted)
    return hashlib.sha256(listing.encode()).hexdigest()
