"""Measures and notes that the paper's tables and ours share."""

from pcpg.report.tables.table import Measure

CER = Measure("cer", "CER", "greedy_cer")
WER = Measure("wer", "WER", "greedy_wer")

SUMMED = "Rates are edits over the whole test set by its reference length, not averages over clips."
GREEDY = f"Decoded greedily, without beam search. {SUMMED}"
LOWER = "Lower is better."
DIFFERENCE = (
    "Δ is a row minus the {} row, in percentage points. Ours: of the same seeds, with the 95 % interval over seeds and "
    "utterances (two-way layout; speakers in place of utterances where several are tested)."
)
