"""Character and word error rates. Corpus level (as usual, and in our tables), and the mean of per-utterance ratios."""

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

SPLITS = {"cer": list, "wer": str.split, "error": lambda text: [text]}  # the units that are edited


def edits(reference: str, hypothesis: str, measure: str) -> tuple[int, int]:
    """Edit distance in characters ("cer"), words ("wer") or whole texts ("error"), and the length of the reference."""
    split = SPLITS[measure]
    units = split(reference)
    return Levenshtein.distance(split(hypothesis), units), len(units)


def error_rates(references: Sequence[str], hypotheses: Sequence[str]) -> dict[str, float]:
    """cer, wer: edits over the whole corpus / reference length of the whole corpus; mean_cer, mean_wer: the mean of
    each utterance's ratio, as the first author's code reports it. Fractions; references must not be empty texts.
    """
    rates = {}
    for name in ("cer", "wer"):
        counts = [edits(ref, hyp, name) for ref, hyp in zip(references, hypotheses, strict=True)]
        rates[name] = sum(wrong for wrong, _ in counts) / sum(length for _, length in counts)
        rates[f"mean_{name}"] = sum(wrong / length for wrong, length in counts) / len(counts)
    return rates
