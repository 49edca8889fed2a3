"""Against pydrobert-pytorch 0.3 (Sean Robertson), where it is installed: `pip install --no-deps pydrobert-pytorch`."""

import warnings

import pytest
import torch

from pcpg.objectives.mwer import minimum_risk
from pcpg.objectives.ocd import optimal_characters
from pcpg.objectives.rewards import prefix_edit_distances
from pcpg.reader.text import END

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    layers = pytest.importorskip(
        "pydrobert.torch.layers", exc_type=ImportError, reason="pydrobert-pytorch is no part of this"
    )
    util = pytest.importorskip("pydrobert.torch.util", exc_type=ImportError)

pytestmark = pytest.mark.filterwarnings("ignore")  # of a library of 2020
TEXTS, STEPS, LONGEST = 40, 9, 8


def texts() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Hypotheses and references of few letters, so that many agree, each closed by END; lengths without it."""
    torch.manual_seed(0)
    hyp, ref = torch.randint(3, 7, (TEXTS, STEPS)), torch.randint(3, 7, (TEXTS, LONGEST))
    lengths = torch.randint(1, LONGEST, (TEXTS,))
    ref[torch.arange(LONGEST) >= lengths[:, None]] = END
    hyp[:, -1] = END
    return hyp, ref, lengths


def test_the_same_optimal_completions():
    hyp, ref, lengths = texts()
    theirs = util.optimal_completion(
        ref, hyp, eos=END, include_eos=True, batch_first=True, exclude_last=True, warn=False
    )
    ours = optimal_characters(hyp, ref, lengths)
    assert len(ours) == TEXTS
    for mine, other in zip(ours, theirs, strict=True):
        for step in range(STEPS - 1):
            assert set(mine[step].nonzero().flatten().tolist()) == set(other[step].tolist()) - {-100}


def test_the_same_minimum_error_rate_loss_and_gradient():
    hyp, ref, lengths = texts()
    errors = prefix_edit_distances(hyp, ref, lengths)[:, STEPS - 1].view(8, 5).double()
    log_probs = torch.randn(8, 5, dtype=torch.float64, requires_grad=True)
    reference = ref.view(8, 5, LONGEST)[:, :1].expand(8, 5, LONGEST)
    errors = prefix_edit_distances(hyp, reference.flatten(0, 1), lengths.view(8, 5)[:, :1].expand(8, 5).flatten())
    errors = errors[:, STEPS - 1].view(8, 5).double()
    ours = minimum_risk(log_probs, errors)
    loss = layers.MinimumErrorRateLoss(
        eos=END, include_eos=False, sub_avg=True, batch_first=True, norm=False, reduction="none"
    )
    theirs = loss(log_probs, reference[:, 0], hyp.view(8, 5, STEPS)).sum(dim=1).mean()  # its "mean" is of 40, not of 8
    torch.testing.assert_close(ours, theirs.double())
    [one] = torch.autograd.grad(ours, log_probs, retain_graph=True)
    [other] = torch.autograd.grad(theirs, log_probs)
    torch.testing.assert_close(one, other.double())
