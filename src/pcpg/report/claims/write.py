"""Writes the paper's claims, judged by our runs: verdicts in claims.md, the rest in evidence.md and claims.csv."""

import csv
import io
import math
from pathlib import Path

from pcpg.report.claims import judge as verdicts
from pcpg.report.claims.claims import WORDS
from pcpg.report.claims.judge import Judged, Verdict
from pcpg.report.paper import CORPORA
from pcpg.report.results import course
from pcpg.report.results.stats import LEVEL, REPLICATES
from pcpg.report.tables.layouts import LAYOUTS
from pcpg.report.tables.table import read
from pcpg.report.words import MINUS, chance, data, signed
from pcpg.workspace.files import sha256, write_text

COLUMNS = (
    "claim", "statement", "verdict", "reason", "control", "corpus", "run", "against", "measure", "decoder",
    "against_decoder", "paper", "effect", "low", "high", "p", "p_holm", "outcome", "seeds", "utterances",
)  # fmt: skip


def write(results: Path, seeds: list[int], preset: str) -> None:
    """Write results/claims.md (a verdict a claim), evidence.md and claims.csv (a row a comparison)."""
    found = verdicts.judge(results, seeds)
    _, measured_on = read(LAYOUTS["table1"], results, seeds)
    where = f"By our runs: {data(measured_on, preset, seeds)}."
    write_text(results / "claims.csv", to_csv(found))
    write_text(results / "claims.md", verdicts_of(found, where))
    write_text(results / "evidence.md", evidence_of(found, where) + f"\n{vouch(results)}\n")


def vouch(results: Path) -> str:
    """The last line of evidence.md, by which a reader of claims.csv knows that its numbers are as they were written."""
    return f"SHA-256 of claims.csv: `{sha256(results / 'claims.csv')}`"


def to_csv(found: list[Verdict]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_record(verdict, one) for verdict in found for one in verdict.judged)
    return text.getvalue()


def _record(verdict: Verdict, one: Judged) -> dict[str, object]:
    pair, estimate = one.comparison, one.estimate
    record = {"claim": verdict.claim.name, "statement": verdict.claim.statement, "verdict": verdict.word}
    record |= {"reason": verdict.reason, "control": str(pair.control).lower(), "corpus": pair.corpus}
    record |= {"run": pair.run, "against": pair.against, "measure": pair.measure, "outcome": one.outcome}
    record |= {"decoder": pair.decoders[0], "against_decoder": pair.decoders[1], "paper": _number(pair.paper)}
    if estimate is None:
        return record
    values = {"effect": estimate.value, "low": estimate.low, "high": estimate.high}
    record |= {key: _number(value) for key, value in values.items()}
    record |= {"p": f"{estimate.p:.4g}", "p_holm": f"{one.p_holm:.4g}"}
    return record | {"seeds": estimate.seeds, "utterances": estimate.utterances or ""}


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value + 0.0:.4f}"


def verdicts_of(found: list[Verdict], where: str) -> str:
    lines = ["### The claims of the paper, judged", "", where, ""]
    lines += ["| | Claim | Verdict | Comparisons |", "| --- | --- | --- | --- |"]
    for verdict in found:
        lines.append(f"| {verdict.claim.name} | {verdict.claim.statement} | **{verdict.word}** | {verdict.reason} |")
    lines += [
        "",
        *(f"- {note}" for note in _notes()),
        "- Every comparison, with its interval: evidence.md, claims.csv.",
    ]
    return "\n".join(lines) + "\n"


def evidence_of(found: list[Verdict], where: str) -> str:
    lines = ["### The comparisons behind the verdicts", "", where]
    for verdict in found:
        lines += ["", f"#### {verdict.claim.name}. {verdict.claim.statement}: {verdict.word}", ""]
        lines += [verdict.claim.remark, ""] if verdict.claim.remark else []
        lines += _evidence(verdict)
    return "\n".join(lines) + "\n"


def _notes() -> tuple[str, ...]:
    return (
        verdicts.RULE,
        "Effects are differences in percentage points of an error (below 0: the first run is better), or of what the "
        f"column says; in brackets the {LEVEL:.0%} interval.",
        f"Intervals of error rates: a bootstrap of {REPLICATES:,} replicates over seeds and utterances together, "
        "speakers first where several are tested. Those of C4: Student's t over seeds.",
        "Three seeds are few: an interval says what further seeds and sentences of the same corpus would give, and "
        "nothing of other speakers where one is tested.",
        *course.MEASURES.values(),
    )


def _evidence(verdict: Verdict) -> list[str]:
    lines = ["| Corpus | Comparison | Measure | Paper | Ours | p (Holm) | Outcome |"]
    lines += ["| --- | --- | --- | ---: | ---: | ---: | --- |"]
    for one in sorted(verdict.judged, key=lambda one: one.comparison.control):
        pair = one.comparison
        cells = [CORPORA[pair.corpus], _pair(one), WORDS.get(pair.measure, "WER, best to worst")]
        cells += [signed(pair.paper), _interval(one), chance(one.p_holm)]
        outcome = f"{one.outcome} (control)" if pair.control else one.outcome
        lines.append(f"| {' | '.join([*cells, outcome])} |")
    return lines


def _pair(one: Judged) -> str:
    pair = one.comparison
    if not pair.against:
        return ", ".join(pair.run.split())
    if pair.run == pair.against:
        return f"{pair.run}: {pair.decoders[0]} {MINUS} {pair.decoders[1]}"
    return f"{pair.run} {MINUS} {pair.against}"


def _interval(one: Judged) -> str:
    estimate = one.estimate
    if estimate is None:
        return "not run"
    return f"{signed(estimate.value)} [{signed(estimate.low)}, {signed(estimate.high)}]"
