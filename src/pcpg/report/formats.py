"""How numbers, differences, intervals and p-values are printed in every table, figure and page; shared headings."""

import math
from collections.abc import Sequence

from pcpg.report.paper import DATASETS
from pcpg.report.results.results import Summary
from pcpg.report.results.stats import LEVEL, Estimate

NOT_RUN = "not run"
MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
CONTROLS = "Controls that the paper lacks"
OTHERS = "Other runs of this preset"


def plural(count: int, word: str) -> str:
    """1 seed, 2 seeds."""
    return f"{count:,} {inflected(word, count)}"


def inflected(word: str, count: int) -> str:
    """The word without the count: "seed", or "seeds" unless it is one."""
    return word if count == 1 else f"{word}s"


def number(value: float) -> str:
    """A number of the paper with as many decimals as it prints, one or two; a dash for nan."""
    return NONE if math.isnan(value) else f"{value:.2f}".removesuffix("0")


def weights(kernel: Sequence) -> str:
    """w=[1/4, 1/2, 1/4]."""
    return f"w=[{', '.join(map(str, kernel))}]"


def kernel_label(kernel: Sequence, stride: int) -> str:
    """k=3, s=1, and w where it is not uniform."""
    label = f"k={len(kernel)}, s={stride}"
    return f"{label}, {weights(kernel)}" if len(set(kernel)) > 1 else label


def signed(value: float) -> str:
    """One decimal with its sign; a dash for nan."""
    if math.isnan(value):
        return NONE
    text = f"{value:+.1f}".replace("-", MINUS)
    return "0.0" if text[1:] == "0.0" else text


def interval(estimate: Estimate | None, level: float = LEVEL) -> str:
    """[minus 2.0, minus 0.4]; "[unknown]" where there is no interval, as of one seed; "" for None."""
    if estimate is None:
        return ""
    return f"[{', '.join(map(signed, estimate.interval(level)))}]" if estimate.known else "[unknown]"


def decimals(value: float) -> str:
    """A number of a csv file: four decimals, no minus before a zero; "" for nan."""
    return "" if math.isnan(value) else f"{round(value, 4) + 0.0:.4f}"


def digits(p: float) -> str:
    """A p-value of a csv file: four significant digits; "" for nan."""
    return "" if math.isnan(p) else f"{p:.4g}"


def chance(p: float) -> str:
    """A p-value with three decimals; a dash for nan."""
    if math.isnan(p):
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def mean_and_spread(summary: Summary, wanted: int, usual: int) -> str:
    """12.3 ± 0.8 (5 seeds), in the unit of the summary; one seed has no spread. wanted, usual: see `unusual`."""
    if not summary.n:
        return NOT_RUN
    spread = f" ± {summary.sd:.1f}" if summary.n > 1 else ""
    mean = f"{round(summary.mean, 1) + 0.0:.1f}".replace("-", MINUS)
    return f"{mean}{spread} {unusual(summary.n, wanted, usual)}".rstrip()


def unusual(count: int, wanted: int, usual: int) -> str:
    """How many seeds a run has, where they are fewer than `wanted`, or it wants another number than the `usual` one."""
    if count == wanted:
        return "" if wanted == usual else f"({plural(count, 'seed')})"
    return f"({count} of {wanted} seeds)"


def seeds_run(count: int, wanted: int) -> str:
    """What a legend says after a run's name."""
    if not count:
        return NOT_RUN
    return f"n = {count}" if count == wanted else f"{count} of {wanted} seeds"


def measured_on(kinds: dict[str, str], preset: str, seeds: Sequence[int]) -> str:
    """What the numbers of ours were measured on; kinds: by corpus, "" where nothing has run."""
    corpora = "; ".join(f"{DATASETS[corpus]}: {kind or NOT_RUN}" for corpus, kind in kinds.items())
    return f"{preset_and_seeds(preset, seeds)}; {corpora}"


def preset_and_seeds(preset: str, seeds: Sequence[int]) -> str:
    return f"preset {preset}, {inflected('seed', len(seeds))} {', '.join(map(str, seeds))}"
