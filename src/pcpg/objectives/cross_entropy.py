"""Cross-entropy under teacher forcing (Eq. 3), or on the decoder's own characters (scheduled sampling, Bengio 2015)."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from pcpg.objectives.base import Context, Losses, Objective
from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader
from pcpg.reader.text import END, PAD
from pcpg.settings.keys import Partial, Share


class CrossEntropy(Objective):
    label_smoothing: Partial
    teacher_forcing: Share  # probability that the decoder is fed the true character, not its own
    mask_padding: bool  # false: what follows the end symbol is scored too, as in the first author's code

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Any = None) -> Losses:
        """ "loss" (Eq. 3), and "ce", the plain cross-entropy per character, for comparison."""
        memory = model.encode(batch.frames, batch.lengths)
        steps = batch.targets.shape[1]
        coins = batch.uniforms(steps) if self.teacher_forcing < 1 else None
        logits, _ = model.decoder.unroll(memory, teacher(batch.targets, self.teacher_forcing, coins), steps)
        return self.of_logits(logits, batch)

    def of_logits(self, logits: torch.Tensor, batch: Batch) -> Losses:
        """The same from given logits (N, U, C)."""
        loss = cross_entropy(logits, batch.targets, self.label_smoothing, self.mask_padding)
        return {"loss": loss, "ce": per_character(logits, batch)}


def teacher(
    targets: torch.Tensor, forcing: float = 1.0, coins: torch.Tensor | None = None
) -> Callable[[int, torch.Tensor], torch.Tensor]:
    """What the decoder is fed: the true character with probability `forcing`, else its own likeliest (argmax).

    targets (N, U); coins (N, U) uniform in [0, 1), needed where `forcing` is below 1. The decoder's
    own end symbol is never fed, since nothing follows it; the true end symbol and padding are never replaced.
    """

    def choose(u: int, logits: torch.Tensor) -> torch.Tensor:
        true = targets[:, u]
        if forcing == 1:
            return true
        own = logits.detach().argmax(dim=1)
        return torch.where((coins[:, u] < forcing) | (true <= END) | (own <= END), true, own)

    return choose


def cross_entropy(
    logits: torch.Tensor, targets: torch.Tensor, label_smoothing: float = 0.0, mask_padding: bool = True
) -> torch.Tensor:
    """Eq. 3: logits (N, U, C), targets (N, U) with the end symbol scored -> scalar, summed over steps, mean over clips.

    mask_padding: what follows the end symbol is not scored; else padding must be predicted, up to the length of the
    batch's longest text.
    """
    ignored = PAD if mask_padding else -100  # no class
    reduction = "none" if logits.is_cuda else "sum"  # a GPU sums in no fixed order here
    summed = F.cross_entropy(
        logits.transpose(1, 2), targets, ignore_index=ignored, label_smoothing=label_smoothing, reduction=reduction
    )
    return summed.sum() / len(targets)


def per_character(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Plain cross-entropy per character, logged in every history whatever is minimised; no gradient."""
    return cross_entropy(logits.detach(), batch.targets) / batch.target_lengths.float().mean()
