"""The first part of the page: the paper's claims with verdict, effects and intervals."""

import math

from pcpg.report.claims.claims import MEASURES
from pcpg.report.claims.judge import INTERVAL, VERDICTS, Judged, Verdict
from pcpg.report.claims.say import CHANCE, could_have_shown, measured, ours, p_of_outcome
from pcpg.report.formats import MINUS, plural, signed
from pcpg.report.paper import DATASETS

RATES = ("cer", "wer", "error")
POINTS = (*RATES, "rises")  # in percentage points
HEADINGS = (
    "Corpus", "Comparison", "Measure", "Outcome", "Paper", "T", "Ours", "", "Could have shown", CHANCE,
)  # fmt: skip
HOW_TO_READ = (
    "An effect is the difference of two error rates in percentage points: below 0, to the left of the line, the run "
    f"named first makes fewer errors. Intervals are of {INTERVAL:.0%}. T, the effect asked about, is the paper's "
    "difference in points or relative to our baseline, the one nearer 0. “Excluded”: an effect of T is ruled out."
)
WIDTH, EDGE, STEP = 240, 10, 8  # px: the drawing, what is free at either end, from line to line


def claims_part(verdicts: list[Verdict]) -> dict:
    words = [verdict.word for verdict in verdicts]
    return {
        "tally": [(word, words.count(word)) for word in VERDICTS],
        "how_to_read": HOW_TO_READ,
        "headings": HEADINGS,
        "claims": [_claim(verdict, reach(_alike(verdicts, verdict))) for verdict in verdicts],
    }


def _alike(verdicts: list[Verdict], verdict: Verdict) -> list[Verdict]:
    """Those that share a measure with it: one scale for all claims on error rates of texts, another for classifiers."""
    measures = {one.comparison.measure for one in verdict.judged}
    return [other for other in verdicts if measures & {one.comparison.measure for one in other.judged}]


def reach(verdicts: list[Verdict]) -> float:
    """A whole number of points that holds every interval of the claims."""
    drawn = [one for verdict in verdicts for one in verdict.judged if _drawable(one)]
    values = [abs(value) for one in drawn for value in (*one.interval, one.comparison.paper)]
    return float(math.ceil(max([1.0, *(value for value in values if not math.isnan(value))])))


def _drawable(one: Judged) -> bool:
    return one.estimate is not None and one.estimate.known and one.comparison.measure in POINTS


def _claim(verdict: Verdict, limit: float) -> dict:
    own = [one for one in verdict.judged if one.decides]
    drawn = [one for one in own if _drawable(one)]
    beside = len(verdict.judged) - len(own)
    return {
        "verdict": verdict,
        "anchor": verdict.name.replace(", ", "-").replace(" ", "-"),
        "drawing": draw_intervals(drawn, limit, scale=True) if drawn else None,
        "effects": _effects(own),
        "count": plural(len(verdict.judged), "comparison") + (f", {beside} of them only reported" if beside else ""),
        "rows": [_row(one, limit) for one in verdict.judged],
    }


def draw_intervals(judged: list[Judged], limit: float, scale: bool = False) -> dict:
    """Intervals on an axis from -limit to limit, with places in px, for the template; scale: numbers at the axis."""

    def x(value: float) -> str:
        return f"{WIDTH / 2 + max(-1.0, min(1.0, value / limit)) * (WIDTH / 2 - EDGE):.1f}"

    marks = []
    for number, one in enumerate(judged):
        places = {"low": one.interval[0], "high": one.interval[1], "effect": one.estimate.value}
        mark = {name: x(value) for name, value in places.items()} | {"y": STEP * number + 7}
        paper = None if math.isnan(one.comparison.paper) else x(one.comparison.paper)
        marks.append(mark | {"paper": paper, "control": not one.decides})
    foot = STEP * len(judged) + 6
    low, high = min(one.interval[0] for one in judged), max(one.interval[1] for one in judged)
    what = f"{len(judged)} intervals" if len(judged) > 1 else "interval"
    ends = [(f"{MINUS}{limit:g}", EDGE, "start"), ("0", WIDTH // 2, "middle"), (f"+{limit:g}", WIDTH - EDGE, "end")]
    drawing = {"marks": marks, "zero": x(0), "foot": foot, "scale": ends if scale else [], "width": WIDTH}
    return drawing | {"height": foot + 16 * scale, "label": f"{what} from {signed(low)} to {signed(high)}"}


def _effects(judged: list[Judged]) -> list[dict[str, str]]:
    """In words what the drawing shows, for each kind of measure."""
    kinds: dict[str, list[Judged]] = {}
    for one in judged:
        if one.estimate is not None and one.estimate.known:
            measure = one.comparison.measure
            kinds.setdefault("" if measure in RATES else MEASURES[measure], []).append(one)
    return [{"measure": measure, **_range(of_measure)} for measure, of_measure in kinds.items()]


def _range(judged: list[Judged]) -> dict[str, str]:
    values = sorted(one.estimate.value for one in judged)
    low, high = min(one.interval[0] for one in judged), max(one.interval[1] for one in judged)
    several = len(judged) > 1
    size = f"{signed(values[0])} to {signed(values[-1])}" if several else signed(values[0])
    count = f" ({len(judged)} effects), within" if several else ""
    return {"size": size, "count": count, "within": f"[{signed(low)}, {signed(high)}]"}


def _row(one: Judged, limit: float) -> dict:
    pair = one.comparison
    decoders = pair.decoders if pair.decoders[0] != pair.decoders[1] else ("", "")
    return {
        "corpus": DATASETS[pair.corpus],
        "runs": list(zip((pair.run, pair.against), decoders, strict=True)),
        "measure": measured(one),
        "outcome": one.outcome,
        "role": "" if one.decides else pair.role,
        "numbers": [signed(pair.paper), signed(one.asked), ours(one)],
        "drawing": draw_intervals([one], limit) if _drawable(one) else None,
        "chances": [could_have_shown(one), p_of_outcome(one)],
    }
