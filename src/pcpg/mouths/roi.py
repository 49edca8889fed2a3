"""From whole frames to square mouth regions of interest: align and crop, a fixed box, or plain resizing.

Positions are (x, y) in pixels, with the centre of the pixel frames[t, y, x] at (x, y).
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from pcpg.mouths.landmarks import LEFT_CORNER, RIGHT_CORNER, repair, smooth, without_impossible

MEAN_FACE_SIZE = 96
# Where the seven points of landmarks.py lie in a ROI of 96 x 96: the mean over 31 GRID clips of speaker s1 (every
# tenth by name, and three damaged or short ones) of each clip's mean landmarks, every face first moved so that its
# mouth corners are level, 50 px apart and centred on the ROI; then averaged with its mirror image, so that the shape
# is that of no one in particular. The lips are those of a mean mouth, slightly open.
MEAN_FACE = np.array(
    [[5.3, -28.3], [89.7, -28.3], [47.5, 21.9], [22.5, 47.5], [72.5, 47.5], [47.5, 47.1], [47.5, 50.9]], np.float32
)
LRW_FRAME = (256, 256)  # height and width of LRW's pictures
LRW_ROWS, LRW_COLUMNS = (115, 211), (79, 175)  # the box of 96 x 96 that work on LRW cuts from them


class Aligned(NamedTuple):
    """The mouths of a clip, and how well its face was found."""

    rois: np.ndarray  # uint8 (T, size, size)
    faceless: int  # frames without a face
    interpolated: int  # frames whose landmarks were filled in
    jitter: float  # of the mouth's centre, px of the video
    scale: float  # mean ROI pixels per video pixel


def align(frames: np.ndarray, points: np.ndarray, size: int) -> Aligned:
    """The mouths in grey frames uint8 (T, H, W) with landmarks (T, 7, 2), NaN where no face was found.

    Points that are no face count as none. ValueError where no frame has a face.
    """
    given = bool(np.isfinite(points).all(axis=(1, 2)).any())
    points = without_impossible(points, *frames.shape[1:])
    faceless = int(np.isnan(points).all(axis=(1, 2)).sum())
    points, interpolated = repair(points)
    if not np.isfinite(points).all():
        odd = ": the landmarks lie outside the picture or as in no face (x and y exchanged?)" if given else ""
        raise ValueError(f"no face in any frame{odd}")
    transforms = similarity(anchors(smooth(points)), anchors(mean_face(size)))
    scale = float(scales(transforms).mean())
    return Aligned(crop(frames, transforms, size), faceless, interpolated, jitter(points), scale)


def jitter(points: np.ndarray) -> float:
    """Root mean square of the second difference of the middle of the mouth's corners, px; 0 under 3 frames."""
    centre = points[:, [RIGHT_CORNER, LEFT_CORNER]].mean(axis=1, dtype=np.float64)
    if len(centre) < 3:
        return 0.0
    return float(np.sqrt((np.diff(centre, n=2, axis=0) ** 2).sum(axis=1).mean()))


def mean_face(size: int) -> np.ndarray:
    """MEAN_FACE for a ROI of size x size: float32 (7, 2)."""
    return (MEAN_FACE + 0.5) * np.float32(size / MEAN_FACE_SIZE) - np.float32(0.5)


def anchors(points: np.ndarray) -> np.ndarray:
    """The points that hold still while the mouth moves, (..., 7, 2) -> (..., 4, 2): eyes, nose, middle of the corners.

    Aligning on the corners themselves or on the lips would take out the very movement that is to be read.
    """
    middle = (points[..., 3:4, :] + points[..., 4:5, :]) / 2
    return np.concatenate([points[..., :3, :], middle], axis=-2)


def similarity(points: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The turn, scale and shift that bring points (T, P, 2) nearest to reference (P, 2): float64 (T, 2, 3).

    Least squares without reflection (Umeyama 1991). In the plane, with points z and reference w as complex numbers
    about their means, it is w ~ a z with a = sum(conj(z) w) / sum(|z|^2). Row k of the result maps (x, y, 1) to the
    k-th coordinate. ValueError where the points of a frame all coincide or are not finite.
    """
    z, w = _complex(points), _complex(reference)
    z_mean, w_mean = z.mean(axis=1), w.mean()
    z, w = z - z_mean[:, None], w - w_mean
    spread = (z.real**2 + z.imag**2).sum(axis=1)
    if not (np.isfinite(spread) & (spread > 0)).all():
        raise ValueError("the landmarks of a frame coincide or are not finite")
    a = (z.conj() * w).sum(axis=1) / spread
    b = w_mean - a * z_mean
    return np.stack([np.stack([a.real, -a.imag, b.real], 1), np.stack([a.imag, a.real, b.imag], 1)], axis=1)


def _complex(points: np.ndarray) -> np.ndarray:
    points = np.asarray(points, np.float64)
    return points[..., 0] + 1j * points[..., 1]


def scales(transforms: np.ndarray) -> np.ndarray:
    """ROI pixels per video pixel of similarities (T, 2, 3): (T,)."""
    return np.hypot(transforms[:, 0, 0], transforms[:, 1, 0])


def crop(frames: np.ndarray, transforms: np.ndarray, size: int) -> np.ndarray:
    """Sample uint8 (T, H, W) bilinearly under similarities (T, 2, 3) from video to ROI: uint8 (T, size, size).

    Outside the frame the nearest edge pixel is repeated. Frames that shrink to half or less are averaged over blocks
    of pixels first, or fine detail would alias.
    """
    frames, transforms = _shrink(frames, transforms)
    total, height, width = frames.shape
    rois = np.empty((total, size, size), np.uint8)
    for t, frame in enumerate(frames.reshape(total, -1)):  # frame by frame: all stays in the processor's cache
        x, y = (positions[0] for positions in _source_positions(transforms[t : t + 1], size))
        np.clip(x, 0, width - 1, out=x)
        np.clip(y, 0, height - 1, out=y)
        left, top = x.astype(np.int32), y.astype(np.int32)
        x -= left
        y -= top
        right, down = (left < width - 1).astype(np.int32), (top < height - 1) * np.int32(width)
        corner = top * np.int32(width) + left
        upper = _mix(frame, corner, right, x)
        lower = _mix(frame, corner + down, right, x)
        np.rint(upper + (lower - upper) * y, out=upper)
        rois[t] = upper
    return rois


def _mix(frame: np.ndarray, position: np.ndarray, step: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Pixels of the flat `frame` at `position`, mixed with those `step` further by `share`: float32."""
    here = frame.take(position).astype(np.float32)
    return here + (frame.take(position + step) - here) * share


def _source_positions(transforms: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Video x and y of each ROI pixel, float32 (T, size, size) each: the inverse of the similarities."""
    a = transforms[:, 0, 0] + 1j * transforms[:, 1, 0]
    b = transforms[:, 0, 2] + 1j * transforms[:, 1, 2]
    steps = np.arange(size)
    # q = a p + b gives p = q / a - b / a, which is linear in the column and in the row of q
    shift, along = (-b / a)[:, None, None], (1 / a)[:, None, None]
    x = (shift.real + along.real * steps) - along.imag * steps[:, None]
    y = (shift.imag + along.imag * steps) + along.real * steps[:, None]
    return x.astype(np.float32), y.astype(np.float32)


def _shrink(frames: np.ndarray, transforms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average blocks of k x k pixels where the similarities shrink by k or more, and adapt the similarities."""
    k = int(1 / max(float(np.median(scales(transforms))), 1e-6)) if len(frames) else 1
    k = min(k, *frames.shape[1:])
    if k < 2:
        return frames, transforms
    height, width = (side // k for side in frames.shape[1:])
    blocks = frames[:, : height * k, : width * k].reshape(-1, height, k, width, k)
    # pixel (i, j) of the small frame is centred on k * (i, j) + (k - 1) / 2 of the large one
    shift = transforms[:, :, :2].sum(axis=2) * (k - 1) / 2 + transforms[:, :, 2]
    small = np.concatenate([transforms[:, :, :2] * k, shift[:, :, None]], axis=2)
    return np.rint(blocks.mean(axis=(2, 4), dtype=np.float32)).astype(np.uint8), small


def lrw_box(frames: np.ndarray, size: int) -> np.ndarray:
    """Cut LRW's box from uint8 (T, 256, 256) and resize to (T, size, size); ValueError for another size of pictures."""
    height, width = frames.shape[1:]
    if (height, width) != LRW_FRAME:
        raise ValueError(f"has {width} x {height} pixels; the box is that of LRW's 256 x 256")
    return resize(frames[:, slice(*LRW_ROWS), slice(*LRW_COLUMNS)], size)


def resize(frames: np.ndarray, size: int) -> np.ndarray:
    """Resize uint8 (T, H, W) to (T, size, size): bilinear, over a wider support when shrinking (no aliasing)."""
    if frames.shape[1:] == (size, size):
        return np.ascontiguousarray(frames)
    images = (Image.fromarray(np.ascontiguousarray(frame)) for frame in frames)
    return np.stack([np.asarray(image.resize((size, size), Image.Resampling.BILINEAR)) for image in images])
