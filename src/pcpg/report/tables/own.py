"""Tables that the paper lacks: ablation, random weights, objectives, fixed updates, words of GRID."""

from pcpg.corpora.grid_text import GRAMMAR
from pcpg.report import runs
from pcpg.report.formats import NONE
from pcpg.report.paper import DATASETS, WORDS
from pcpg.report.results.quantities import TRAINED
from pcpg.report.tables.notes import CER, GREEDY, LOWER, WER, difference
from pcpg.report.tables.table import DATASET, Layout, Measure, Row
from pcpg.settings.schema import Params

LOSSES = {"cross_entropy": "cross-entropy", "pcpg": "(1 − λ) cross-entropy + λ policy gradient"}
PLACES = [len(words) for words in GRAMMAR]  # how many words GRID has for each place of a sentence

REWARD = Measure("training_reward", "greedy reward in training", TRAINED)
HALF_WAY = Measure("half_way", "half-way", "val_half_way")
AT_THE_END = Measure("at_the_end", "at the end", "val_end")
CHOSEN = Measure("chosen", "chosen", "val_chosen")
ERROR = Measure("error", "error", "word_error")
ERROR_BY_WORD = Measure("error_by_word", "error, by word", "word_error_by_class")
OWN_SPREAD = (
    "Mean ± sample standard deviation over seeds, bold where it is better than each other row, by the 95 % interval of "
    "their difference."
)


def ablation(settings: Params) -> Layout:
    labels = {
        "k1s1": ("k=1, s=1, as in Table I", NONE),
        "k5s1": ("pseudo-convolution of the loss (Eq. 5-7)", "k=5, s=1"),
    }
    for run in runs.ablation_runs(settings):
        labels[run] = runs.ablation_labels(settings.runs["grid"], run)
    labels[runs.CONTINUED] = ("policy gradient", "none")
    title = "Ablation. GRID: one setting of policy gradient changed at a time"
    return _ours("ablation", title, ("Changed", "To"), labels, "k=1, s=1")


def scratch(settings: Params) -> Layout:
    labels = {"ce": ("cross-entropy", "/")}
    for name in runs.scratch_runs(settings, "grid"):
        run = settings.runs["grid"][name]
        if name != "ce":
            mixed = (LOSSES.get(run.objective_name), runs.case(run))
            alone = mixed[0] and mixed not in labels.values()
            labels[name] = mixed if alone else (name, runs.describe(settings.runs["grid"], name))
    title = "From scratch. GRID from random weights: error rates by objective, with as many updates for each"
    return _ours("scratch", title, ("Loss (Eq. 8)", "Case"), labels, "cross-entropy")


def objectives(settings: Params) -> Layout:
    rows = []
    for corpus in DATASETS:
        labels = runs.told_apart(runs.objective_runs(settings, corpus))
        rows += [Row((run, label), corpus, run) for run, label in labels.items()]
    rows = rows or [Row((runs.CONTINUED, "cross entropy"), "grid", runs.CONTINUED)]
    title = "Objectives. Every run from the baseline, by what it minimises"
    reward = (
        "Greedy reward in training: 1 − CER of greedy texts of 32 training clips, read as in testing, by the weights "
        "that validation chose: what is left to learn there."
    )
    took = (
        "An epoch looks at every training clip once. Updates and their seconds are those of the committed trainings, "
        "validations included, with whatever else ran on the machine (costs.csv); of ppo and nlpo an update is all "
        "passes over a draw."
    )
    chance = "p: two-sided, of the difference in WER, after Holm's correction over the rows of a corpus that have one."
    delta = difference("cross-entropy continued", WORDS in settings.corpus_names)
    notes = (LOWER, GREEDY, delta, chance, reward, OWN_SPREAD, took)
    return Layout(
        "objectives", title, (DATASET, "Run", "Objective"), (CER, WER, REWARD), rows, notes,
        runs.CONTINUED, "CE continued", published=False, corrected="wer", timed=True,
    )  # fmt: skip


def updates(settings: Params) -> Layout:
    fine_tuned = {name: run for name, run in settings.runs.get("grid", {}).items() if not run.from_scratch}
    labels = runs.told_apart(fine_tuned) or {runs.CONTINUED: "cross entropy"}
    rows = [Row((name, label), "grid", name) for name, label in labels.items()]
    title = "At fixed updates. GRID: validation CER of fine-tuned runs half-way, at the end, and by the chosen weights"
    why = (
        "The weights that are tested are those of the evaluation with the lowest validation CER, which favours whoever "
        "varies most from one evaluation to the next. The first two columns choose nothing."
    )
    spread = f"{OWN_SPREAD} Intervals are Student's, over seeds."
    notes = (LOWER, why, spread)
    return Layout(
        "updates", title, ("Run", "Objective"), (HALF_WAY, AT_THE_END, CHOSEN), rows, notes, runs.CONTINUED,
        "CE continued", published=False,
    )  # fmt: skip


def words(settings: Params) -> Layout:
    rows = [Row((name, _kind(settings, name)), WORDS, name) for name in settings.trainings(WORDS)]
    rows = rows or [Row(("ce", "lip-reader, from random weights, cross entropy"), WORDS, "ce")]
    title = "Words of GRID. Each word read alone: errors, over all clips and by word"
    count, places = sum(PLACES), len(PLACES)
    luck = 100 * sum(1 / words for words in PLACES) / places
    chance = (
        "By word: the mean of each word's error, however many clips say it. Chance: to say always the same word at a "
        f"place of the sentence is wrong for {100 - luck:.1f} % of the clips and {100 - 100 * places / count:.1f} % by "
        f"word; to say the same word everywhere is wrong for {100 - 100 / count:.1f} % by word. "
        "Intervals are by sentence, which six words share."
    )
    read = f"A lip-reader spells the word, decoded greedily; a classifier chooses one of the {count}."
    notes = (LOWER, read, chance, difference("cross-entropy", words=True), OWN_SPREAD)
    return Layout(
        "words", title, (DATASET, "Run", "What it is"), (ERROR, ERROR_BY_WORD), rows, notes, "ce", "CE",
        published=False,
    )  # fmt: skip


def _kind(settings: Params, name: str) -> str:
    trained = settings.runs[WORDS]
    if name in trained:
        one = trained[name]
        alike = runs.told_apart({other: run for other, run in trained.items() if run.start == one.start})
        return f"lip-reader, from {'random weights' if one.from_scratch else one.start}, {alike[name]}"
    return f"classifier, {runs.describe_classifier(settings.classifiers[WORDS][name])}"


def _ours(name: str, title: str, columns: tuple[str, str], labels: dict[str, tuple[str, str]], against: str) -> Layout:
    """A table that the paper lacks: runs on GRID, each against the first. labels: by run."""
    rows = [Row(texts, "grid", run) for run, texts in labels.items()]
    notes = (LOWER, GREEDY, difference(against), OWN_SPREAD)
    return Layout(name, title, columns, (CER, WER), rows, notes, next(iter(labels)), against, published=False)
