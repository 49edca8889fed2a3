"""From a stored clip to the network's input: cut, flipped, some frames repeated, pooled and normalised."""

import torch

from pcpg.reader.padding import within
from pcpg.settings.training import ViewKeys


class View(ViewKeys):
    """How a stored clip becomes the network's input (Section IV-B of the paper)."""

    mean: float  # of the training pixels in [0, 1]
    std: float

    @property
    def plain(self) -> "View":
        """Without augmentation: the centre of each clip."""
        return self.model_copy(update={"shift": 0, "flip": False, "repeat": 0.0})


def cut(clip: torch.Tensor, view: View, draws: torch.Generator | None) -> torch.Tensor:
    """One stored clip, uint8 (T, S, S) -> uint8 (T, crop, crop): one crop position and flip for all its frames.

    draws: gives these and the frames to repeat (training); None: the centre, as stored (validation and test). They are
    drawn on the CPU, so that they are the same on any device.
    """
    top = left = (clip.shape[1] - view.crop) // 2
    if draws is None:
        return clip[:, top : top + view.crop, left : left + view.crop]
    down, right = torch.randint(-view.shift, view.shift + 1, (2,), generator=draws).tolist()
    top, left = top + down, left + right
    flip = view.flip and bool(torch.randint(2, (1,), generator=draws))
    if view.repeat > 0:
        times = 1 + (torch.rand(len(clip), generator=draws) < view.repeat).long()
        order = torch.arange(len(clip)).repeat_interleave(times)[: len(clip)]  # the clip keeps its length
        clip = clip.index_select(0, order.to(clip.device))
    pixels = clip[:, top : top + view.crop, left : left + view.crop]
    return pixels.flip(2) if flip else pixels


def pooled(pixels: torch.Tensor, factor: int) -> torch.Tensor:
    """uint8 (..., S, S) -> float (..., S / factor, S / factor), means of squares; twice as fast as avg_pool2d."""
    rows = pixels[..., ::factor, :].float()
    for i in range(1, factor):
        rows += pixels[..., i::factor, :]
    sums = rows[..., ::factor].clone()
    for i in range(1, factor):
        sums += rows[..., i::factor]
    return sums.div_(factor**2)


def normalise(frames: torch.Tensor, lengths: torch.Tensor, view: View) -> torch.Tensor:
    """uint8 (N, T, crop, crop), lengths (N,) -> float (N, T, H, W), pooled; 0 after a clip's end."""
    frames = pooled(frames, view.pool)
    frames = frames.sub_(255 * view.mean).div_(255 * view.std)
    padding = ~within(lengths, frames.shape[1])
    return frames.masked_fill_(padding[:, :, None, None], 0.0)
