"""The bootstrap against exact enumeration and closed forms, and Holm's correction by hand."""

from collections import Counter
from itertools import product

import numpy as np
import pytest

from pcpg.report.results import stats
from pcpg.report.results.stats import Errors


def errors_of(edits, lengths=None, speakers=None) -> Errors:
    edits = np.atleast_2d(edits)
    seeds, count = edits.shape
    names = tuple(map(str, range(count)))
    lengths = np.full(count, 10) if lengths is None else np.array(lengths)
    return Errors(tuple(range(seeds)), names, edits, lengths, tuple(speakers or [""] * count))


def test_the_rate_is_that_of_the_whole_test_set_averaged_over_seeds():
    errors = errors_of([[1, 0, 3], [2, 2, 2]], lengths=[5, 5, 10])
    assert errors.rate() == pytest.approx(100 * (4 / 20 + 6 / 20) / 2)


def test_three_utterances_give_every_pair_of_draws_its_share():
    """From three utterances two are drawn: nine equally likely pairs, of unequal lengths."""
    edits, lengths = [1, 2, 6], [4, 5, 12]
    exact = Counter(
        round(100 * (edits[i] + edits[j]) / (lengths[i] + lengths[j]), 6) for i, j in product(range(3), repeat=2)
    )
    found = stats.bootstrap({"": errors_of(edits, lengths)}, 20_000)[""]
    shares = Counter(np.round(found, 6))
    assert shares.keys() == exact.keys()
    for value, times in exact.items():
        assert shares[value] / 20_000 == pytest.approx(times / 9, abs=0.012)  # four standard errors


def test_seeds_and_utterances_are_drawn_independently():
    """Two seeds and two utterances, one of each drawn: four equally likely cells."""
    found = Counter(np.round(stats.bootstrap({"": errors_of([[1, 2], [3, 5]])}, 20_000)[""], 6))
    assert found.keys() == {10, 20, 30, 50}
    assert all(count / 20_000 == pytest.approx(1 / 4, abs=0.013) for count in found.values())


def test_the_variance_of_seeds_and_utterances_adds_up():
    """edits = a_s + b_n: the variance of the mean is s_a^2 / S + s_b^2 / N, unbiased however few seeds there are."""
    generator = np.random.default_rng(3)
    of_seeds, of_utterances = generator.normal(0, 1, 3), generator.normal(0, 4, 60)
    errors = errors_of(10 + of_seeds[:, None] + of_utterances, lengths=np.full(60, 100))
    found = stats.bootstrap({"": errors}, 40_000)[""]
    exact = of_seeds.var(ddof=1) / 3 + of_utterances.var(ddof=1) / 60
    assert found.var() == pytest.approx(exact, rel=0.03)


def test_sentences_of_one_speaker_are_drawn_together():
    """Where the sentences of a speaker are alike, as much is known as there are speakers."""
    of_speakers = np.array([1.0, 4.0, 2.0, 7.0, 6.0])
    speakers = [f"s{k}" for k in range(5) for _ in range(40)]
    edits = of_speakers.repeat(40)
    blocked = stats.bootstrap({"": errors_of(edits, np.full(200, 100), speakers)}, 40_000)[""]
    free = stats.bootstrap({"": errors_of(edits, np.full(200, 100))}, 40_000)[""]
    assert blocked.var() == pytest.approx(of_speakers.var(ddof=1) / 5, rel=0.03)
    assert free.var() < blocked.var() / 20


def test_runs_are_compared_utterance_by_utterance():
    generator = np.random.default_rng(0)
    edits = generator.integers(0, 8, (3, 50))
    worse = stats.difference(errors_of(edits + 1), errors_of(edits))
    assert (worse.value, worse.low, worse.high) == pytest.approx((10, 10, 10))
    assert worse.p == pytest.approx(2 / 10_001)
    assert (worse.seeds, worse.utterances) == (3, 50)
    same = stats.difference(errors_of(edits), errors_of(edits))
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)


def test_without_a_difference_few_intervals_miss_zero():
    """300 pairs of runs that differ by seeds and utterances alone: about 5 % of the p fall below 0.05."""
    generator = np.random.default_rng(5)
    missed = 0
    for trial in range(300):
        clips, seeds = generator.normal(0, 1, 40), generator.normal(0, 0.3, (2, 5, 1))
        one, other = (20 + 3 * clips + 3 * seeds[k] + generator.normal(0, 2, (5, 40)) for k in range(2))
        missed += stats.difference(errors_of(one), errors_of(other), 400, trial).p < 0.05
    assert 3 <= missed <= 45


def test_a_difference_is_found():
    generator = np.random.default_rng(6)
    base = generator.poisson(3, (3, 200))
    found = stats.difference(errors_of(base + (generator.random((3, 200)) < 0.3)), errors_of(base))
    assert 0 < found.low < found.value < found.high and found.p < 0.01


def test_the_same_random_state_gives_the_same_interval():
    errors = errors_of(np.random.default_rng(1).integers(0, 9, (3, 30)))
    assert stats.rate(errors) == stats.rate(errors)
    first, other = (stats.bootstrap({"": errors}, 600, state)[""] for state in (0, 1))
    assert (first != other).any()


def test_only_seeds_that_both_have_are_compared():
    one = Errors((1, 2, 3), ("a",), np.array([[1], [2], [3]]), np.array([10]), ("",))
    other = Errors((3, 1), ("a",), np.array([[9], [4]]), np.array([10]), ("",))
    found = stats.difference(one, other)
    assert found.value == pytest.approx(((1 - 4) + (3 - 9)) / 2 * 10) and found.seeds == 2
    with pytest.raises(ValueError, match="share no seed"):
        stats.common(one, Errors((4,), ("a",), np.array([[1]]), np.array([10]), ("",)))
    with pytest.raises(ValueError, match="same clips"):
        stats.bootstrap({"one": one, "other": Errors((1, 2, 3), ("b",), one.edits, one.lengths, ("",))})


def test_holm():
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert stats.holm([0.5, 0.9]) == [1.0, 1.0]
    assert stats.holm([]) == []
