"""The smallest effect that a number of seeds could show, from the spread of runs that there are."""

from collections.abc import Sequence

from pcpg.report.claims.judge import judge
from pcpg.report.claims.say import compared
from pcpg.report.formats import MINUS, signed
from pcpg.report.paper import DATASETS
from pcpg.report.results.results import Results
from pcpg.report.results.stats import LEVEL, POWER
from pcpg.workspace.errors import InputError


def power_lines(results: Results, seeds: Sequence[int]) -> list[str]:
    """A line for each comparison that decides a claim: T, and the smallest true effect by number of seeds, points.

    InputError where no comparison has two seeds and some variation: nothing is known of the spread then.
    """
    deciding = [one for verdict in judge(results) for one in verdict.judged if one.decides and one.estimate]
    known = [one for one in deciding if one.estimate.known and one.comparison.measure in ("wer", "error")]
    if not known:
        problem = "no two runs of two seeds to tell the spread from; name a preset that has results (a pilot's will do)"
        raise InputError(results.paths.results, problem)
    distinct = {(one.comparison.corpus, compared(one), one.comparison.measure): one for one in known}
    heading = f"smallest WER effect in points that is shown with {POWER:.0%}, two-sided at {1 - LEVEL:.0%}, by seeds"
    lines = [heading, f"{'':38} {'paper':>7} {'T':>7}" + "".join(f"{count:>8}" for count in seeds)]
    for one in distinct.values():
        name = f"{DATASETS[one.comparison.corpus]} {compared(one)}".replace(MINUS, "-")
        sizes = "".join(f"{one.estimate.planned(count).smallest:>8.2f}" for count in seeds)
        numbers = [signed(value).replace(MINUS, "-") for value in (one.comparison.paper, one.asked)]
        lines.append(f"{name:38} {numbers[0]:>7} {numbers[1]:>7}{sizes}")
    return lines
