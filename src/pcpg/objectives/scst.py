"""Self-critical sequence training as published (Rennie et al., 2017): reward of a sample minus that of the greedy text.

The greedy text is decoded in eval mode, as in testing, and all steps of a sample share its advantage; `pcpg` with
`baseline: greedy` compares step by step instead, under dropout.
"""

import torch

from pcpg.objectives.base import Context
from pcpg.objectives.rewards import rewards_of
from pcpg.objectives.weighted import Samples, WeightedTexts
from pcpg.reader.batches import Batch
from pcpg.reader.decode import greedy
from pcpg.reader.network import LipReader, in_test


class SCST(WeightedTexts):
    @torch.no_grad()
    def baseline(self, model: LipReader, batch: Batch, context: Context) -> torch.Tensor:
        with in_test(model):
            memory = model.encode(batch.frames, batch.lengths)
            return rewards_of(greedy(model.decoder, memory, context.max_length), batch)

    def weights(self, samples: Samples) -> torch.Tensor:
        return (samples.reward - samples.baseline) / samples.reward.shape[1]
