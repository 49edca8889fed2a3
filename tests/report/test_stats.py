"""The two-way layout against plain loops, closed forms and simulation; power; Holm's correction by hand."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from pcpg.report.claims.judge import EXCLUDED, INTERVAL, REVERSED, SHOWN, UNDECIDED, outcome
from pcpg.report.results import stats
from pcpg.report.results.stats import Errors, Estimate
from tests.conftest import ROOT

DRAWS = 2000
S1 = {"seed": 0.31, "utterance": 1.1, "residual": 6.9}  # standard deviations in points of k1s1 - ce on s1
SPREADS = {"as on s1": S1, "seeds alone": {**S1, "utterance": 0, "residual": 0}, "residual alone": {"residual": 9.0}}


def errors_of(edits, lengths=None, speakers=None) -> Errors:
    edits = np.atleast_2d(edits)
    seeds, count = edits.shape
    lengths = np.full(count, 10) if lengths is None else np.array(lengths)
    return Errors(tuple(range(seeds)), tuple(map(str, range(count))), edits, lengths, tuple(speakers or [""] * count))


def simulated(seeds: int, spread: dict[str, float], true: float = 0.0, count: int = 255) -> list[Estimate]:
    generator = np.random.default_rng([seeds, len(spread)])
    found = []
    for _ in range(DRAWS):
        points = true + generator.normal(0, spread.get("residual", 0), (seeds, count))
        points += generator.normal(0, spread.get("seed", 0), (seeds, 1))
        points += generator.normal(0, spread.get("utterance", 0), (1, count))
        found.append(stats.estimate(float(points.mean()), points, count))
    return found


def test_the_rate_is_that_of_the_whole_test_set_averaged_over_seeds():
    errors = errors_of([[1, 0, 3], [2, 2, 2]], lengths=[5, 5, 10])
    assert errors.rate() == pytest.approx(100 * (4 / 20 + 6 / 20) / 2)


def test_mean_squares_are_those_of_plain_loops():
    points = np.random.default_rng(0).normal(size=(4, 7))
    seeds, count = points.shape
    mean = sum(points[s][u] for s in range(seeds) for u in range(count)) / (seeds * count)
    rows, columns = [sum(row) / count for row in points], [sum(points[:, u]) / seeds for u in range(count)]
    within = sum((points[s][u] - rows[s] - columns[u] + mean) ** 2 for s in range(seeds) for u in range(count))
    within /= (seeds - 1) * (count - 1)
    between = seeds * sum((column - mean) ** 2 for column in columns) / (count - 1)
    of_seeds = sum((row - mean) ** 2 for row in rows) / (seeds - 1)
    parts = (of_seeds / seeds, max(0, between - within) / (seeds * count), within / (seeds * count))
    found = stats.estimate(mean, points, count)
    assert (found.of_seeds, found.of_utterances, found.of_residual) == pytest.approx(parts)


def test_utterances_of_one_speaker_are_summed():
    errors = errors_of([[1, 2, 3, 4], [5, 6, 7, 8]], [1, 2, 3, 4], ["a", "b", "a", "b"])
    assert stats.by_unit(errors, errors.edits).tolist() == [[4, 6], [12, 14]]
    assert stats.by_unit(errors, errors.lengths).tolist() == [4, 6]
    alone = errors_of([[1, 2]])
    assert stats.by_unit(alone, alone.edits) is alone.edits


def test_a_test_split_of_lrw_1000s_size_fits_into_memory():
    """51,588 clips: a matrix of all pairs would take 21 GB."""
    generator = np.random.default_rng(0)
    one, other = (errors_of(generator.integers(0, 2, (3, 51_588))) for _ in range(2))
    assert stats.difference(one, other).known


def test_the_standard_error_by_hand():
    """Two seeds and two utterances of one character each: differences 1, 0 and 1, 1."""
    found = stats.difference(errors_of([[1, 0], [1, 1]], [1, 1]), errors_of([[0, 0], [0, 0]], [1, 1]))
    of_seeds = (50 - 75) ** 2 + (100 - 75) ** 2
    residual = 4 * 25.0**2  # every cell is 25 from what its row and column say
    between = 2 * ((100 - 75) ** 2 + (50 - 75) ** 2)
    assert found.value == 75.0
    assert found.error == pytest.approx(math.sqrt(of_seeds / 2 + max(0, between - residual) / 4))


def test_without_a_residual_the_variances_of_both_means_add_up():
    generator = np.random.default_rng(3)
    of_seeds, of_utterances = generator.normal(0, 1, 3), generator.normal(0, 4, 60)
    found = stats.estimate(0.0, of_seeds[:, None] + of_utterances, 60)
    assert found.of_seeds == pytest.approx(of_seeds.var(ddof=1) / 3)
    assert found.of_utterances == pytest.approx(of_utterances.var(ddof=1) / 60)


def test_a_difference_is_scaled_to_the_rates():
    run, against = errors_of([[1, 0], [3, 1]], [5, 15]), errors_of([[2, 2], [1, 1]], [5, 15])
    found = stats.difference(run, against)
    assert found.value == pytest.approx(run.rate() - against.rate())
    points = 100 * (run.edits - against.edits) * 2 / 20
    assert found == stats.estimate(found.value, points, 2)


def test_a_rate_varies_about_what_the_lengths_let_expect():
    """Errors in proportion to the length are one rate, however much the lengths differ."""
    found = stats.rate(errors_of([[1, 2, 4], [1, 2, 4]], [10, 20, 40]))
    assert found.value == pytest.approx(10) and not found.known


def test_sentences_of_one_speaker_are_drawn_together():
    """Where the sentences of a speaker are alike, as much is known as there are speakers."""
    of_speakers = np.array([1.0, 4.0, 2.0, 7.0, 6.0])
    edits = np.stack([of_speakers.repeat(40) + seed for seed in range(3)])
    speakers = [f"s{k}" for k in range(5) for _ in range(40)]
    nothing = errors_of(np.zeros_like(edits), np.full(200, 100), speakers)
    found = stats.difference(errors_of(edits, np.full(200, 100), speakers), nothing)
    assert found.of_utterances == pytest.approx(of_speakers.var(ddof=1) / 5)
    free = stats.difference(errors_of(edits, np.full(200, 100)), errors_of(np.zeros_like(edits), np.full(200, 100)))
    assert free.of_utterances < found.of_utterances / 30


@pytest.mark.parametrize(
    "edits", [[[1, 0, 2]], [[1], [2], [2]], [[0, 0], [0, 0]]], ids=["one seed", "one utterance", "no error at all"]
)
def test_from_nothing_there_is_no_interval(edits):
    for found in (
        stats.rate(errors_of(edits)),
        stats.difference(errors_of(edits), errors_of(np.zeros_like(np.array(edits)))),
    ):
        assert not found.known and all(map(math.isnan, (*found.interval(), found.smallest)))
        assert found.explained() is None and outcome(found, asked=-1.0) == UNDECIDED


@pytest.mark.parametrize(("seeds", "clips", "length"), [(2, 7, 3), (3, 9, 6), (5, 255, 6)])
def test_values_that_are_all_alike_give_no_interval(seeds, clips, length):
    """Sums of their decimals differ in the last digit, which is no chance."""
    worse, lengths = errors_of(np.ones((seeds, clips)), np.full(clips, length)), np.full(clips, length)
    found = stats.difference(worse, errors_of(np.zeros((seeds, clips)), lengths))
    assert found.value == pytest.approx(100 / length) and not found.known
    assert not stats.of_numbers([100 * 3 / 7 - 100 / 7] * 3).known


@pytest.mark.parametrize(
    ("value", "seeds", "explained"), [(0.0, 3, True), (4.2, 3, True), (4.5, 3, False), (-4.5, 3, False), (9.0, 1, None)]
)
def test_what_chance_explains(value, seeds, explained):
    """Student's t of two degrees of freedom is 4.30; one seed shows nothing."""
    assert Estimate(value, 1.0, 0.0, seeds, 9).explained() is explained


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("kind", SPREADS)
def test_intervals_cover_the_truth_as_often_as_they_say(kind, seeds):
    found = simulated(seeds, SPREADS[kind], true=1.0)
    covered = np.mean([low <= 1.0 <= high for low, high in (one.interval() for one in found)])
    assert 0.93 <= covered <= 0.975  # 93 to 97 %, and one standard error of the simulation


def test_few_speakers_leave_fewer_degrees_of_freedom():
    """Ten seeds on four speakers that differ more than the seeds do, as docs/verdict.md has it."""
    found = simulated(10, {"seed": 0.3, "utterance": 1.0, "residual": 0.3}, true=1.0, count=4)
    covered = np.mean([low <= 1.0 <= high for low, high in (one.interval(INTERVAL) for one in found)])
    assert 0.87 <= covered <= 0.92
    by_seeds = [abs(one.value - 1.0) <= one.error * scipy_stats.t.ppf(0.95, one.seeds - 1) for one in found]
    page = " ".join((ROOT / "docs/verdict.md").read_text("utf-8").split())
    assert f"cover {100 * np.mean(by_seeds):.0f} % instead of 90 with ten seeds and four speakers" in page
    assert all(3 <= one.freedom <= 9 for one in found) and min(one.freedom for one in found) < 4
    one = Estimate(0.0, 1.0, 3.0, 10, 40, 4)  # Satterthwaite by hand: (1 + 3)^2 / (1^2 / 9 + 3^2 / 3)
    assert one.freedom == pytest.approx(16 / (1 / 9 + 3)) and Estimate(0.0, 3.0, 1.0, 3, 255, 255).freedom == 2


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("kind", SPREADS)
def test_false_outcomes_are_rare(kind, seeds):
    """At the border of each: a true effect of T is called excluded, and none at all shown, in 5 % at most."""
    at_asked = [outcome(one, asked=-0.7) for one in simulated(seeds, SPREADS[kind], true=-0.7)]
    at_zero = [outcome(one, asked=-0.7) for one in simulated(seeds, SPREADS[kind], true=0.0)]
    limit = 0.05 + 3 * math.sqrt(0.05 * 0.95 / DRAWS)
    assert np.mean([one in (EXCLUDED, REVERSED) for one in at_asked]) < limit
    assert np.mean([one == SHOWN for one in at_zero]) < limit
    assert np.mean([one == REVERSED for one in at_zero]) < limit


def test_equivalence_is_two_one_sided_tests():
    """Schuirmann (1987): alike if both one-sided tests reject at 5 %, which is the 90 % interval within the margin."""
    generator, kinds = np.random.default_rng(5), set()
    for _ in range(200):
        numbers = generator.normal(generator.uniform(-1.5, 1.5), 0.6, 5)
        upper = scipy_stats.ttest_1samp(numbers, 1.0, alternative="less").pvalue
        lower = scipy_stats.ttest_1samp(numbers, -1.0, alternative="greater").pvalue
        found = outcome(stats.of_numbers(numbers), margin=1.0)
        assert (found == SHOWN) == (max(upper, lower) <= 0.05)
        beyond = min(1 - upper, 1 - lower) <= 0.05
        assert (found == EXCLUDED) == beyond
        kinds.add(found)
    assert kinds == {SHOWN, EXCLUDED, UNDECIDED}


def test_one_number_a_seed_has_students_interval():
    numbers = [3.0, 5.0, 4.0, 8.0]
    low, high = scipy_stats.ttest_1samp(numbers, 0).confidence_interval(0.95)
    found = stats.of_numbers(numbers)
    assert found.interval() == pytest.approx((low, high))
    assert found.above(0) == pytest.approx(scipy_stats.ttest_1samp(numbers, 0, alternative="greater").pvalue)
    assert found.below(0) == pytest.approx(scipy_stats.ttest_1samp(numbers, 0, alternative="less").pvalue)


def test_the_smallest_effect_is_found_as_often_as_it_says():
    spread = {"seed": 1.0}
    true = Estimate(0.0, 1 / 5, 0.0, 5, 255).smallest  # of the true spread: the power averages over its estimates
    found = simulated(5, spread, true=true)
    assert np.mean([not one.explained() for one in found]) == pytest.approx(stats.POWER, abs=0.03)
    many = Estimate(0.0, 1.0, 0.0, 10_000, 255)
    assert many.smallest == pytest.approx(1.95996 + 0.84162, abs=1e-3)  # quantiles of the normal distribution


def test_further_seeds_shrink_the_seeds_part_alone():
    found = Estimate(1.0, 0.3, 0.1, 3, 255, 255, 0.2).planned(12)
    parts = (found.of_seeds, found.of_utterances, found.of_residual, found.seeds)
    assert parts == pytest.approx((0.075, 0.1, 0.05, 12))


def test_seed_means_that_agree_by_luck_promise_no_power():
    lucky, usual = (Estimate(0.0, of_seeds, 0.1, 3, 255, 255, 0.2) for of_seeds in (0.001, 0.2))
    assert lucky.smallest == usual.smallest and lucky.error < usual.error


def test_alike_comparisons_are_worth_one():
    one, other = np.array([1.0, -1.0, 1.0, -1.0]), np.array([1.0, 1.0, -1.0, -1.0])
    assert stats.independent([one, other]) == pytest.approx(2)
    assert stats.independent([one, one, -one]) == pytest.approx(1)
    assert stats.independent([one, one, other]) == pytest.approx(9 / 5)  # eigenvalues 2, 1, 0
    assert stats.independent([one, np.zeros(4)]) == 1


def test_seeds_that_both_have_are_compared():
    one, other = errors_of([[1, 2], [3, 4], [5, 5]]), errors_of([[1, 1], [0, 0]])
    assert stats.difference(one, other).seeds == 2
    with pytest.raises(ValueError, match="share a seed"):
        stats.common(one, Errors((7,), one.clips, one.edits[:1], one.lengths, one.speakers))
    with pytest.raises(ValueError, match="the same clips"):
        stats.common(one, Errors(one.seeds, ("a", "b"), one.edits, one.lengths, one.speakers))


def test_holm_by_hand():
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])  # R's p.adjust
    assert stats.holm([0.6, 0.7]) == [1.0, 1.0] and stats.holm([]) == []
    assert pytest.approx(0.9) == INTERVAL
