"""Rewards and returns against plain loops, editdistance and the paper's own statements."""

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from pcpg.objectives.rewards import prefix_edit_distances, returns, rewards

SEQUENCE = st.lists(st.integers(3, 6), max_size=9)


def padded(rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    batch = torch.zeros(len(rows), max(1, *(len(row) for row in rows)), dtype=torch.long)
    for row, target in zip(rows, batch, strict=True):
        target[: len(row)] = torch.tensor(row, dtype=torch.long)
    return batch, torch.tensor([len(row) for row in rows])


def test_prefix_distances_of_all_short_texts_of_two_characters_equal_editdistance():
    short = [list(text) for length in range(6) for text in product([3, 4], repeat=length)]
    assert_equal_editdistance(list(product(short, short)))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(SEQUENCE, SEQUENCE), min_size=3, max_size=8))
def test_prefix_distances_equal_editdistance(pairs):
    assert_equal_editdistance(pairs)


def assert_equal_editdistance(pairs: list[tuple[list[int], list[int]]]) -> None:
    hyp, _ = padded([pair[0] for pair in pairs])
    ref, ref_lengths = padded([pair[1] for pair in pairs])
    distances = prefix_edit_distances(hyp, ref, ref_lengths).tolist()
    editdistance = pytest.importorskip("editdistance", reason="the reference has no wheel for this Python")
    for (hypothesis, reference), found in zip(pairs, distances, strict=True):
        wanted = [editdistance.eval(hypothesis[:u], reference) for u in range(len(hypothesis) + 1)]
        assert found[: len(wanted)] == wanted


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(SEQUENCE, SEQUENCE), min_size=1, max_size=8))
def test_rewards_are_unit_steps_that_telescope(pairs):
    hyp, hyp_lengths = padded([pair[0] for pair in pairs])
    ref, ref_lengths = padded([pair[1] for pair in pairs])
    values = rewards(hyp, hyp_lengths, ref, ref_lengths)
    assert set(values.unique().tolist()) <= {-1, 0, 1}
    for n, (hypothesis, reference) in enumerate(pairs):
        assert values[n].sum() == len(reference) - Levenshtein.distance(hypothesis, reference)
        assert (values[n, len(hypothesis) :] == 0).all()


@pytest.mark.parametrize("discount_from", ["end", "step"])
@pytest.mark.parametrize("gamma", [1.0, 0.95, 0.5])
def test_returns_equal_the_sum_in_the_paper(discount_from, gamma):
    values = torch.tensor([[1, 0, -1, 1, 0], [1, 1, 1, 9, 9]])
    lengths = torch.tensor([5, 3])
    result = returns(values, lengths, gamma, discount_from)
    for n, length in enumerate(lengths.tolist()):
        for u in range(5):
            exponents = {"end": lambda i, last=length - 1: last - i, "step": lambda i, first=u: i - first}
            wanted = sum(gamma ** exponents[discount_from](i) * values[n, i].item() for i in range(u, length))
            assert result[n, u].item() == pytest.approx(wanted if u < length else 0.0, abs=1e-6)
