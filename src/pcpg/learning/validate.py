"""Error rates of a lip-reader or a word classifier on a split; on validation they select the weights."""

from itertools import chain

import torch

from pcpg.mouths.store import ClipStore
from pcpg.objectives.cross_entropy import cross_entropy, teacher
from pcpg.reader import batches
from pcpg.reader.decode import greedy
from pcpg.reader.metrics import error_rates
from pcpg.reader.network import Classifier, LipReader
from pcpg.reader.text import decode
from pcpg.reader.view import View
from pcpg.workspace import parallel
from pcpg.workspace.errors import SettingError

BATCH = 64  # clips


def refuse_longer(store: ClipStore, max_length: int) -> None:
    """SettingError if a text does not fit into max_length steps: its end could never be read."""
    longest = max(store.index, key=lambda clip: len(clip.text))
    needed = len(longest.text) + 1
    if needed > max_length:
        what = f"must be at least {needed}, for the text of clip {longest.clip} and the end symbol; it is {max_length}"
        raise SettingError("max_length", what)


@torch.no_grad()
def validate(
    model: LipReader, store: ClipStore, rows: list[int], view: View, device: torch.device, max_length: int
) -> dict[str, float]:
    """val_ce: cross-entropy per character under teacher forcing; val_cer: corpus CER of greedy decoding."""
    model.eval()
    loss, characters, pairs = 0.0, 0, []
    for batch in batches.in_order(store, rows[parallel.rank() :: parallel.world()], BATCH, view, device):
        memory = model.encode(batch.frames, batch.lengths)
        logits, _ = model.decoder.unroll(memory, teacher(batch.targets), batch.targets.shape[1])
        loss += float(cross_entropy(logits, batch.targets)) * len(batch.rows)
        characters += int(batch.target_lengths.sum())
        hypotheses = map(decode, greedy(model.decoder, memory, max_length).tolist())
        pairs += zip([store.index[row].text for row in batch.rows], hypotheses, strict=True)
    losses, counts, shares = zip(*parallel.gather((loss, characters, pairs)), strict=True)
    references, hypotheses = zip(*chain.from_iterable(shares), strict=True)
    return {"val_ce": sum(losses) / sum(counts), "val_cer": error_rates(references, hypotheses)["cer"]}


@torch.no_grad()
def classify(model: Classifier, store: ClipStore, rows: list[int], view: View, device: torch.device) -> dict[int, int]:
    """The likeliest class of each clip of `rows`, in their order."""
    model.eval()
    share: dict[int, int] = {}
    for batch in batches.in_order(store, rows[parallel.rank() :: parallel.world()], BATCH, view, device):
        share |= zip(batch.rows, model(batch.frames, batch.lengths).argmax(dim=1).tolist(), strict=True)
    whole = {row: label for part in parallel.gather(share) for row, label in part.items()}
    return {row: whole[row] for row in rows}


def accuracy(store: ClipStore, classes: dict[int, int]) -> float:
    """Share of the clips whose class is the true one."""
    return sum(store.index[row].label == label for row, label in classes.items()) / len(classes)
