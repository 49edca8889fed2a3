"""How a judged comparison reads in tables, pages and figures."""

import math

from pcpg.report.claims.claims import MEASURES
from pcpg.report.claims.judge import INTERVAL, REVERSED, SHOWN, Judged
from pcpg.report.formats import MINUS, NONE, NOT_RUN, chance, interval, signed

CHANCE = "p of excluded, or of reversed (Holm)"  # heads a column of p_of_outcome


def compared(one: Judged) -> str:
    pair = one.comparison
    if pair.run == pair.against:
        return f"{pair.run}: {pair.decoders[0]} {MINUS} {pair.decoders[1]}"
    return f"{pair.run} {MINUS} {pair.against}"


def measured(one: Judged) -> str:
    pair = one.comparison
    name = MEASURES[pair.measure]
    if pair.measure == "updates":
        return f"{name} of {pair.level:g} %"
    return f"{name}, within {pair.margin:g}" if pair.margin else name


def ours(one: Judged) -> str:
    """The effect with its interval."""
    if one.estimate is None:
        return NOT_RUN
    return f"{signed(one.estimate.value)} {interval(one.estimate, INTERVAL)}"


def could_have_shown(one: Judged) -> str:
    """The smallest effect that as many seeds find; a dash where nothing is known of chance, or alikeness is claimed."""
    return NONE if math.isnan(one.smallest) else f"{one.smallest:.1f}"


def p_of_outcome(one: Judged) -> str:
    """Of reversed where it is so, else of excluded, after Holm's correction.

    A dash where the effect is shown, so that none is needed, or there is no size to rule out.
    """
    if one.outcome == REVERSED:
        return chance(one.p_reversed)
    return chance(one.p_holm) if one.sized and one.outcome != SHOWN else NONE
