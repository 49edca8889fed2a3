"""The training loop, and the parts of a policy-gradient update."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from pcpg.batches import Batch
from pcpg.errors import InputError
from pcpg.finetune import policy_returns, rollout, steps_taken
from pcpg.model import LipReader
from pcpg.params import Optimisation, load
from pcpg.text import END, encode, to_batch
from pcpg.train import forced_logits
from pcpg.training import fit

SETTINGS = Optimisation(
    epochs=5, batch=1, optimiser="adam", learning_rate=0.1, schedule="cosine", weight_decay=0.0, clip_norm=1.0,
    label_smoothing=0.0, evaluations=5,
)  # fmt: skip


def batch_of(texts: list[str], pixels: int = 8) -> Batch:
    targets, lengths = to_batch(texts)
    frames = torch.randn(len(texts), 9, pixels, pixels, generator=torch.Generator().manual_seed(0))
    full = torch.full((len(texts),), 9)
    return Batch(frames, full, targets, lengths, full, list(range(len(texts))))


def run_fit(scores: list[float], loss=lambda model, batch: model.weight.sum()) -> tuple[nn.Linear, dict, list[dict]]:
    model, scores = nn.Linear(1, 1), iter(scores)
    states = []

    def validate() -> dict[str, float]:
        states.append(model.weight.item())
        return {"val_cer": next(scores)}

    best, history = fit(
        model, SETTINGS, epoch=lambda: iter([batch_of(["a"])]), updates_per_epoch=1,
        losses_of=lambda batch: {"loss": loss(model, batch)}, validate=validate, select="val_cer", start=100, name="t",
    )  # fmt: skip
    return states, best, history


def test_the_best_evaluation_is_kept_and_the_earliest_of_equals():
    states, best, history = run_fit([0.9, 0.3, 0.5, 0.3, 0.7])
    assert best["weight"].item() == states[1]
    assert [row["iteration"] for row in history] == [101, 102, 103, 104, 105]
    assert [row["val_cer"] for row in history] == [0.9, 0.3, 0.5, 0.3, 0.7]


def test_nan_stops_with_the_clips_named():
    with pytest.raises(InputError, match=r"clips \[0\]: the loss is nan"):
        run_fit([0.5] * 5, loss=lambda model, batch: model.weight.sum() * float("nan"))


@pytest.fixture
def run(root):
    return load(root / "presets" / "mini.yaml").runs.grid["k1s1"]


def characters_of(texts: list[str], steps: int) -> torch.Tensor:
    rows = [([*encode(text), END] + [7] * steps)[:steps] for text in texts]  # what follows the end is meaningless
    return torch.tensor(rows)


def test_steps_count_the_first_end_symbol():
    assert steps_taken(characters_of(["ab", "abcde", ""], 5)).tolist() == [3, 5, 1]


def test_returns_of_samples_by_hand(run):
    """Reference "abc"; samples "abc" (all right), "xbc" (one wrong), "ab" (one missing), "abcd" (one too many)."""
    sampled = characters_of(["abc", "xbc", "ab", "abcd"], 6)
    batch, plain = batch_of(["abc"]), {"samples": 4, "gamma": 1.0, "divide_by_length": False}
    weights, lengths, reward = policy_returns(sampled, batch, replace(run, **plain))
    assert lengths.tolist() == [4, 4, 3, 5]
    assert weights.tolist() == [
        [3, 2, 1, 0, 0, 0],
        [2, 2, 1, 0, 0, 0],
        [2, 1, 0, 0, 0, 0],
        [2, 1, 0, -1, 0, 0],
    ]
    assert reward.tolist() == pytest.approx([1, 2 / 3, 2 / 3, 2 / 3])
    halved, _, _ = policy_returns(sampled, batch, replace(run, **plain | {"divide_by_length": True}))
    assert torch.allclose(halved, weights / 3)
    compared, _, _ = policy_returns(sampled, batch, replace(run, **plain | {"baseline": "mean"}))
    assert compared[0, 0].item() == pytest.approx(3 - 2)


def test_one_rollout_serves_both_losses():
    """The forced rows get the logits that teacher forcing alone gives; log p belongs to the sampled characters."""
    torch.manual_seed(0)
    sizes = {"stem_channels": 4, "stem_kernel": [3, 3, 3], "stem_stride": [2, 2, 2], "stem_pool": False, "widths": [4]}
    rnn = {"encoder_layers": 1, "encoder_hidden": 6, "directions": "concat", "decoder_layers": 2, "decoder_hidden": 8}
    model = LipReader(**sizes, **rnn, blocks=1, embedding=4, attention=5, dropout=0.0).eval()
    batch = batch_of(["ab", "place red"])
    forced, log_probs, sampled = rollout(model, batch, samples=3, temperature=1.0, max_length=12)
    assert torch.allclose(forced, forced_logits(model, batch), atol=1e-5)
    memory = model.encode(batch.frames, batch.lengths).repeat(3)
    logits, _ = model.decoder.unroll(memory, lambda u, _: sampled[:, u], sampled.shape[1])
    again = logits.log_softmax(dim=2).gather(2, sampled[:, : logits.shape[1], None]).squeeze(2)
    assert torch.allclose(log_probs[:, : logits.shape[1]], again, atol=1e-4)
    assert len({tuple(row) for row in sampled.tolist()}) == 6  # six samples of two clips, all different
