"""What tables have in common: the quantities that they report, and how to read them."""

from pcpg.report.results.quantities import TRAINED
from pcpg.report.tables.table import Measure
from pcpg.report.words import NONE

CER = Measure("cer", "CER", "greedy_cer")
WER = Measure("wer", "WER", "greedy_wer")
REWARD = Measure("training_reward", "greedy reward in training", TRAINED)
ACCURACY = Measure("accuracy", "accuracy", "accuracy")
HALF_WAY = Measure("half_way", "half-way", "val_half_way")
AT_THE_END = Measure("at_the_end", "at the end", "val_end")
CHOSEN = Measure("chosen", "chosen", "val_chosen")
ERROR = Measure("error", "error", "word_error")
ERROR_BY_WORD = Measure("error_by_word", "error, by word", "word_error_by_class")
DECODED = Measure("accuracy", "accuracy", "beam_accuracy")

SPREAD = (
    "Ours is the mean ± sample standard deviation over seeds, bold where the 95 % interval of its "
    "difference to each other row of the paper's on the same corpus excludes 0. The paper prints one number a row and "
    "does not say how many runs are behind it."
)
OWN_SPREAD = (
    "Mean ± sample standard deviation over seeds, bold where the 95 % interval of its difference to "
    "each other row excludes 0."
)
SCALE = (
    "Where a preset generates or shrinks a corpus, its values cannot be compared with the paper's: only the ordering "
    "of the rows can."
)
UNRANKED = "Where a preset generates or shrinks a corpus, our values cannot be ranked among the published ones."
SUMMED = "Rates are edits over the whole test set by its reference length, not averages over clips."
GREEDY = f"Decoded greedily, without beam search. {SUMMED}"
LOWER = "Lower is better."
HIGHER = "Higher is better."
QUOTED = f"Rows marked {NONE} are published results that the paper quotes; nothing of ours stands behind them."
DIFFERENCE = (
    "Δ is a row minus the {} row, in percentage points. Ours: of the same seeds, with the 95 % interval over seeds and "
    "utterances (two-way layout; speakers in place of utterances where several are tested)."
)
