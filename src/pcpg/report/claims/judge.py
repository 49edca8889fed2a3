"""Judges the paper's claims by our runs: an effect, its interval and an outcome for each comparison, then a verdict.

The rule stands here once. T is the effect asked about (Comparison.asked), fixed by the paper and our baseline.
One-sided 5 % throughout, so two-sided intervals of INTERVAL; the estimates are those of pcpg.report.results.stats.
"""

import math
from dataclasses import dataclass, replace

from pcpg.report.claims.claims import DECIDES, Claim, Comparison, claims_of
from pcpg.report.formats import NOT_RUN, plural
from pcpg.report.paper import DATASETS
from pcpg.report.results import stats
from pcpg.report.results.histories import common_stretch, rises, updates_to
from pcpg.report.results.results import Results
from pcpg.report.results.stats import Errors, Estimate

ALPHA = 0.05
INTERVAL = 1 - 2 * ALPHA
SHOWN, EXCLUDED, REVERSED, UNDECIDED = "shown", "excluded", "reversed", "undecided"
REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, REVERSED, UNDECIDED, NOT_RUN)
RULE = (
    "T is the effect asked about: the paper's difference, in points or relative to our own baseline, whichever is "
    "nearer to 0. An outcome is **shown** if the whole interval lies below 0, **reversed** if it lies above 0, "
    "**excluded** if it lies above T, so that a gain as large as T is ruled out, else **undecided**. Where runs are "
    "claimed to be alike, shown is an interval within the margin, excluded one beyond it. Intervals are of "
    f"{INTERVAL:.0%}: one-sided tests at {ALPHA:.0%}.",
    "A claim is **reproduced** if all its comparisons that decide are shown; **reversed**, or **not reproduced: the "
    "paper's size is excluded**, if some are so after Holm's correction within the claim; else **undecided**. WER "
    "decides; CER, controls, and comparisons in which the paper's own table contradicts its claim are only reported.",
)


@dataclass(frozen=True)
class Judged:
    """A comparison with its estimate, None where it was not run, and its outcome."""

    comparison: Comparison
    estimate: Estimate | None
    asked: float = math.nan  # T
    p: float = math.nan  # one-sided, that the effect is not above T (0 where there is none), or not outside the margin
    p_holm: float = math.nan  # after Holm's correction within the claim; nan if the comparison does not decide
    p_reversed: float = math.nan  # that the effect is not above 0, after Holm; nan if not deciding, or with a margin
    outcome: str = NOT_RUN

    @property
    def interval(self) -> tuple[float, float]:
        return self.estimate.interval(INTERVAL) if self.estimate else (math.nan, math.nan)

    @property
    def decides(self) -> bool:
        return self.comparison.role == DECIDES

    @property
    def smallest(self) -> float:
        """The effect that as many seeds could have shown, points; nan where likeness is claimed."""
        return math.nan if self.estimate is None or self.comparison.margin else self.estimate.smallest

    @property
    def sized(self) -> bool:
        """Whether there is an effect to rule out: T, or a margin."""
        return self.comparison.margin > 0 or not math.isnan(self.asked)


@dataclass(frozen=True)
class Verdict:
    claim: Claim
    word: str  # one of VERDICTS
    text: str  # the word, with what was excluded, on what corpora, in which regime
    reason: str
    judged: tuple[Judged, ...]

    @property
    def name(self) -> str:
        return f"{self.claim.name}, {self.claim.regime}"


def judge(results: Results) -> list[Verdict]:
    """A verdict on each claim, in each regime, from the predictions and histories of the runs."""
    return [_verdict(results, claim) for claim in claims_of(results.settings)]


def outcome(estimate: Estimate, asked: float = math.nan, margin: float = 0.0) -> str:
    """By RULE; undecided where nothing is known of chance."""
    low, high = estimate.interval(INTERVAL)
    if margin:
        if max(abs(low), abs(high)) <= margin:
            return SHOWN
        return EXCLUDED if low > margin or high < -margin else UNDECIDED
    if high < 0:
        return SHOWN
    if low > 0:
        return REVERSED
    return EXCLUDED if low > asked else UNDECIDED


def _judged(results: Results, pair: Comparison) -> Judged:
    if pair.measure in ("updates", "rises"):
        estimate = _course(results, pair)
    else:
        estimate = results.difference(pair.corpus, (pair.run, pair.against), *_sides(results, pair))
    if estimate is None:
        return Judged(pair, None)
    baseline = stats.common(*_sides(results, pair))[1].rate() if pair.paper < 0 else math.nan
    asked = pair.asked(baseline)
    p = estimate.above(0.0 if math.isnan(asked) else asked)
    if pair.margin:
        p = estimate.above(pair.margin) if estimate.value > 0 else estimate.below(-pair.margin)
    return Judged(pair, estimate, asked, p, outcome=outcome(estimate, asked, pair.margin))


def _sides(results: Results, pair: Comparison) -> list[Errors | None]:
    both = zip((pair.run, pair.against), pair.decoders, strict=True)
    return [results.errors(pair.corpus, run, pair.measure, way) for run, way in both]


def _verdict(results: Results, claim: Claim) -> Verdict:
    judged = [_judged(results, pair) for pair in claim.comparisons]
    tested = [one for one in judged if one.decides and one.estimate is not None and one.estimate.known]
    directed = [one for one in tested if not one.comparison.margin]
    excluded = _holm(tested, [one.p for one in tested])
    reversed_ = _holm(directed, [one.estimate.above(0.0) for one in directed])
    corrected = [
        replace(one, p_holm=excluded.get(one.comparison, math.nan), p_reversed=reversed_.get(one.comparison, math.nan))
        for one in judged
    ]
    own = [one for one in corrected if one.decides]
    ran = [one for one in own if one.estimate is not None]
    if not ran:
        word = NOT_RUN
    elif {one.outcome for one in ran} == {SHOWN}:
        word = REPRODUCED
    elif any(one.p_reversed <= ALPHA for one in ran):
        word = REVERSED  # which rules out the paper's size as well: the stronger word comes first
    elif any(one.p_holm <= ALPHA and one.sized for one in ran):
        word = NOT_REPRODUCED
    else:
        word = UNDECIDED
    text = {NOT_REPRODUCED: f"{word}: the paper's size is excluded", UNDECIDED: undecided_text(ran)}.get(word, word)
    if ran:
        text += f" ({', '.join(_origins(results, own, ran))}; {claim.regime})"
    return Verdict(claim, word, text, _reason(results, own, ran), tuple(corrected))


def _holm(judged: list[Judged], chances: list[float]) -> dict[Comparison, float]:
    return dict(zip((one.comparison for one in judged), stats.holm(chances), strict=True))


def undecided_text(ran: list[Judged]) -> str:
    """With how many are shown or ruled out, of those that can be: C4 has no size in the paper."""
    sized = [one for one in ran if one.sized]
    if not sized:
        return UNDECIDED
    shown, excluded = (sum(one.outcome in kinds for one in sized) for kinds in ((SHOWN,), (EXCLUDED, REVERSED)))
    if shown:
        return f"{UNDECIDED}, {shown} of {len(sized)} shown, {excluded} excluded"
    return f"{UNDECIDED}, {excluded} of {len(sized)} excluded"


def _origins(results: Results, own: list[Judged], ran: list[Judged]) -> list[str]:
    """The corpora, those that the pipeline generates so named: they tell nothing of speech; and what part has run."""
    names = []
    for corpus in dict.fromkeys(one.comparison.corpus for one in ran):
        generated = getattr(results.settings.corpora, corpus).raw.source == "synthetic"
        few, all_ = (sum(one.comparison.corpus == corpus for one in judged) for judged in (ran, own))
        part = f", {few} of {all_} comparisons" if few < all_ else ""
        names.append("generated " * generated + DATASETS[corpus] + part)
    return names


def _reason(results: Results, own: list[Judged], ran: list[Judged]) -> str:
    """Counts and power, so that the verdict's word is not all that a reader gets."""
    if not ran:
        return "nothing of it was run"
    kinds = {kind: [one for one in ran if one.outcome == kind] for kind in (SHOWN, EXCLUDED, REVERSED, UNDECIDED)}
    counts = {kind: f"{len(those)} of {len(ran)} {kind}" for kind, those in kinds.items() if those}
    if len(ran) > 1 and kinds[EXCLUDED]:
        counts[EXCLUDED] += f" ({sum(one.p_holm <= ALPHA for one in kinds[EXCLUDED])} after Holm's correction)"
    parts = [", ".join(counts.values())]
    rates = [one for one in ran if one.comparison.measure in ("wer", "cer", "error")]
    sought = [one.estimate for one in rates if not math.isnan(one.smallest)]
    sizes = sorted(estimate.smallest for estimate in sought)
    if sizes:
        fewest, most = min(estimate.seeds for estimate in sought), max(estimate.seeds for estimate in sought)
        seeds = plural(most, "seed") if fewest == most else f"{fewest} to {most} seeds"
        span = f"{sizes[0]:.1f}" if f"{sizes[0]:.1f}" == f"{sizes[-1]:.1f}" else f"{sizes[0]:.1f} to {sizes[-1]:.1f}"
        parts.append(f"{seeds} could have shown {span} points")
    unknown = sum(not one.estimate.known for one in ran)
    if unknown:
        parts.append(f"{unknown} without an interval: one seed, one utterance, or no variation tells nothing of chance")
    worth = independent(results, rates) if len(rates) > 1 else math.nan
    if not math.isnan(worth):
        parts.append(f"worth about {worth:.1f} independent comparisons")
    if len(ran) < len(own):
        parts.append(_missing(own, ran))
    return "; ".join(parts)


def independent(results: Results, judged: list[Judged]) -> float:
    """How many independent comparisons these are worth, over the seeds that all of them have.

    The sum over corpora, which share no utterance; nan where there is no such seed.
    """
    total = 0.0
    for corpus in dict.fromkeys(one.comparison.corpus for one in judged):
        pairs = [one.comparison for one in judged if one.comparison.corpus == corpus]
        sides = [errors for pair in pairs for errors in _sides(results, pair)]
        if not set.intersection(*(set(errors.seeds) for errors in sides)):
            return math.nan
        runs = iter(stats.common(*sides))
        total += stats.independent([(run.edits - other.edits).ravel() for run, other in zip(runs, runs, strict=True)])
    return total


def _missing(own: list[Judged], ran: list[Judged]) -> str:
    """How many comparisons were not run, and on which corpora none was."""
    there = {one.comparison.corpus for one in ran}
    asked = dict.fromkeys(one.comparison.corpus for one in own)
    absent = ", ".join(DATASETS[corpus] for corpus in asked if corpus not in there)
    text = f"{len(own) - len(ran)} not run"
    return f"{text}, among them all of {absent}" if absent else text


def _course(results: Results, pair: Comparison) -> Estimate | None:
    """Of one number a training, paired by seed; None without a pair, or where no run of the two reaches the level."""
    both = [results.histories(pair.corpus, run) for run in (pair.run, pair.against)]
    shared = sorted(both[0].keys() & both[1].keys())
    if not shared:
        return None
    if pair.measure == "rises":
        stretches = {seed: common_stretch(both[0][seed], both[1][seed]) for seed in shared}
        numbers = [[rises(of[seed], *stretches[seed]) for seed in shared] for of in both]
    else:
        end = min(float(of[seed]["iteration"].iloc[-1]) for of in both for seed in shared)
        numbers = [[updates_to(of[seed], pair.level / 100, end) for seed in shared] for of in both]
        if all(number == end for of in numbers for number in of):
            return None
    return stats.of_numbers([one - other for one, other in zip(*numbers, strict=True)])
