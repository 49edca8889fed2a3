"""Stage `train`: the cross-entropy baseline of one corpus."""

from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path

import torch

from pcpg.learning import record as provenance
from pcpg.learning.history import write_history
from pcpg.learning.loop import Progress, fit
from pcpg.learning.resume import Resume, fingerprint
from pcpg.learning.session import Session
from pcpg.mouths.store import ClipStore
from pcpg.objectives.policy_gradient import cross_entropy
from pcpg.reader import batches, checkpoint
from pcpg.reader.batches import Batch, Training, View
from pcpg.reader.decode import greedy
from pcpg.reader.metrics import error_rates
from pcpg.reader.network import LipReader
from pcpg.reader.text import END, decode
from pcpg.settings.schema import Decoding, Model, Transcription, to_plain
from pcpg.workspace import parallel


def new_lip_reader(store: ClipStore, settings: Model, device: torch.device) -> tuple[LipReader, View]:
    """A lip-reader of random weights, and its view of the clips, normalised by the training split."""
    view, network = checkpoint.split_settings(to_plain(settings))
    mean, std = store.mean_std(store.select("train"))
    return LipReader(**network).to(device), View(**view, mean=mean, std=std)


def facts(store: ClipStore, settings: Model, view: View) -> dict:
    """What a checkpoint holds beside its weights: the network's settings, which mouths it sees and how, its words."""
    seen = {"region": to_plain(store.region), "mean": view.mean, "std": view.std}
    words = {word for row in store.select("train") for word in store.index[row].text.lower().split()}
    return {"settings": to_plain(settings), **seen, "words": sorted(words)}


def teacher(
    targets: torch.Tensor, forcing: float = 1.0, coins: torch.Tensor | None = None
) -> Callable[[int, torch.Tensor], torch.Tensor]:
    """What the decoder is fed: the true character with probability `forcing`, else its own likeliest (argmax).

    targets (N, U); coins (N, U) uniform in [0, 1), needed where `forcing` is below 1. Nothing follows an end symbol
    and padding stands for nothing, so the decoder's own end symbol is never fed, nor anything in place of the true end
    and what follows it.
    """

    def choose(u: int, logits: torch.Tensor) -> torch.Tensor:
        true = targets[:, u]
        if forcing == 1:
            return true
        own = logits.detach().argmax(dim=1)
        return torch.where((coins[:, u] < forcing) | (true <= END) | (own <= END), true, own)

    return choose


def cross_entropies(logits: torch.Tensor, batch: Batch, settings: Transcription) -> tuple[torch.Tensor, torch.Tensor]:
    """Eq. 3 to minimise, and beside it the plain cross-entropy per character, to compare."""
    plain = cross_entropy(logits.detach(), batch.targets) / batch.target_lengths.float().mean()
    return cross_entropy(logits, batch.targets, settings.label_smoothing, settings.mask_padding), plain


def forced_losses(settings: Transcription, model: LipReader, batch: Batch) -> dict[str, torch.Tensor]:
    """Cross-entropy alone, "loss" and "ce"."""
    memory = model.encode(batch.frames, batch.lengths)
    steps = batch.targets.shape[1]
    coins = batch.uniforms(steps) if settings.teacher_forcing < 1 else None
    logits, _ = model.decoder.unroll(memory, teacher(batch.targets, settings.teacher_forcing, coins), steps)
    loss, plain = cross_entropies(logits, batch, settings)
    return {"loss": loss, "ce": plain}


@torch.no_grad()
def validate(
    model: LipReader, store: ClipStore, rows: list[int], view: View, device: torch.device, max_length: int
) -> dict[str, float]:
    """val_ce: cross-entropy per character under teacher forcing; val_cer: corpus CER of greedy decoding."""
    model.eval()
    loss, characters, pairs = 0.0, 0, []
    for batch in batches.in_order(store, rows[parallel.rank() :: parallel.world()], 64, view, device):
        memory = model.encode(batch.frames, batch.lengths)
        logits, _ = model.decoder.unroll(memory, teacher(batch.targets), batch.targets.shape[1])
        loss += float(cross_entropy(logits, batch.targets)) * len(batch.rows)
        characters += int(batch.target_lengths.sum())
        hypotheses = map(decode, greedy(model.decoder, memory, max_length).tolist())
        pairs += zip([store.index[row].text for row in batch.rows], hypotheses, strict=True)
    losses, counts, shares = zip(*parallel.gather((loss, characters, pairs)), strict=True)
    references, hypotheses = zip(*chain.from_iterable(shares), strict=True)
    return {"val_ce": sum(losses) / sum(counts), "val_cer": error_rates(references, hypotheses)["cer"]}


def train_baseline(
    clips: Path, model_settings: Model, settings: Transcription, decoding: Decoding, session: Session
) -> None:
    """Read the clip store `clips`; write the session's weights (the best on validation) and history.csv."""
    store = ClipStore(clips)
    rows, device = store.select("val"), session.device
    model, view = new_lip_reader(store, model_settings, device)
    identity = fingerprint(session, [model_settings, settings, decoding], store)
    resume = Resume(session.weights, identity)
    progress = fit(
        model,
        settings,
        Training(store, store.select("train"), settings.batch, view, device, session.seed),
        losses_of=partial(forced_losses, settings),
        validate=lambda: validate(model, store, rows, view, device, decoding.max_length),
        select="val_cer",
        start=0,
        session=session,
        resume=resume,
    )
    content = facts(store, model_settings, view)
    write_outcome(session, content, [model_settings, settings], model, progress, resume)


def write_outcome(
    session: Session,
    content: dict,
    settings: list[object],
    model: LipReader,
    progress: Progress,
    resume: Resume,
    first: dict | None = None,
) -> None:
    """history.csv, behind the row `first`, provenance.json and a checkpoint; by then nothing is left to resume."""
    if parallel.rank() == 0:
        history = progress.history
        iteration = min(history, key=lambda row: row["val_cer"])["iteration"]
        write_history(session.outcome, [first, *history] if first else history)
        provenance.write(session, settings, model, progress.done, progress.seconds, progress.peak)
        checkpoint.save(session.weights, content | {"model": progress.best_state, "iteration": iteration})
        resume.remove()
