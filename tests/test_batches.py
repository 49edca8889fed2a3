"""From stored clips to the network's input."""

import pytest
import torch

from pcpg.batches import View, prepare


@pytest.fixture
def clip():
    """Six frames of 20 x 20 pixels, each frame the same picture."""
    picture = torch.randint(0, 256, (20, 20), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return picture.expand(6, 20, 20)


def test_the_centre_is_cut_without_a_generator(clip):
    view = View(crop=12, shift=4, pool=1, flip=True, mean=0.25, std=0.5)
    wanted = (clip[:, 4:16, 4:16].float() / 255 - 0.25) / 0.5
    assert torch.allclose(prepare(clip, view, None), wanted)


def test_pooling_takes_the_mean_of_squares(clip):
    view = View(crop=12, shift=0, pool=3, flip=False, mean=0.0, std=1.0)
    pooled = prepare(clip, view, None)
    assert pooled.shape == (6, 4, 4)
    assert pooled[0, 0, 0].item() == pytest.approx(clip[0, 4:7, 4:7].float().mean().item() / 255, rel=1e-5)


def test_training_draws_one_crop_and_flip_for_all_frames_within_the_shift(clip):
    view = View(crop=12, shift=2, pool=1, flip=True, mean=0.0, std=1.0)
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
