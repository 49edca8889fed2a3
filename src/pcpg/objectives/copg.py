"""Contrastive policy gradient (Flet-Berliac et al., 2024): correct for texts of any origin, stored ones too.

Its optimum has the same R - beta log(policy / anchor) for any two texts of a clip. On samples of the policy itself its
gradient is that of `rloo` with the KL penalty in the reward, so it is new only for other texts.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar

import torch
import torch.nn.functional as F
from pydantic import Field

from pcpg.objectives.base import Context
from pcpg.objectives.raml import edited
from pcpg.objectives.rloo import advantages
from pcpg.objectives.weighted import Samples, TextsOfAnyOrigin
from pcpg.reader.batches import Batch
from pcpg.reader.text import END
from pcpg.settings.keys import Keys, NotNegative, Positive
from pcpg.settings.training import Run


class Edited(Keys):
    """References with random edits, as in `raml`, new in every epoch."""

    texts: Annotated[int, Field(ge=1, le=100)]
    tau: Positive


class CoPG(TextsOfAnyOrigin):
    beta: NotNegative  # of the KL penalty, reward per nat
    reference: bool  # whether the reference is added to the texts
    edited: Edited | None
    needs_anchor: ClassVar[bool] = True

    def refuse_combinations(self, run: Run, max_length: int) -> Iterator[tuple[str, str]]:
        yield from super().refuse_combinations(run, max_length)
        if not self.stored and self.beta == 0:
            yield "beta", "must be above 0 for texts: fresh; at 0 it is rloo"
        if self.kl is not None and self.kl.form == "reward":
            yield "kl.form", "must be exact: beta puts it into the reward already"
        if not self.stored and (self.reference or self.edited):
            yield "texts", "must be stored beside reference or edited texts"

    def weights(self, samples: Samples) -> torch.Tensor:
        return contrast(samples.reward, samples.log_ratio, self.beta)

    def given_texts(self, batch: Batch, context: Context) -> torch.Tensor:
        texts = [super().given_texts(batch, context).unflatten(0, (len(batch.rows), -1))]
        texts += [batch.targets[:, None]] if self.reference else []
        texts += [edited(batch, self.edited.tau, self.edited.texts)[:, :, : context.max_length]] if self.edited else []
        longest = max(part.shape[2] for part in texts)
        padded = torch.cat([F.pad(part, (0, longest - part.shape[2]), value=END) for part in texts], dim=1)
        return padded.flatten(0, 1)


def contrast(reward: torch.Tensor, log_ratio: torch.Tensor, beta: float) -> torch.Tensor:
    """(N, M) each -> (N, M): R - beta h minus the mean of the others', over M; the published loss over 4 beta."""
    return advantages(reward - beta * log_ratio) / reward.shape[1]
