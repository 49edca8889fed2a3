"""Measures and notes that the paper's tables and ours share."""

from pcpg.report.tables.table import Measure

CER = Measure("cer", "CER", "greedy_cer")
WER = Measure("wer", "WER", "greedy_wer")

SUMMED = "Rates are edits over the whole test set by its reference length, not averages over clips."
GREEDY = f"Decoded greedily, without beam search. {SUMMED}"
LOWER = "Lower is better."


def difference(baseline: str, words: bool = False) -> str:
    """How to read the column Δ. words: some clips of the table may be words that were cut from sentences."""
    cut = "sentences in place of the words cut from them, " if words else ""
    return (
        f"Δ is a row minus the {baseline} row, in percentage points. Ours: of the same seeds, with the 95 % interval "
        f"over seeds and utterances (two-way layout; {cut}speakers in place of utterances where several are tested)."
    )
