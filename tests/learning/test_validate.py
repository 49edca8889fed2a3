"""The numbers that choose the weights of every training, against a loop over single clips."""

import pytest
import torch
from rapidfuzz.distance import Levenshtein

from pcpg.learning import validate
from pcpg.mouths.store import ClipStore
from pcpg.reader import batches, checkpoint
from pcpg.reader.decode import greedy
from pcpg.reader.text import BEGIN, END, decode, encode
from pcpg.settings.load import load

CPU = torch.device("cpu")
STEPS = 20


@pytest.fixture
def reader(toy):
    """A reader of random weights, its view, the toy's clips; batches of 3, 3 and 2 of them, of unequal texts."""
    settings = load(toy / "params.yaml")
    store = ClipStore(toy / "clips/smoke/grid")
    torch.manual_seed(3)
    model, view, _ = checkpoint.begin(store, None, settings.view["grid"], settings.network["grid"], CPU)
    return model, view, store, store.select("train")


def test_cross_entropy_and_cer_weigh_every_character_alike(reader, monkeypatch):
    model, view, store, rows = reader
    monkeypatch.setattr(validate, "BATCH", 3)
    found = validate.validate(model, store, rows, view, CPU, STEPS)
    loss = characters = edits = length = 0
    model.eval()
    for row in rows:
        [batch] = batches.in_order(store, [row], 1, view, CPU)
        text = store.index[row].text
        with torch.no_grad():
            memory = model.encode(batch.frames, batch.lengths)
            wanted = [*encode(text), END]
            given, state = BEGIN, memory.state
            for one in wanted:
                logits, state, _ = model.decoder.step(torch.tensor([given]), state, memory)
                loss, given = loss - float(logits[0].log_softmax(dim=0)[one]), one
            read = decode(greedy(model.decoder, memory, STEPS)[0].tolist())
        characters += len(wanted)
        edits += Levenshtein.distance(text, read)
        length += len(text)
    assert found == pytest.approx({"val_ce": loss / characters, "val_cer": edits / length}, rel=1e-4)


def test_accuracy_is_the_share_of_right_classes_in_the_order_asked_for(reader):
    _, _, store, rows = reader
    labels = {row: store.index[row].label for row in rows}
    assert validate.accuracy(store, labels) == 1
    wrong = labels | {row: labels[row] + 1 for row in rows[:2]}
    assert validate.accuracy(store, wrong) == 1 - 2 / len(rows)
