"""Writes the paper's claims, judged by our runs: verdicts in claims.md, the rest in evidence.md and claims.csv."""

import math

from pcpg.report.claims.judge import INTERVAL, RULE, Judged, Verdict, judge
from pcpg.report.claims.say import CHANCE, compared, could_have_shown, measured, ours, p_of_outcome
from pcpg.report.formats import decimals, digits, measured_on, plural, signed
from pcpg.report.paper import DATASETS, WORDS
from pcpg.report.results.histories import COURSE
from pcpg.report.results.results import Results
from pcpg.report.results.stats import POWER
from pcpg.settings.schema import Params
from pcpg.workspace.files import write_text
from pcpg.workspace.paths import Paths
from pcpg.workspace.rows import write_csv

NOTES = (
    *RULE,
    "Effects are differences in percentage points of an error (below 0: the first run is better), or of what the "
    f"column says; in brackets the {INTERVAL:.0%} interval of the two-way layout of seeds and utterances, speakers in "
    "place of utterances where several are tested, sentences in place of the words cut from them (docs/verdict.md).",
    f"“Could have shown” is the true difference that as many seeds find with a probability of {POWER:.0%}, two-sided "
    "at 5%.",
    COURSE,
)
OF_WORDS = (
    f"{DATASETS[WORDS]} are one speaker's, each cut out of its sentence. The paper has none: they are asked for the "
    "effects that it has on LRW, whose manner of cutting they follow."
)


def write_claims(settings: Params, paths: Paths) -> None:
    """Write results/<preset>/claims.md (a verdict a claim), evidence.md and claims.csv (a row a comparison)."""
    results = Results(paths, settings)
    verdicts = judge(results)
    runs: dict[str, list[str]] = {corpus: [] for corpus in DATASETS}
    for pair in (pair for of in verdicts for pair in of.claim.comparisons):
        runs[pair.corpus] += [pair.run, pair.against]
    kinds = {corpus: results.described(corpus, names) for corpus, names in runs.items() if names}
    where = f"By our runs: {measured_on(kinds, settings.preset, results.seeds)}."
    rows = [_record(of, one) for of in verdicts for one in of.judged]
    write_csv(paths.results / "claims.csv", list(rows[0]), rows)
    write_text(paths.results / "claims.md", verdicts_text(verdicts, where, results))
    write_text(paths.results / "evidence.md", evidence_text(verdicts, where))


def _record(verdict: Verdict, one: Judged) -> dict[str, object]:
    claim, pair, estimate = verdict.claim, one.comparison, one.estimate
    effect, (low, high) = estimate.value if estimate else math.nan, one.interval
    seeds, utterances = (estimate.seeds, estimate.utterances or "") if estimate else ("", "")
    return {
        "claim": claim.name, "regime": claim.regime, "statement": claim.statement, "verdict": verdict.text,
        "reason": verdict.reason, "role": pair.role, "corpus": pair.corpus, "run": pair.run, "against": pair.against,
        "measure": pair.measure, "level": decimals(pair.level), "decoder": pair.decoders[0],
        "against_decoder": pair.decoders[1], "paper": decimals(pair.paper), "asked": decimals(one.asked),
        "effect": decimals(effect), "low": decimals(low), "high": decimals(high), "smallest": decimals(one.smallest),
        "p": digits(one.p), "p_holm": digits(one.p_holm), "p_reversed": digits(one.p_reversed), "outcome": one.outcome,
        "seeds": seeds, "utterances": utterances,
    }  # fmt: skip


def scope(results: Results) -> str:
    """What an interval of these results knows, and what it does not: counted, not said once for all."""
    made = (results.metrics(corpus, run) for corpus in DATASETS for run in results.settings.trainings(corpus))
    counts = {len(metrics.seeds.keys() & set(map(str, results.seeds))) for metrics in made if metrics}
    fewest, count = min(counts, default=0), max(counts, default=0)
    if count < 2:
        return "One seed tells nothing of chance: there are no intervals, and nothing is decided."
    return (
        f"An interval says what other {'' if count > 2 else 'pairs of '}seeds and sentences of the same corpus would "
        f"give, told from {plural(count, 'seed')}{f', of some runs {fewest}' if fewest < count else ''}; it knows "
        "nothing of other speakers, corpora or networks."
    )


def verdicts_text(verdicts: list[Verdict], where: str, results: Results) -> str:
    lines = ["### The claims of the paper, judged", "", where, ""]
    lines += ["| | Claim | Verdict | Comparisons that decide |", "| --- | --- | --- | --- |"]
    for of in verdicts:
        lines.append(f"| {of.name} | {of.claim.statement} | **{of.text}** | {of.reason} |")
    notes = [*NOTES, OF_WORDS] if WORDS in results.settings.corpus_names else NOTES
    lines += ["", *(f"- {note}" for note in (*notes, scope(results))), "- Every comparison: evidence.md, claims.csv."]
    return "\n".join(lines) + "\n"


def evidence_text(verdicts: list[Verdict], where: str) -> str:
    lines = ["### The comparisons behind the verdicts", "", where]
    for of in verdicts:
        lines += ["", f"#### {of.claim.name} ({of.claim.regime}). {of.claim.statement}: {of.text}", ""]
        lines += [of.claim.remark, ""] if of.claim.remark else []
        lines += [f"| Corpus | Comparison | Measure | Paper | T | Ours | Could have shown | {CHANCE} | Outcome |"]
        lines += ["| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |"]
        lines += [_line(one) for one in sorted(of.judged, key=lambda one: not one.decides)]
    return "\n".join(lines) + "\n"


def _line(one: Judged) -> str:
    pair = one.comparison
    outcome = one.outcome if one.decides else f"{one.outcome} ({pair.role})"
    texts = [DATASETS[pair.corpus], compared(one), measured(one), signed(pair.paper), signed(one.asked)]
    return f"| {' | '.join([*texts, ours(one), could_have_shown(one), p_of_outcome(one), outcome])} |"
