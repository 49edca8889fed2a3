"""What a table can show of a run, by name: where it is read, and whether more of it is better."""

from dataclasses import dataclass

from pcpg.report.results.histories import chosen, half_way, last

READ = "read"  # a pseudo-decoder: the class of a classifier, or the greedy text of a lip-reader


@dataclass(frozen=True)
class Quantity:
    """What a table shows."""

    measure: str  # of pcpg.reader.metrics
    decoder: str
    turned: bool = False  # the value is 100 % minus the error rate
    by_class: bool = False  # mean over the words, however many clips each has


QUANTITIES = {
    "greedy_cer": Quantity("cer", "greedy"),
    "greedy_wer": Quantity("wer", "greedy"),
    "beam_cer": Quantity("cer", "beam"),
    "beam_wer": Quantity("wer", "beam"),
    "beam_accuracy": Quantity("wer", "beam", turned=True),
    "accuracy": Quantity("error", "classified", turned=True),
    "word_error": Quantity("error", READ),
    "word_error_by_class": Quantity("error", READ, by_class=True),
}
TRAINED = "training_reward"  # 1 - CER of greedy texts of training clips, by the weights that were chosen
# what a table shows of histories -> the column, the evaluation, and whether more is better
OF_HISTORIES = {
    TRAINED: ("policy_greedy", chosen, True),
    "val_half_way": ("val_cer", half_way, False),
    "val_end": ("val_cer", last, False),
    "val_chosen": ("val_cer", chosen, False),
}
