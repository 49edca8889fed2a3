"""The first part of the page: the paper's claims with verdict, effects and intervals, from claims.csv."""

import csv
import math
from itertools import groupby
from pathlib import Path

from pcpg.report.claims.claims import WORDS as MEASURES
from pcpg.report.claims.write import vouch
from pcpg.report.page.intervals import Interval, draw
from pcpg.report.page.markup import Markup, fold, heading, join, row, table, tag
from pcpg.report.paper import CORPORA
from pcpg.report.results.stats import LEVEL
from pcpg.report.words import NONE, chance, signed
from pcpg.workspace.errors import InputError

WORDS = ("supported", "contradicted", "inconclusive", "not run")
NEEDED = {"claim", "statement", "verdict", "corpus", "run", "against", "measure", "effect", "low", "high", "outcome"}
RATES = ("cer", "wer", "error")
POINTS = {key: MEASURES[key] for key in (*RATES, "unrest")} | {"spread": "spread of WER"}  # in percentage points
HEADINGS = ("Corpus", "Comparison", "Measure", "Outcome", "Paper", "Ours", "Interval", "", "p", "p (Holm)")
READ = (
    "An effect is the difference of two error rates in percentage points: below 0, to the left of the line, the run "
    f"named first makes fewer errors. Intervals are of {LEVEL:.0%}. “Not shown” is what may be chance."
)


def section(path: Path) -> Markup:
    """The verdicts in claims.csv; one sentence where there is no such file."""
    if not path.is_file():
        return tag("p", "Not judged: there is no ", tag("code", path.name), " for this preset.", class_="empty")
    evidence = path.with_name("evidence.md")
    if evidence.is_file() and vouch(path.parent) not in evidence.read_text(encoding="utf-8"):
        raise InputError(path, f"damaged: {evidence.name} beside it names another SHA-256; delete it and run again")
    rows = read(path)
    reach = _reach(rows)
    claims = [list(group) for _, group in groupby(rows, key=lambda found: found["claim"])]
    return join(
        _tally(claims), tag("p", READ, " ", _legend(), class_="key"), [_claim(claim, reach) for claim in claims]
    )


def read(path: Path) -> list[dict]:
    """The comparisons; numbers as floats, nan where there is none."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    absent = NEEDED - set(reader.fieldnames or ())
    if absent or not rows:
        raise InputError(path, f"lacks the column {min(absent)}" if absent else "holds no comparison")
    for number, found in enumerate(rows, start=2):
        for key in ("effect", "low", "high", "paper", "p", "p_holm"):
            try:
                found[key] = float(found.get(key) or "nan")
            except ValueError:
                raise InputError(f"{path}, line {number}", f"{key} is {found[key]!r}, not a number") from None
    return rows


def _control(found: dict) -> bool:
    return found.get("control") == "true"


def _ran(found: dict) -> bool:
    return not math.isnan(found["effect"] + found["low"] + found["high"])


def _reach(rows: list[dict]) -> float:
    """A whole number of points that holds every interval of all claims: one scale for the page."""
    drawn = [found for found in rows if found["measure"] in POINTS and _ran(found)]
    values = [abs(found[key]) for found in drawn for key in ("low", "high", "paper")]
    return float(math.ceil(max([1.0, *(value for value in values if not math.isnan(value))])))


def badge(word: str) -> Markup:
    """A verdict by shape, word and colour."""
    kind = word.replace(" ", "-") if word in WORDS else "other"
    shape = tag("svg", tag("use", href=f"#shape-{kind}"), viewBox="0 0 16 16", width=16, height=16, aria_hidden="true")
    return tag("span", shape, " ", word, class_=f"verdict {kind}")


def _tally(claims: list[list[dict]]) -> Markup:
    found = [claim[0]["verdict"] for claim in claims]
    words = [*WORDS, *sorted(set(found) - set(WORDS))]
    return tag("ul", [tag("li", tag("b", found.count(word)), badge(word)) for word in words], class_="tally")


def _legend() -> Markup:
    line = tag("line", x1=2, x2=26, y1=7, y2=7, class_="range")
    ours = tag("svg", line, tag("circle", cx=14, cy=7, r=3, class_="effect"), width=28, height=14, class_="intervals")
    paper = tag("svg", tag("path", d="M7 3l4 4l-4 4l-4 -4z", class_="paper"), width=14, height=14, class_="intervals")
    return tag("span", ours, " ours, ", paper, " the paper’s.", class_="legend")


def _claim(rows: list[dict], reach: float) -> Markup:
    first, own = rows[0], [found for found in rows if not _control(found)]
    drawn = [_interval(found) for found in own if _ran(found) and found["measure"] in POINTS]
    words = tag("p", first["reason"], class_="reason") if first.get("reason") else None
    name = tag("span", first["claim"], class_="name")
    text = tag("div", heading(3, first["claim"], name, " ", first["statement"]), words, class_="text")
    numbers = tag("div", draw(drawn, reach, scale=True) if drawn else None, _summary(own), class_="numbers")
    count = f"{len(rows)} comparison{'s'[: len(rows) != 1]}"
    if len(own) < len(rows):
        count += f", {len(rows) - len(own)} of them controls"
    comparisons = table(f"Comparisons of {first['claim']}", HEADINGS, [_row(found, reach) for found in rows], numeric=4)
    return tag("article", badge(first["verdict"]), text, numbers, fold(count, comparisons), class_="claim")


def _interval(found: dict) -> Interval:
    paper = None if math.isnan(found["paper"]) else found["paper"]
    return Interval(found["effect"], found["low"], found["high"], paper, _control(found))


def _summary(rows: list[dict]) -> Markup:
    """In words what the drawing shows, for each kind of measure."""
    kinds: dict[str, list[dict]] = {}
    for found in rows:
        if _ran(found):
            kinds.setdefault("" if found["measure"] in RATES else found["measure"], []).append(found)
    lines = [tag("li", f"{POINTS.get(kind, kind)}: " if kind else None, _range(some)) for kind, some in kinds.items()]
    return tag("ul", lines) if lines else tag("p", "no effect: not run")


def _range(rows: list[dict]) -> Markup:
    low, high = min(found["low"] for found in rows), max(found["high"] for found in rows)
    effects = [found["effect"] for found in rows]
    within = tag("span", f"[{signed(low)}, {signed(high)}]", class_="whole")
    if len(rows) == 1:
        return join(tag("b", signed(effects[0])), " ", within)
    count = tag("b", f"{signed(min(effects))} to {signed(max(effects))}")
    return join(count, f" ({len(rows)} effects), within ", within)


def _row(found: dict, reach: float) -> Markup:
    ran, points = _ran(found), found["measure"] in POINTS
    interval = f"[{signed(found['low'])}, {signed(found['high'])}]" if ran else NONE
    outcome = join(found["outcome"], tag("small", " control") if _control(found) else None)
    return row(
        CORPORA.get(found["corpus"], found["corpus"]),
        _compared(found),
        POINTS.get(found["measure"], found["measure"]),
        outcome,
        signed(found["paper"]),
        signed(found["effect"]) if ran else NONE,
        interval,
        draw([_interval(found)], reach) if ran and points else None,
        chance(found["p"]),
        chance(found["p_holm"]),
        numeric=4,
        kind="control" if _control(found) else None,
    )


def _compared(found: dict) -> Markup:
    """run - against, with the decoders where they differ."""
    runs, ways = [found["run"], found["against"]], [found.get("decoder"), found.get("against_decoder")]
    shown = [
        join(tag("code", run), f" {way}" if ways[0] != ways[1] else None) for run, way in zip(runs, ways, strict=True)
    ]
    return join(shown[0], " against ", shown[1]) if found["against"] else shown[0]
