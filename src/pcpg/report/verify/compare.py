"""What two folders of results have in common: bytes, cells, rates by seed and utterance, verdicts and figures."""

import io
import math
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from pcpg.report.results.files import errors_of, read_table
from pcpg.report.results.stats import Estimate, difference
from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths

UNTOUCHED = ("costs.csv", "tuning*.csv")  # by the pipeline
SECONDS = "seconds_an_update"  # a column that tables have from costs.csv, so that it follows the machine
BySeed = dict[str, dict[str, dict[str, str]]]  # rows of predictions by seed and clip


@dataclass
class Verification:
    """What two folders of results have in common and what not."""

    against: str
    files: int = 0  # compared
    changed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  # theirs, and not ours
    extra: list[str] = field(default_factory=list)
    cells: int = 0  # of tables
    differing: list[tuple[str, float]] = field(default_factory=list)  # table and the largest difference in it
    timed: list[str] = field(default_factory=list)  # tables in which SECONDS alone differ
    runs: list[tuple[str, str, Estimate]] = field(default_factory=list)  # run, measure, ours minus theirs
    others: list[str] = field(default_factory=list)  # runs of other references, or that share no seed and utterance
    partly: list[str] = field(default_factory=list)  # runs that lack seeds, utterances or decoders of theirs
    edited: list[str] = field(default_factory=list)  # runs whose metrics or predictions changed, and not both
    verdicts: list[tuple[str, str, str]] = field(default_factory=list)  # claim, theirs, ours

    @property
    def identical(self) -> bool:
        return not (self.changed or self.missing or self.extra)

    @property
    def figures(self) -> list[str]:
        return sorted(name for name in self.changed if name.startswith("figures/"))

    @property
    def texts(self) -> list[str]:
        return sorted(name for name in self.changed if name.endswith((".md", ".tex", ".html")))

    @property
    def unexplained(self) -> list[tuple[str, str, Estimate]]:
        """Differences that are larger than seeds and utterances explain."""
        return [one for one in self.runs if one[2].explained() is False]

    @property
    def status(self) -> int:
        """0: identical; 1: other bytes, which seeds explain; 2: what seeds do not explain, or files or seeds lost."""
        if self.identical:
            return 0
        any_unknown = any(unknown(difference) for _, _, difference in self.runs)
        # a page names versions of packages too
        texts = [name for name in self.texts if Path(name).suffix != ".html" and Path(name).stem not in self.timed]
        edited = bool(self.differing or texts) and not self.runs  # no run explains them
        lost = self.missing or self.others or self.partly
        return 2 if self.unexplained or lost or self.edited or any_unknown or edited else 1


def unknown(difference: Estimate) -> bool:
    """Whether there is no interval to judge by: one seed or utterance, or everywhere the same difference, not 0."""
    return not difference.known and (difference.value != 0 or min(difference.seeds, difference.utterances) < 2)


def verify(paths: Paths, against: str) -> Verification:
    """Compare results/<preset> and figures/<preset> with those of a folder or a git revision `against`.

    InputError where there is no such folder or revision, or it has no results of this preset.
    """
    places = [paths.results.relative_to(paths.base), paths.figures.relative_to(paths.base)]
    if not paths.results.is_dir():
        raise InputError(paths.results, "no results; run the preset first")
    with TemporaryDirectory() as temporary:
        theirs = Path(against) if Path(against).is_dir() else _checkout(against, places, Path(temporary), paths.base)
        if not (theirs / places[0]).is_dir():
            raise InputError(against, f"has no {places[0]}, so there is nothing to compare with")
        return _compare(paths.base, theirs, places, against)


def _checkout(revision: str, places: list[Path], folder: Path, base: Path) -> Path:
    """The places as a git revision has them, below `folder`."""
    git = ["git", "-C", str(base)]
    known = subprocess.run([*git, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], capture_output=True)
    if known.returncode:
        raise InputError(revision, "is no folder, and no revision of this git repository")
    kept = subprocess.run([*git, "ls-tree", "-d", "--name-only", revision, *map(str, places)], capture_output=True)
    names = kept.stdout.decode().split()
    if names:
        packed = subprocess.run([*git, "archive", "--format=tar", revision, *names], capture_output=True, check=True)
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extraction_filter = tarfile.data_filter if hasattr(tarfile, "data_filter") else None  # from 3.11.4
            archive.extractall(folder)
    return folder


def _compare(base: Path, theirs: Path, places: list[Path], against: str) -> Verification:
    ours, others = _files(base, places), _files(theirs, places)
    result = Verification(against, files=len(ours & others))
    result.missing, result.extra = sorted(others - ours), sorted(ours - others - _ignored(base, ours - others))
    result.changed = sorted(one for one in ours & others if (base / one).read_bytes() != (theirs / one).read_bytes())
    for name in result.changed:
        path = Path(name)
        if path.name == "predictions.csv":
            mine, other = _by_seed(base / path), _by_seed(theirs / path)
            differences = list(_run_differences(_run(path), mine, other))
            result.runs += differences
            if not differences:
                result.others.append(_run(path))
            elif _whole(other) - _whole(mine):
                result.partly.append(_run(path))
            beside = str(path.with_name("metrics.json"))
            if beside in ours & others and beside not in result.changed and any(one[2].value for one in differences):
                result.edited.append(_run(path))
        elif path.name == "metrics.json" and str(path.with_name("predictions.csv")) not in result.changed:
            result.edited.append(_run(path))
        elif path.suffix == ".csv":
            tables = [read_table(folder / path) for folder in (base, theirs)]
            cells, largest = _cells(*tables)
            result.cells += cells
            table = path.relative_to(places[0]).with_suffix("").as_posix()
            if largest is not None:
                result.differing.append((table, largest))
            elif any(SECONDS in row for row in tables[0]):
                result.timed.append(table)
            if path.name == "claims.csv":
                result.verdicts += _changed_verdicts(base / path, theirs / path)
    return result


def _files(base: Path, places: list[Path]) -> set[str]:
    """Names of all results. Histories are left out: where a preset's are not in git, they are missing there."""
    found = (path for place in places for path in (base / place).rglob("*") if path.is_file())
    names = (path for path in found if not any(map(path.match, (".*", "history-*", *UNTOUCHED))))
    return {path.relative_to(base).as_posix() for path in names}


def _ignored(base: Path, names: set[str]) -> set[str]:
    """Those that git keeps out of every commit, such as pictures of a corpus that may not be shared."""
    if not names:
        return set()
    asked = ["git", "-C", str(base), "check-ignore", "--stdin", "-z"]
    return set(subprocess.run(asked, input="\0".join(names), capture_output=True, text=True).stdout.split("\0"))


def _run(path: Path) -> str:
    return f"{path.parents[1].name}/{path.parent.name}"


def _cells(mine: list[dict[str, str]], other: list[dict[str, str]]) -> tuple[int, float | None]:
    """Cells of a table but for SECONDS, and the largest difference: nan of texts or other rows, None if all equal."""
    if len(mine) != len(other) or (mine and mine[0].keys() != other[0].keys()):
        return 0, math.nan
    pairs = [(row[key], match[key]) for row, match in zip(mine, other, strict=True) for key in row if key != SECONDS]
    gaps = [_gap(*pair) for pair in pairs if pair[0] != pair[1]]
    return len(pairs), max(gaps, key=lambda gap: math.inf if math.isnan(gap) else gap) if gaps else None


def _gap(ours: str, theirs: str) -> float:
    try:
        return abs(float(ours) - float(theirs))
    except ValueError:
        return math.nan


def _changed_verdicts(ours: Path, theirs: Path) -> list[tuple[str, str, str]]:
    tables = (read_table(path, "claim", "regime", "verdict") for path in (theirs, ours))
    before, after = ({f"{row['claim']}, {row['regime']}": row["verdict"] for row in rows} for rows in tables)
    both = ((claim, before.get(claim, "-"), after.get(claim, "-")) for claim in before | after)
    return [(claim, old, new) for claim, old, new in both if old != new]


def _run_differences(run: str, mine: BySeed, other: BySeed) -> Iterator[tuple[str, str, Estimate]]:
    """Ours minus theirs, by each decoder and measure, over the seeds and utterances that both have.

    Nothing where the two were tested on other speakers or references.
    """
    seeds = [seed for seed in mine if seed in other]
    every = [rows[seed] for rows in (mine, other) for seed in seeds]
    clips = [clip for clip in every[0] if all(clip in of for of in every)] if every else []
    both = [{seed: [rows[seed][clip] for clip in clips] for seed in seeds} for rows in (mine, other)]
    if not clips or _facts(both[0]) != _facts(both[1]):
        return
    firsts = [rows[seeds[0]][0] for rows in both]
    columns = [key for key in ("greedy", "beam", "classified") if all(key in row for row in firsts)]
    for column in columns:
        for measure in ("error",) if column == "classified" else ("cer", "wer"):
            errors = (errors_of(run.partition("/")[0], rows, column, measure) for rows in both)
            yield run, f"{column} {measure}", difference(*errors)


def _facts(rows: dict[str, list[dict[str, str]]]) -> list[tuple[str, str]]:
    return [(row.get("speaker", ""), row["reference"]) for of in rows.values() for row in of]


def _whole(rows: BySeed) -> set[tuple[str, str, str]]:
    """(seed, clip, column) of every cell."""
    return {(seed, clip, column) for seed, of in rows.items() for clip, row in of.items() for column in row}


def _by_seed(path: Path) -> BySeed:
    rows: BySeed = {}
    for row in read_table(path, "seed", "clip", "reference"):
        rows.setdefault(row["seed"], {})[row["clip"]] = row
    return rows
