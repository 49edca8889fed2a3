"""Writes the paper's claims, judged by our runs: verdicts in claims.md, the rest in evidence.md and claims.csv."""

import math
from itertools import chain

from pcpg.report.claims.claims import CLAIMS, MEASURES
from pcpg.report.claims.judge import RULE, Judged, Verdict, judge
from pcpg.report.paper import CORPORA
from pcpg.report.results.histories import CONVERGENCE, UNREST
from pcpg.report.results.results import Results
from pcpg.report.results.stats import LEVEL, REPLICATES
from pcpg.report.words import MINUS, chance, interval, measured_on, signed
from pcpg.settings.schema import Params
from pcpg.workspace.files import write_text
from pcpg.workspace.paths import Paths
from pcpg.workspace.rows import write_csv

COLUMNS = (
    "claim", "statement", "verdict", "reason", "control", "corpus", "run", "against", "measure", "decoder",
    "against_decoder", "paper", "effect", "low", "high", "p", "p_holm", "outcome", "seeds", "utterances",
)  # fmt: skip
NOTES = (
    RULE,
    "Effects are differences in percentage points of an error (below 0: the first run is better), or of what the "
    f"column says; in brackets the {LEVEL:.0%} interval.",
    f"Intervals of error rates: a bootstrap of {REPLICATES:,} replicates over seeds and utterances together, "
    "speakers first where several are tested. Those of C4: Student's t over seeds.",
    "Three seeds are few: an interval says what further seeds and sentences of the same corpus would give, and "
    "nothing of other speakers where one is tested.",
    CONVERGENCE,
    UNREST,
)


def write_claims(settings: Params, paths: Paths) -> None:
    """Write results/<preset>/claims.md (a verdict a claim), evidence.md and claims.csv (a row a comparison)."""
    results = Results(paths, settings)
    verdicts = judge(results)
    pairs = [pair for claim in CLAIMS for pair in claim.comparisons]
    runs = {corpus: [(pair.run, pair.against) for pair in pairs if pair.corpus == corpus] for corpus in CORPORA}
    kinds = {corpus: results.described(corpus, chain.from_iterable(names)) for corpus, names in runs.items()}
    where = f"By our runs: {measured_on(kinds, settings.preset, results.seeds)}."
    write_csv(paths.results / "claims.csv", COLUMNS, [_record(of, one) for of in verdicts for one in of.judged])
    write_text(paths.results / "claims.md", verdicts_text(verdicts, where))
    write_text(paths.results / "evidence.md", evidence_text(verdicts, where))


def _record(verdict: Verdict, one: Judged) -> dict[str, object]:
    pair, estimate = one.comparison, one.estimate
    shown = {"claim": verdict.claim.name, "statement": verdict.claim.statement, "verdict": verdict.word}
    shown |= {"reason": verdict.reason, "control": str(pair.control).lower(), "corpus": pair.corpus}
    shown |= {"run": " ".join(pair.runs) or pair.run, "against": pair.against, "measure": pair.measure}
    shown |= {"decoder": pair.decoders[0], "against_decoder": pair.decoders[1], "paper": _number(pair.paper)}
    if estimate is not None:
        shown |= {"effect": _number(estimate.value), "low": _number(estimate.low), "high": _number(estimate.high)}
        shown |= {"p": f"{estimate.p:.4g}", "p_holm": f"{one.p_holm:.4g}"}
        shown |= {"seeds": estimate.seeds, "utterances": estimate.utterances or ""}
    return dict.fromkeys(COLUMNS, "") | shown | {"outcome": one.outcome}


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value + 0.0:.4f}"


def verdicts_text(verdicts: list[Verdict], where: str) -> str:
    lines = ["### The claims of the paper, judged", "", where, ""]
    lines += ["| | Claim | Verdict | Comparisons |", "| --- | --- | --- | --- |"]
    for verdict in verdicts:
        lines.append(f"| {verdict.claim.name} | {verdict.claim.statement} | **{verdict.word}** | {verdict.reason} |")
    lines += ["", *(f"- {note}" for note in NOTES), "- Every comparison, with its interval: evidence.md, claims.csv."]
    return "\n".join(lines) + "\n"


def evidence_text(verdicts: list[Verdict], where: str) -> str:
    lines = ["### The comparisons behind the verdicts", "", where]
    for verdict in verdicts:
        lines += ["", f"#### {verdict.claim.name}. {verdict.claim.statement}: {verdict.word}", ""]
        lines += [verdict.claim.remark, ""] if verdict.claim.remark else []
        lines += ["| Corpus | Comparison | Measure | Paper | Ours | p (Holm) | Outcome |"]
        lines += ["| --- | --- | --- | ---: | ---: | ---: | --- |"]
        lines += [_line(one) for one in sorted(verdict.judged, key=lambda one: one.comparison.control)]
    return "\n".join(lines) + "\n"


def _line(one: Judged) -> str:
    pair, estimate = one.comparison, one.estimate
    ours = f"{signed(estimate.value)} {interval(estimate)}" if estimate else "not run"
    outcome = f"{one.outcome} (control)" if pair.control else one.outcome
    texts = [CORPORA[pair.corpus], _pair(one), MEASURES.get(pair.measure, "WER, best to worst"), signed(pair.paper)]
    return f"| {' | '.join([*texts, ours, chance(one.p_holm), outcome])} |"


def _pair(one: Judged) -> str:
    pair = one.comparison
    if pair.runs:
        return ", ".join(pair.runs)
    if pair.run == pair.against:
        return f"{pair.run}: {pair.decoders[0]} {MINUS} {pair.decoders[1]}"
    return f"{pair.run} {MINUS} {pair.against}"
