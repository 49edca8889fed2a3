"""Judges the paper's claims by our runs: an effect, its interval and a verdict for each."""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats as scipy_stats

from pcpg.report.claims.claims import CLAIMS, Claim, Comparison
from pcpg.report.paper import CORPORA
from pcpg.report.results import stats
from pcpg.report.results.histories import duration, unrest
from pcpg.report.results.results import Results
from pcpg.report.results.stats import Estimate

ALPHA = 0.05
LIMIT = 1.0  # C6: percentage points between the best and the worst of the four
AS_CLAIMED, OPPOSITE, NOT_SHOWN, NOT_RUN = "as claimed", "opposite", "not shown", "not run"
VERDICTS = ("supported", "contradicted", "inconclusive", "not run")
COURSES = {"iterations": duration, "unrest": unrest}  # of a training
RULE = (
    "A comparison is as claimed (or opposite) if it has the claimed (or the opposite) sign and a p below "
    f"{ALPHA} after Holm's correction over all comparisons of this file. A claim is contradicted if one of its "
    "comparisons is opposite, supported if all that could be run are as claimed, else inconclusive; controls do not "
    "count."
)


@dataclass(frozen=True)
class Judged:
    """A comparison with its estimate, None where it was not run, and its outcome."""

    comparison: Comparison
    estimate: Estimate | None
    p_holm: float = math.nan
    outcome: str = NOT_RUN


@dataclass(frozen=True)
class Verdict:
    claim: Claim
    word: str  # one of VERDICTS
    reason: str
    judged: tuple[Judged, ...]


def judge(results: Results) -> list[Verdict]:
    """A verdict on each claim from the predictions and histories of the runs."""
    judged = [Judged(pair, _estimate(results, pair)) for claim in CLAIMS for pair in claim.comparisons]
    adjusted = iter(stats.holm([one.estimate.p for one in judged if one.estimate is not None]))
    decided = iter([one if one.estimate is None else _decide(one, next(adjusted)) for one in judged])
    return [_verdict(claim, tuple(next(decided) for _ in claim.comparisons)) for claim in CLAIMS]


def _decide(one: Judged, p: float) -> Judged:
    """A difference is claimed to be below 0; a spread, whose p is that of one above it, below LIMIT."""
    estimate, border = one.estimate, LIMIT if one.comparison.measure == "spread" else 0.0
    if p < ALPHA and estimate.value < border:
        return replace(one, p_holm=p, outcome=AS_CLAIMED)
    opposite = estimate.low > border if border else p < ALPHA
    return replace(one, p_holm=p, outcome=OPPOSITE if opposite else NOT_SHOWN)


def _verdict(claim: Claim, judged: tuple[Judged, ...]) -> Verdict:
    of_claim = [one for one in judged if not one.comparison.control]
    ran = [one for one in of_claim if one.outcome != NOT_RUN]
    outcomes = {one.outcome for one in ran}
    if not ran:
        word = "not run"
    elif OPPOSITE in outcomes:
        word = "contradicted"
    else:
        word = "supported" if outcomes == {AS_CLAIMED} else "inconclusive"
    return Verdict(claim, word, _reason(of_claim, [one for one in judged if one.comparison.control]), judged)


def _reason(of_claim: list[Judged], controls: list[Judged]) -> str:
    """Counts, so that the verdict's word is not all that a reader gets."""
    ran = [one for one in of_claim if one.outcome != NOT_RUN]
    if not ran:
        return "nothing of it was run"
    parts = [_counted(ran)]
    known = [one for one in ran if not math.isnan(one.comparison.paper) and one.comparison.measure != "spread"]
    outside = [one for one in known if not one.estimate.low <= one.comparison.paper <= one.estimate.high]
    if known:
        parts.append(f"the paper's difference lies outside {len(outside)} of {len(known)} intervals")
    if len(ran) < len(of_claim):
        parts.append(_missing(of_claim, ran))
    asked = [one for one in controls if one.outcome != NOT_RUN]
    if asked:
        parts.append(f"against the controls: {_counted(asked)}")
    return "; ".join(parts)


def _missing(of_claim: list[Judged], ran: list[Judged]) -> str:
    """How many comparisons were not run, and on which corpora none was."""
    there = {one.comparison.corpus for one in ran}
    corpora = dict.fromkeys(one.comparison.corpus for one in of_claim)
    absent = ", ".join(CORPORA[corpus] for corpus in corpora if corpus not in there)
    text = f"{len(of_claim) - len(ran)} comparisons not run"
    return f"{text}, among them all of {absent}" if absent else text


def _counted(judged: list[Judged]) -> str:
    counts = [(sum(one.outcome == outcome for one in judged), outcome) for outcome in (AS_CLAIMED, OPPOSITE, NOT_SHOWN)]
    return ", ".join(f"{count} of {len(judged)} {outcome}" for count, outcome in counts if count)


def _estimate(results: Results, pair: Comparison) -> Estimate | None:
    """None where a run is missing, or the two share no seed."""
    if pair.measure in COURSES:
        return _course(results, pair)
    if pair.measure == "spread":
        return _spread(results, pair)
    return results.difference(pair.corpus, pair.run, pair.against, pair.measure, pair.decoders)


def _spread(results: Results, pair: Comparison) -> Estimate | None:
    """Best to worst of several runs. That of noisy rates is never 0, so its interval lies rather too high."""
    errors = {run: results.errors(pair.corpus, run, "wer", "greedy") for run in pair.runs}
    if None in errors.values():
        return None
    results.same_clips(pair.corpus, errors)
    errors = dict(zip(errors, stats.common(*errors.values()), strict=True))
    drawn = np.stack(list(stats.bootstrap(errors).values()))
    rates = [of_run.rate() for of_run in errors.values()]
    estimate = stats.estimate(max(rates) - min(rates), np.ptp(drawn, axis=0), next(iter(errors.values())))
    return replace(estimate, p=float((np.sum(np.ptp(drawn, axis=0) > LIMIT) + 1) / (drawn.shape[1] + 1)))


def _course(results: Results, pair: Comparison) -> Estimate | None:
    """Differences of one number a training, paired by seed, with Student's interval: no utterances here."""
    ours, theirs = (_numbers(results, pair.corpus, run, pair.measure) for run in (pair.run, pair.against))
    shared = sorted(ours.keys() & theirs.keys())
    if len(shared) < 2:
        return None
    differences = np.array([ours[seed] - theirs[seed] for seed in shared])
    if np.ptp(differences) == 0:  # Student's t knows no interval here
        value = float(differences[0])
        return Estimate(value, value, value, 1.0, len(shared), 0)
    test = scipy_stats.ttest_1samp(differences, 0)
    low, high = test.confidence_interval(stats.LEVEL)
    return Estimate(float(differences.mean()), float(low), float(high), float(test.pvalue), len(shared), 0)


def _numbers(results: Results, corpus: str, run: str, measure: str) -> dict[int, float]:
    numbers = {seed: COURSES[measure](history) for seed, history in results.histories(corpus, run).items()}
    return {seed: number for seed, number in numbers.items() if not math.isnan(number)}
