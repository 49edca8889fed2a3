"""Optimal completion distillation: its sets against brute force, and the limits in which it is known."""

import itertools
import math

import pytest
import torch
from rapidfuzz.distance import Levenshtein
from tiny import Tiny, all_transcriptions, estimates, log_policy

from pcpg.objectives.cross_entropy import cross_entropy
from pcpg.objectives.ocd import OCD, distil, optimal_characters
from pcpg.reader.text import CLASSES, END, encode, to_batch

LETTERS = encode("abc")


def best(prefix: tuple[int, ...], reference: tuple[int, ...]) -> int:
    """The least edit distance of any text that begins so: every completion is tried."""
    completions = itertools.chain.from_iterable(
        itertools.product(LETTERS, repeat=length) for length in range(len(reference) + 1)
    )
    return min(Levenshtein.distance([*prefix, *rest], reference) for rest in completions)


def by_brute_force(prefix: tuple[int, ...], reference: tuple[int, ...]) -> set[int]:
    """The characters, or the end, behind which the best distance can still be reached."""
    least = best(prefix, reference)
    found = {letter for letter in LETTERS if best((*prefix, letter), reference) == least}
    return found | ({END} if Levenshtein.distance(prefix, reference) == least else set())


def sets(hyp: list[list[int]], ref: list[list[int]]) -> list[list[set[int]]]:
    longest = max(map(len, ref))
    padded = torch.tensor([[*row, *[0] * (longest - len(row))] for row in ref])
    found = optimal_characters(torch.tensor(hyp), padded, torch.tensor([len(row) for row in ref]))
    return [[set(step.nonzero().flatten().tolist()) for step in row] for row in found]


def test_the_sets_are_those_of_brute_force():
    """All references of one to three letters of three, and all prefixes of up to two; a repeated letter counts once."""
    references = [r for length in (1, 2, 3) for r in itertools.product(LETTERS, repeat=length)]
    hypotheses = list(itertools.product(LETTERS, repeat=2))
    pairs = list(itertools.product(hypotheses, references))
    found = sets([[*hyp, END] for hyp, _ in pairs], [list(ref) for _, ref in pairs])
    known = {}
    for (hyp, ref), steps in zip(pairs, found, strict=True):
        for u, step in enumerate(steps):
            case = hyp[:u], ref
            known[case] = known.get(case) or by_brute_force(*case)
            assert step == known[case], case
    assert {len(one) for one in known.values()} == {1, 2, 3, 4}  # END among four


def test_a_wrong_set_is_seen():
    """The sets of the prefix one step on are others: the test above can fail."""
    [steps] = sets([[*encode("ac"), END]], [encode("abc")])
    assert steps[0] == by_brute_force((), tuple(encode("abc"))) == set(encode("a"))
    assert steps[1] != steps[0] and steps[2] != steps[1]


def test_a_letter_reached_by_two_ways_counts_once():
    """Behind "x" for "aa" the first and the second a are as good."""
    [steps] = sets([[*encode("x"), END]], [encode("aa")])
    assert steps[1] == by_brute_force(tuple(encode("x")), tuple(encode("aa"))) == set(encode("a"))


def test_on_the_reference_itself_it_is_cross_entropy():
    targets, lengths = to_batch(["abc", "a", "bb"])
    logits = torch.randn(*targets.shape, CLASSES, generator=torch.Generator().manual_seed(0))
    optimal = optimal_characters(targets, targets, lengths - 1)
    for row, length in enumerate(lengths.tolist()):
        assert torch.equal(optimal[row, :length].nonzero()[:, 1], targets[row, :length])
        assert (optimal[row, :length].sum(dim=1) == 1).all()
    loss = distil(logits.log_softmax(dim=2), optimal, lengths)
    assert loss.item() == pytest.approx(cross_entropy(logits, targets).item(), rel=1e-6)


def test_the_least_loss_is_that_of_a_policy_of_optimal_characters_alone():
    """Spread evenly over each step's set; any probability elsewhere, or an uneven spread, costs."""
    hyp, lengths = torch.tensor([[*encode("xab"), END], [*encode("ba"), END, 7]]), torch.tensor([4, 3])
    reference, counted = to_batch(["ab", "bba"])
    optimal = optimal_characters(hyp, reference, counted - 1)
    taken = torch.arange(4) < lengths[:, None]
    sizes = optimal.sum(dim=2)
    assert (sizes[taken] > 1).any()
    even = torch.where(optimal, -sizes[:, :, None].float().log(), torch.tensor(-1e4))
    least = (sizes.float().log() * taken).sum().item() / 2
    assert distil(even, optimal, lengths).item() == pytest.approx(least, rel=1e-6)
    draws = torch.Generator().manual_seed(1)
    for _ in range(20):
        moved = (even + 0.3 * torch.randn(even.shape, generator=draws)).log_softmax(dim=2)
        leaking = torch.logaddexp(even, torch.full_like(even, math.log(1e-3))).log_softmax(dim=2)
        assert distil(moved, optimal, lengths).item() > least + 1e-4
        assert distil(leaking, optimal, lengths).item() > least + 1e-4


def exact(tiny: Tiny, reference: tuple[int, ...], allowed=by_brute_force) -> torch.Tensor:
    """Gradient of the expected loss by all fifteen transcriptions; who draws the prefixes learns nothing from that."""
    loss = torch.zeros(())
    for sequence in all_transcriptions():
        log_probs = log_policy(tiny, sequence, 1.0)
        probability = log_probs[torch.arange(len(sequence)), torch.tensor(sequence)].sum().exp().detach()
        for u, step in enumerate(log_probs):
            right = list(allowed(tuple(sequence[:u]), reference))
            loss = loss - probability * step[right].mean()
    return tiny.gradient(loss)


def test_the_estimate_converges_to_the_exact_gradient():
    """And neither a wrong set, the reference's own next character, nor a wrong sign passes."""
    tiny, draws, reference = Tiny(), 30, tuple(encode("ab"))
    found, wanted = estimates(tiny, OCD(samples=5), draws), exact(tiny, reference)
    mean, error = found.mean(dim=0), found.std(dim=0) / math.sqrt(draws)
    moving = (wanted.abs() > 1e-4) & (error > 1e-7)
    assert moving.sum() > 100

    def distances(gradient: torch.Tensor) -> torch.Tensor:
        return ((mean - gradient)[moving] / error[moving]).abs()

    assert distances(wanted).max() < 5 and distances(wanted).square().mean() < 1.8
    assert distances(-wanted).max() > 30
    forced = exact(tiny, reference, lambda prefix, ref: {[*ref, END][min(len(prefix), len(ref))]})
    assert distances(forced).max() > 10
