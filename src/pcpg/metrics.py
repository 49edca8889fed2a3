"""Character and word error rates. Corpus level (the usual, and ours), and the mean of per-utterance ratios."""

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein


def error_rates(references: Sequence[str], hypotheses: Sequence[str]) -> dict[str, float]:
    """cer, wer: edits over the whole corpus / reference length of the whole corpus; mean_cer, mean_wer: the mean of
    each utterance's ratio, as the first author's code reports it. Fractions; references must not be empty texts.
    """
    pairs = list(zip(references, hypotheses, strict=True))
    rates = {}
    for name, split in (("cer", list), ("wer", str.split)):
        counts = [(Levenshtein.distance(split(hyp), split(ref)), len(split(ref))) for ref, hyp in pairs]
        rates[name] = sum(edits for edits, _ in counts) / sum(length for _, length in counts)
        rates[f"mean_{name}"] = sum(edits / length for edits, length in counts) / len(counts)
    return rates
