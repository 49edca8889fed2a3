"""From stored clips to the network's input."""

import threading

import pytest
import torch
import torch.nn.functional as F

from pcpg.learning.epochs import Training, ahead
from pcpg.mouths.store import ClipStore
from pcpg.reader.batches import in_order
from pcpg.reader.view import View, cut, normalise, pooled
from pcpg.workspace import parallel

CPU = torch.device("cpu")


@pytest.fixture
def clip():
    """Six frames of 20 x 20 pixels, each frame the same picture."""
    picture = torch.randint(0, 256, (20, 20), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return picture.repeat(6, 1, 1)


def view_of(**settings) -> View:
    return View(**{"crop": 12, "shift": 0, "pool": 1, "flip": False, "repeat": 0.0, "mean": 0.0, "std": 1.0} | settings)


def prepare(clip: torch.Tensor, view: View, draws: torch.Generator | None) -> torch.Tensor:
    return normalise(cut(clip, view, draws)[None], torch.tensor([len(clip)]), view)[0]


def test_the_centre_is_cut_without_a_generator(clip):
    view = view_of(shift=4, flip=True, mean=0.25, std=0.5)
    wanted = (clip[:, 4:16, 4:16].float() / 255 - 0.25) / 0.5
    assert torch.allclose(prepare(clip, view, None), wanted, atol=1e-5)


def test_pooling_takes_the_mean_of_squares(clip):
    view = view_of(pool=3)
    pooled = prepare(clip, view, None)
    assert pooled.shape == (6, 4, 4)
    assert pooled[0, 0, 0].item() == pytest.approx(clip[0, 4:7, 4:7].float().mean().item() / 255, rel=1e-5)


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_pooling_has_the_bits_of_torchs_own(factor):
    pixels = torch.randint(0, 256, (3, 5, 24, 24), dtype=torch.uint8)
    assert torch.equal(pooled(pixels, factor), F.avg_pool2d(pixels.float(), factor))


def test_training_draws_one_crop_and_flip_for_all_frames_within_the_shift(clip):
    view = view_of(shift=2, flip=True)
    generator = torch.Generator().manual_seed(1)
    possible = {}
    for top in range(2, 7):
        for left in range(2, 7):
            cut = clip[0, top : top + 12, left : left + 12].float() / 255
            possible[tuple(cut.flatten().tolist())] = (top, left, False)
            possible[tuple(cut.flip(1).flatten().tolist())] = (top, left, True)
    seen = set()
    for _ in range(300):
        frames = prepare(clip, view, generator)
        assert (frames == frames[0]).all()
        seen.add(possible[tuple(frames[0].flatten().tolist())])
    assert len(seen) > 45  # of 50 positions and flips


def test_a_frame_shown_twice_moves_the_rest_back_and_keeps_the_length():
    clip = torch.arange(40, dtype=torch.uint8)[:, None, None].repeat(1, 20, 20)
    shown = 255 * prepare(clip, view_of(repeat=0.3), torch.Generator().manual_seed(2))[:, 0, 0]
    steps = shown.round().diff().tolist()
    assert len(shown) == 40 and set(steps) == {0.0, 1.0}
    assert 5 < steps.count(0.0) < 20  # 40 draws of 0.3 in what is left of them
    still = 255 * prepare(clip, view_of(), torch.Generator().manual_seed(2))[:, 0, 0]
    assert still.round().tolist() == list(range(40))


def test_behind_its_end_a_clip_is_zero():
    pixels = torch.full((2, 3, 4, 4), 200, dtype=torch.uint8)
    frames = normalise(pixels, torch.tensor([3, 1]), view_of(crop=4, pool=2, mean=0.5))
    assert (frames[0] > 0.2).all() and (frames[1, :1] > 0.2).all() and (frames[1, 1:] == 0).all()


def training_of(toy, view: View, seed: int = 1) -> Training:
    store = ClipStore(toy / "clips/smoke/grid")
    return Training(store, store.select("train"), 4, view, CPU, seed)


def test_an_epoch_shows_every_clip_once_and_differs_from_the_next(toy):
    training = training_of(toy, view_of(crop=64))
    assert len(training) == 3 and [training.clips_in(n) for n in range(5)] == [0, 4, 8, 10, 14]
    orders = [[row for batch in training.epoch(number) for row in batch.rows] for number in (0, 0, 1)]
    assert sorted(orders[0]) == sorted(orders[2]) == training.rows
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != [row for batch in training_of(toy, training.view, seed=2).epoch(0) for row in batch.rows]


def test_a_training_goes_from_epoch_to_epoch_and_on_from_any_batch(toy):
    training = training_of(toy, view_of(crop=64))
    epochs = [batch.clips for number in range(3) for batch in training.epoch(number)]
    assert [batch.clips for batch in training.batches(0, 9)] == epochs
    for first, last in [(0, 2), (2, 3), (2, 8), (3, 9), (5, 5), (9, 9)]:
        assert [batch.clips for batch in training.batches(first, last)] == epochs[first:last]


def test_what_a_clip_draws_follows_from_seed_epoch_and_clip_alone(toy):
    """Whatever was skipped before, and whatever stands beside it in the batch."""
    training = training_of(toy, view_of(crop=64, shift=8, flip=True, repeat=0.2))
    whole, rest = list(training.epoch(3)), list(training.epoch(3, skip=2))
    assert len(rest) == 1
    assert torch.equal(whole[2].frames, rest[0].frames) and torch.equal(whole[2].uniforms(5), rest[0].uniforms(5))
    alone = Training(training.store, whole[2].rows[1:], 4, training.view, CPU, 1)
    [batch] = alone.epoch(3)
    assert torch.equal(batch.frames[0], whole[2].frames[1, : batch.frames.shape[1]])
    assert torch.equal(batch.uniforms(5)[0], whole[2].uniforms(5)[1])
    assert len({tuple(row) for batch in whole for row in batch.uniforms(5).tolist()}) == 10


def test_processes_share_every_batch(toy, monkeypatch):
    """Each clip in one of three processes, padded to the same length; where a share is empty a clip of no weight."""
    training = training_of(toy, view_of(crop=64))
    wanted, shares = list(training.epoch(0)), []
    monkeypatch.setattr(parallel, "world", lambda: 3)
    for rank in range(3):
        monkeypatch.setattr(parallel, "rank", lambda rank=rank: rank)
        shares.append(list(training.epoch(0)))
    for whole, *parts in zip(wanted, *shares, strict=True):
        assert sorted(row for part in parts if part.weight for row in part.rows) == sorted(whole.rows)
        assert {part.frames.shape[1] for part in parts} == {whole.frames.shape[1]}
        assert [part.weight for part in parts] == pytest.approx(
            [len(whole.rows[rank::3]) * 3 / len(whole.rows) for rank in range(3)]
        )
    assert [len(batch.rows) for batch in wanted] == [4, 4, 2]


def test_in_order_takes_all_rows_as_they_come_and_draws_nothing(toy):
    store = ClipStore(toy / "clips/smoke/grid")
    found = list(in_order(store, [3, 1, 2], 2, view_of(crop=64, shift=8, flip=True), CPU))
    assert [batch.rows for batch in found] == [[3, 1], [2]]
    assert torch.allclose(found[0].frames[1, :5, 0, 0] * 255, torch.tensor(store[1][:5, 16, 16]).float(), atol=1e-3)
    assert found[0].seeds == [] and found[0].weight == 1


def test_a_thread_that_works_ahead_changes_neither_batches_nor_order():
    assert list(ahead(iter(range(5)))) == [0, 1, 2, 3, 4]
    assert list(ahead(iter(()))) == []


def test_the_next_batch_is_made_while_one_is_in_use():
    begun = threading.Event()

    def two():
        yield 1
        begun.set()
        yield 2

    coming = ahead(two())
    assert next(coming) == 1 and begun.wait(10)
    assert list(coming) == [2]


def test_what_fails_in_the_thread_fails_the_training():
    def fail():
        yield 1
        raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        list(ahead(fail()))
