"""What the paper claims (C1 to C8), each as the comparisons that would show it."""

import math
from dataclasses import dataclass

from pcpg.report import paper

MEASURES = {"cer": "CER", "wer": "WER", "error": "classification error", "iterations": "iterations", "unrest": "unrest"}


@dataclass(frozen=True)
class Comparison:
    """`run` against `against`: the claim is that its `measure` is lower (of a spread: below LIMIT)."""

    corpus: str
    run: str  # "": a spread, of `runs`
    against: str
    measure: str  # one of MEASURES, or "spread"
    decoders: tuple[str, str] = ("greedy", "greedy")
    paper: float = math.nan  # the same difference of the paper's numbers, percentage points
    control: bool = False  # what a referee would ask for; no part of the claim itself
    runs: tuple[str, ...] = ()  # of a spread: those whose best and worst are compared


@dataclass(frozen=True)
class Claim:
    name: str
    statement: str
    comparisons: tuple[Comparison, ...]
    remark: str = ""  # what Eq. 5-7 say about it before any run


def _rates(run: str, against: str, control: bool = False) -> list[Comparison]:
    """CER and WER of Table I on each corpus."""
    comparisons = []
    for corpus in paper.CORPORA:
        printed = paper.TABLE1[corpus]
        for measure in ("cer", "wer"):
            both = run in printed and against in printed
            shown = printed[run][measure] - printed[against][measure] if both else math.nan
            comparisons.append(Comparison(corpus, run, against, measure, paper=shown, control=control))
    return comparisons


def _kernel(run: str, against: str, control: bool = False) -> Comparison:
    shown = paper.TABLE2A.get(run, math.nan) - paper.TABLE2A.get(against, math.nan)
    return Comparison("grid", run, against, "wer", paper=shown, control=control)


def _classifier(corpus: str, run: str, against: str, control: bool = False) -> Comparison:
    printed = paper.TABLE3[corpus]
    shown = printed.get(against, math.nan) - printed.get(run, math.nan)  # of errors, not accuracies
    return Comparison(corpus, run, against, "error", paper=shown, control=control)


def _course(run: str, against: str) -> list[Comparison]:
    return [
        Comparison(corpus, run, against, measure) for corpus in paper.CORPORA for measure in ("iterations", "unrest")
    ]


SAME = "With stride 1 the sum of Eq. 7 weighs every step by 1 but for k//2 steps at either end (docs/collapse.md)"

CLAIMS = (
    Claim(
        "C1",
        "Policy gradient (k=1, s=1) beats cross-entropy, on all corpora",
        (*_rates("k1s1", "ce"), *_rates("k1s1", "ce-continued", control=True)),
        "The controls have the same number of updates: the baseline of the paper may have had fewer.",
    ),
    Claim(
        "C2",
        "k=5, s=1 is the best of the four, on all corpora",
        (
            *(pair for against in ("ce", "k1s1", "k5s5") for pair in _rates("k5s1", against)),
            *_rates("k5s1", "ce-continued", control=True),
        ),
        f"{SAME}: k=5, s=1 is plain policy gradient with softer ends.",
    ),
    Claim(
        "C3",
        "k=5, s=5 beats k=1, s=1, on all corpora",
        (*_rates("k5s5", "k1s1"), *_rates("k5s5", "k1s1-scaled", control=True)),
        "k=5, s=5 weighs every step by 1/5 (docs/collapse.md): it is k=1, s=1 with a fifth of its weight against "
        "cross-entropy, which is the control k1s1-scaled.",
    ),
    Claim(
        "C4",
        "k=5, s=1 converges in fewer iterations and more stably than k=1, s=1 and than cross-entropy",
        (
            *_course("k5s1", "k1s1"),
            *_course("k5s1", "ce-continued"),
            *_course("k5s1-scratch", "k1s1-scratch"),
            *_course("k5s1-scratch", "ce"),
        ),
        f"{SAME}: no reason to differ from k=1, s=1.",
    ),
    Claim(
        "C5",
        "Any k > 1 beats k=1, and k=3 is the best (GRID, s=1)",
        (
            *(_kernel(run, "k1s1") for run in ("k2s1", "k3s1", "k5s1", "k7s1")),
            *(_kernel("k3s1", against) for against in ("k2s1", "k5s1", "k7s1")),
            *(_kernel(run, "ce-continued", control=True) for run in ("k2s1", "k3s1", "k5s1", "k7s1")),
        ),
        f"{SAME}: k changes the ends alone.",
    ),
    Claim(
        "C6",
        "The four kernels of Table IIb lie within 1 percentage point of WER (GRID, k=3, s=1)",
        (Comparison("grid", "", "", "spread", paper=0.8, runs=tuple(paper.TABLE2B)),),
        f"{SAME}: w changes the ends alone, so it follows from the equations.",
    ),
    Claim(
        "C7",
        "Word classifiers: on the encoder of k=5, s=1 they beat those from scratch, and training it on beats fixing it",
        tuple(
            _classifier(corpus, run, against, control)
            for corpus in paper.TABLE3
            for run, against, control in (
                ("k5s1-fe_tc", "scratch", False),
                ("k5s1-te_tc", "k5s1-fe_tc", False),
                ("k5s1-fe_tc", "ce-fe_tc", True),
                ("k5s1-te_tc", "ce-te_tc", True),
            )
        ),
        "The controls take the encoder of cross-entropy: without them pre-training and policy gradient are confounded.",
    ),
    Claim(
        "C8",
        "Beam search beats greedy decoding (GRID)",
        (
            Comparison(
                "grid",
                paper.TABLE5A_RUN,
                paper.TABLE5A_RUN,
                "wer",
                ("beam", "greedy"),
                round(paper.TABLE5A_PAPER["beam"] - paper.TABLE5A_PAPER["greedy"], 2),
            ),
        ),
    ),
)
