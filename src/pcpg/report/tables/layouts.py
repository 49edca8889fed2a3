"""What the paper's tables show: its rows in its order, then controls and the other runs of the parameter file."""

from pcpg.report import paper, runs
from pcpg.report.formats import CONTROLS, MINUS, NONE, OTHERS, weights
from pcpg.report.paper import KERNELS
from pcpg.report.tables import own
from pcpg.report.tables.notes import CER, GREEDY, LOWER, SUMMED, WER, difference
from pcpg.report.tables.table import DATASET, Layout, Measure, Row
from pcpg.settings.schema import Params

Labels = dict[str, tuple[str, ...]]  # by run
METHODS = {
    "ce": ("cross-entropy", "/"),
    "k1s1": (f"{MINUS}RF {MINUS}OP", "k=1, s=1"),
    "k5s5": (f"+RF {MINUS}OP", "k=5, s=5"),
    "k5s1": ("+RF +OP", "k=5, s=1"),
}
CLASSIFIERS = {"scratch": ("baseline",), "k5s1-fe_tc": ("FE and TC",), "k5s1-te_tc": ("TE and TC",)}
CLASSIFIER_CONTROLS = {
    "ce-fe_tc": ("FE and TC, encoder of cross-entropy",),
    "ce-te_tc": ("TE and TC, encoder of cross-entropy",),
}

RUN_CONTROLS_ASK = (
    "Controls: is it the longer training? “Continued” (our run ce-continued) trains the baseline on without policy "
    "gradient, for as many updates as the other runs. Is it the windows? “1/5 as strong” (k1s1-scaled) is "
    "plain policy gradient whose loss is proportional to that of k=5, s=5: docs/collapse.md."
)
CLASSIFIER_CONTROLS_ASK = (
    "Controls: is it policy gradient, or any pre-training? In the paper's rows ours takes the encoder of k=5, s=1 (our "
    "runs k5s1-fe_tc and k5s1-te_tc), in the controls that of the cross-entropy baseline (ce-fe_tc and ce-te_tc), "
    "which had fewer updates. The encoder of ce-continued, where a preset has it, had as many."
)
STATED = "word classifier; split not stated by the paper"
NAMED = {"[21]": " Petridis 2018", "[24]": " Stafylakis 2017", "[23]": "", "[27]": " Wang 2019", "[29]": " Yang 2019"}
PUBLISHED = {
    "[2]": ("[2]", "poster, University of Oxford; split not stated by the paper"),
    **{key: (key + name, STATED) for key, name in NAMED.items()},
}
UNSEEN = "unseen speakers (1, 2, 20, 22); {} on overlapped speakers"
GRID_DECODERS = {
    "[26]": ("[26] Wand 2016", "speaker-dependent"),
    "[13]": ("[13] Gergen 2016", "speaker-dependent"),
    "[4] greedy": ("[4] LipNet, no beam search", UNSEEN.format(paper.LIPNET_OVERLAPPED["greedy"])),
    "[4] beam": ("[4] LipNet, beam search", UNSEEN.format(paper.LIPNET_OVERLAPPED["beam"])),
}
OURS = "paper: split not stated; ours: stated with the table"
OWN = "ours: stated with the table"

ACCURACY = Measure("accuracy", "accuracy", "accuracy")
DECODED = Measure("accuracy", "accuracy", "beam_accuracy")
SPREAD = (
    "Ours is the mean ± sample standard deviation over seeds, bold where it is better than each other row of the "
    "paper's on the same corpus, by the 95 % interval of their difference. The paper prints one number a row and does "
    "not say how many runs are behind it."
)
SCALE = (
    "Where a preset generates or shrinks a corpus, its values cannot be compared with the paper's: only the ordering "
    "of the rows can."
)
UNRANKED = "Where a preset generates or shrinks a corpus, our values cannot be ranked among the published ones."
HIGHER = "Higher is better."
QUOTED = f"Rows marked {NONE} are published results that the paper quotes; nothing of ours stands behind them."


def _table1(settings: Params) -> Layout:
    rows = _rows(settings, paper.TABLE1, METHODS, settings.runs, runs.CONTROLS)
    rows += [
        Row((run, runs.describe(settings.runs[corpus], run)), corpus, run, group=OTHERS)
        for corpus in paper.DATASETS
        for run in runs.other_runs(settings, corpus)
    ]
    explain = "RF: receptive field (k > 1); OP: overlapping windows (k > s). k: kernel size, s: stride."
    title = "Table I. Error rates of the sequence-to-sequence model by training objective"
    delta = difference("cross-entropy", paper.WORDS in settings.corpus_names)
    notes = (f"{LOWER} {explain}", GREEDY, delta, RUN_CONTROLS_ASK, SPREAD, SCALE)
    return Layout("table1", title, (DATASET, "Method", "Case"), (CER, WER), rows, notes, baseline="ce")


def _rows(settings: Params, printed: dict, labels: Labels, trained: dict, controls: Labels) -> list[Row]:
    """The paper's rows, `printed` by corpus and run, those of corpora that it lacks, and the controls.

    trained: by corpus, what the preset trains of this kind.
    """
    rows = [Row(labels[run], corpus, run, values) for corpus, of in printed.items() for run, values in of.items()]
    rows += _of_others(settings, labels)
    corpora = [corpus for corpus in paper.DATASETS if corpus in printed | trained]
    return rows + [Row(texts, corpus, run, group=CONTROLS) for corpus in corpora for run, texts in controls.items()]


def _of_others(settings: Params, labels: Labels) -> list[Row]:
    """Rows of corpora that the paper lacks, in groups of their own below the paper's rows."""
    return [
        Row(texts, corpus, run, group=f"{paper.DATASETS[corpus]}, which the paper has not")
        for corpus in settings.corpus_names
        for run, texts in labels.items()
        if corpus not in paper.CORPORA and run in settings.trainings(corpus)
    ]


def _table2a(_: Params) -> Layout:
    rows = [Row((f"k={len(KERNELS[run][0])}",), "grid", run, {"wer": wer}) for run, wer in paper.TABLE2A.items()]
    title = "Table IIa. GRID: word error rate by kernel size (stride 1, uniform weights)"
    notes = (LOWER, GREEDY, difference("k=1"), SPREAD, SCALE)
    return Layout("table2a", title, ("Kernel size",), (WER,), rows, notes, baseline="k1s1")


def _table2b(_: Params) -> Layout:
    rows = [Row((weights(KERNELS[run][0]),), "grid", run, {"wer": wer}) for run, wer in paper.TABLE2B.items()]
    title = "Table IIb. GRID: word error rate by kernel weights (k=3, stride 1)"
    return Layout("table2b", title, ("Kernel weight",), (WER,), rows, (LOWER, GREEDY, SPREAD, SCALE))


def _table3(settings: Params) -> Layout:
    printed = {corpus: {run: {"accuracy": value} for run, value in of.items()} for corpus, of in paper.TABLE3.items()}
    rows = _rows(settings, printed, CLASSIFIERS, settings.classifiers, CLASSIFIER_CONTROLS)
    rows += [
        Row((f"{run}: {runs.describe_classifier(classifier)}",), corpus, run, group=OTHERS)
        for corpus in paper.DATASETS
        for run, classifier in settings.classifiers.get(corpus, {}).items()
        if run not in CLASSIFIERS | CLASSIFIER_CONTROLS
    ]
    explain = "baseline: no pre-training (our run scratch); FE, TE: encoder fixed or trained; TC: classifier trained."
    title = "Table III. Word classification on top of the learned encoder"
    delta = difference("baseline", paper.WORDS in settings.corpus_names)
    notes = (f"{HIGHER} {explain}", delta, CLASSIFIER_CONTROLS_ASK, SPREAD, SCALE)
    return Layout("table3", title, (DATASET, "Method"), (ACCURACY,), rows, notes, baseline="scratch")


def _table4(settings: Params) -> Layout:
    rows = _published(settings, paper.TABLE4_OTHERS, paper.TABLE4_PAPER, "k5s1-te_tc", "PCPG, TE and TC")
    title = "Table IV. Word classification beside published classifiers"
    cut = (
        "On LRW-1000 the way a word is cut out alone can move the accuracy by several points (exact cut against 40 "
        "centred frames); the rows need not share it."
    )
    notes = (f"{HIGHER} {QUOTED}", cut, SPREAD, UNRANKED)
    return Layout("table4", title, (DATASET, "Method", "Source"), (ACCURACY,), rows, notes)


def _published(settings: Params, others: dict, printed: dict[str, float], run: str, method: str) -> list[Row]:
    """On each corpus what the paper quotes, `others` by corpus and reference, then its own value with our run."""
    rows = []
    for corpus, value in printed.items():
        rows += [Row(PUBLISHED[key], corpus, paper={"accuracy": of}) for key, of in others.get(corpus, {}).items()]
        rows.append(Row((method, OURS), corpus, run, {"accuracy": value}))
    return rows + _of_others(settings, {run: (method, OWN)})


def _table5a(_: Params) -> Layout:
    def ours(decoder: str, label: str) -> Row:
        wer = {"wer": paper.TABLE5A_PAPER[decoder]}
        return Row((f"PCPG, {label}", OURS), "grid", paper.TABLE5A_RUN, wer, f"{decoder}_wer")

    others = {of: Row(GRID_DECODERS[of], "grid", paper={"wer": wer}) for of, wer in paper.TABLE5A_OTHERS.items()}
    rows = [
        *(others[key] for key in ("[26]", "[13]", "[4] greedy")),
        ours("greedy", "no beam search"),
        others["[4] beam"],
        ours("beam", "beam search"),
    ]
    best = paper.TABLE5A_PAPER["greedy"]
    which = (
        f"The paper does not say which of its models this is; {best} is its Table IIb for w=[1/4, 1/2, 1/4], so our "
        f"row is the run {paper.TABLE5A_RUN}."
    )
    mixed = (
        "The rows do not share a split: [4] tests on speakers it has never seen, [26] and [13] do not. For [4], “no "
        "beam search” is its result without language model."
    )
    title = "Table Va. GRID: word error rate beside published decoders"
    notes = (f"{LOWER} {QUOTED}", mixed, which, SUMMED, SPREAD, UNRANKED)
    return Layout("table5a", title, (DATASET, "Method", "Source"), (WER,), rows, notes)


def _table5b(settings: Params) -> Layout:
    rows = _published(settings, paper.TABLE5B_OTHERS, paper.TABLE5B_PAPER, "k5s1", "PCPG, k=5, s=1, beam search")
    lrw, lrw1000 = (paper.TABLE1[corpus]["k5s1"]["wer"] for corpus in ("lrw", "lrw1000"))
    which = (
        f"The paper does not say which model or decoder its rows are. Its Table I (k=5, s=1) gives WER {lrw} on LRW, "
        f"that is accuracy {100 - lrw:.1f}, below the {paper.TABLE5B_PAPER['lrw']} here: presumably this row is with "
        f"beam search. On LRW-1000 its Table I gives WER {lrw1000}, that is exactly the {100 - lrw1000:.1f} here. "
        "Ours is k=5, s=1 with beam search; its greedy WER is in Table I."
    )
    title = f"Table Vb. LRW and LRW-1000: decoding accuracy (100 {MINUS} WER) beside published decoders"
    notes = (f"{HIGHER} {QUOTED}", which, SUMMED, SPREAD, UNRANKED)
    return Layout("table5b", title, (DATASET, "Method", "Source"), (DECODED,), rows, notes)


LAYOUTS = {
    "table1": _table1, "table2a": _table2a, "table2b": _table2b, "table3": _table3, "table4": _table4,
    "table5a": _table5a, "table5b": _table5b, "ablation": own.ablation, "scratch": own.scratch,
    "objectives": own.objectives, "words": own.words, "updates": own.updates,
}  # fmt: skip


def layout_of(name: str, settings: Params) -> Layout:
    return LAYOUTS[name](settings)
