"""The pseudo-convolution against a plain loop, and the collapse of its sum."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pcpg.objectives.pseudo_conv import coverage, pseudo_convolve


def plain_windows(length: int, size: int, stride: int, padding: str) -> list[range]:
    """The windows as drawn in Fig. 5, one by one."""
    if padding == "valid":
        return [range(first, first + size) for first in range(0, length - size + 1, stride)]
    count = -(-length // stride)
    first = -(max((count - 1) * stride + size - length, 0) // 2)
    return [range(first + j * stride, first + j * stride + size) for j in range(count)]


@settings(max_examples=200, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 14), min_size=1, max_size=4),
    size=st.integers(1, 7),
    stride=st.integers(1, 6),
    padding=st.sampled_from(["same", "valid"]),
    seed=st.integers(0, 99),
)
def test_equals_a_plain_loop(lengths, size, stride, padding, seed):
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(len(lengths), max(lengths), generator=generator, dtype=torch.float64)
    kernel = torch.rand(size, generator=generator, dtype=torch.float64)
    result = pseudo_convolve(values, kernel, stride, torch.tensor(lengths), padding)
    for row, length in enumerate(lengths):
        windows = plain_windows(length, size, stride, padding)
        wanted = [sum(kernel[i] * values[row, u] for i, u in enumerate(w) if 0 <= u < length) for w in windows]
        wanted += [0.0] * (result.shape[1] - len(wanted))
        assert result[row].tolist() == pytest.approx([float(value) for value in wanted])
        covered = coverage(length, kernel, stride, padding) if length else torch.zeros(0, dtype=torch.float64)
        assert float(result[row].sum()) == pytest.approx(float(covered @ values[row, :length]))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_stride_one_gives_every_inner_step_the_weight_one(size):
    covered = coverage(20, torch.full((size,), 1 / size), 1)
    edge = size // 2
    assert torch.allclose(covered[edge : 20 - edge], torch.ones(20 - 2 * edge))


@pytest.mark.parametrize("length", [1, 4, 5, 13, 20])
def test_stride_k_gives_every_step_the_weight_one_kth(length):
    assert torch.allclose(coverage(length, torch.full((5,), 0.2), 5), torch.full((length,), 0.2))


def test_a_kernel_of_one_changes_nothing():
    values = torch.randn(3, 8)
    assert torch.equal(pseudo_convolve(values, torch.ones(1)), values)
