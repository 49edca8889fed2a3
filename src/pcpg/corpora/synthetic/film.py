"""A look, lip shapes and a camera -> the frames of a clip."""

from dataclasses import dataclass

import numpy as np

from pcpg.corpora.synthetic import ycc
from pcpg.corpora.synthetic.camera import Camera, blinks, drift, sway
from pcpg.corpora.synthetic.looks import Look
from pcpg.corpora.synthetic.mouth import Mouth, paint_mouth, shape_mouth
from pcpg.corpora.synthetic.stills import stills

_JAW_SHARE = 0.62  # of the lower lip's way, done by the jaw
_REACH = (8, 3, 11)  # head units that the mouth's picture covers around the lips: to either side, above, below
_FARTHEST = (32, 20, 30)  # head units from the mouth's middle that it covers at most
_AT_ONCE = 3  # frames whose mouths are painted together: larger arrays are slower, their memory comes from the system
_NOISE = 1.5  # standard deviation of the sensor's noise, in luma steps


@dataclass(frozen=True)
class Film:
    """frames: (frames, height * 3 / 2, width) uint8, yuv420p; landmarks: (frames, 7, 2) float32, pixels x, y.

    The landmarks are the person's right and left outer eye corner, the nose's base, the right and left mouth corner
    and the middles of the inner upper and lower lip. The centre of the pixel in row y and column x is at (x, y).
    """

    frames: np.ndarray
    landmarks: np.ndarray


def shoot(look: Look, shape: np.ndarray, camera: Camera, rng: np.random.Generator) -> Film:
    """Film a speaker whose lips take the shapes (len(SHAPE), frames), with head motion, blinks and sensor noise."""
    count = shape.shape[1]
    mouth = shape_mouth(look, shape)
    poses = camera.matrix() @ sway(count, rng)
    lids = blinks(count, rng)
    drop = _JAW_SHARE * mouth.lower[:, 0, 0].clip(0)
    frames = np.empty((count, camera.height * 3 // 2, camera.width), np.uint8)
    for t in range(count):
        stills(look, camera).expose(drop[t], lids[t], poses[t], frames[t])
    for begin in range(0, count, _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        _add_mouth(frames[part], look, shape_mouth(look, shape[:, part]), poses[part], camera)
    _expose_unevenly(frames[:, : camera.height], rng)
    return Film(frames, _landmarks(look, mouth, poses))


def _add_mouth(frames: np.ndarray, look: Look, mouth: Mouth, poses: np.ndarray, camera: Camera) -> None:
    """Paint the mouth over every frame, in luma and at half the size in chroma."""
    reach = np.minimum(np.add(mouth.extent(), _REACH), _FARTHEST)
    side, above, below = (2 * np.ceil(camera.zoom * reach / 2).astype(int)).tolist()
    corner = (poses[:, :2, 2] / 2).astype(int) * 2 - [side, above]  # even: chroma pixels are 2 x 2 luma pixels
    corner = corner.clip(0, [camera.width - 2 * side, camera.height - above - below])
    for scale, planes in ((1, ycc.LUMA), (2, ycc.CHROMA)):
        rows, columns = (above + below) // scale, 2 * side // scale
        x, y = _places(poses, corner, rows, columns, scale)
        kept, added = paint_mouth(look, mouth, x, y, scale / camera.zoom, planes)
        for t, frame in enumerate(frames):
            left, top = corner[t] // scale
            for plane, black, light in zip(ycc.split(frame)[planes], ycc.BLACK[planes], added, strict=True):
                box = plane[top : top + rows, left : left + columns]
                box[:] = kept[t] * (box - np.float32(black)) + light[t] + (black + 0.5)


def _places(poses: np.ndarray, corner: np.ndarray, rows: int, columns: int, scale: int) -> tuple:
    """Return the head units x, y (frames, rows, columns) of the pixels, `scale` wide, right and below of `corner`."""
    back = np.linalg.inv(poses)
    across = corner[:, None, None, 0] + scale * (np.arange(columns) + 0.5)
    down = corner[:, None, None, 1] + scale * (np.arange(rows)[:, None] + 0.5)
    right, below, start = back[:, :2, :, None, None].transpose(2, 1, 0, 3, 4)
    x, y = (right * across).astype(np.float32) + (below * down + start).astype(np.float32)
    return x, y


def _expose_unevenly(luma: np.ndarray, rng: np.random.Generator) -> None:
    """Let the light change slowly by a few per cent and add noise, in place; luma: (frames, rows, columns) uint8."""
    _, rows, columns = luma.shape
    gains = np.rint(128 * (1 + rng.normal(0, 0.04) + 0.008 * drift(len(luma), rng))).clip(110, 146)
    tile = np.rint(rng.normal(0, _NOISE, (rows + 32, columns + 32))).astype(np.int16)
    for plane, gain, (top, left) in zip(luma, gains, rng.integers(0, 32, (len(luma), 2)), strict=True):
        light = (np.multiply(plane, np.uint16(gain), dtype=np.uint16) >> 7).view(np.int16)
        light += tile[top : top + rows, left : left + columns]
        plane[:] = light.clip(16, 235, out=light)


def _landmarks(look: Look, mouth: Mouth, poses: np.ndarray) -> np.ndarray:
    """Return where the head's seven points are in each frame, (frames, 7, 2) float32."""
    points = np.ones((len(poses), 7, 3))
    eye, eye_line = look.eye_gap + look.eye_size, -look.eye_line - 0.8
    points[:, :3, :2] = [(-eye, eye_line), (eye, eye_line), (0, -look.nose_base)]
    points[:, 3, 0], points[:, 4, 0] = -mouth.half_width[:, 0, 0], mouth.half_width[:, 0, 0]
    points[:, 3:5, 1] = mouth.corner[:, 0]
    points[:, 5:, 0] = 0
    points[:, 5, 1], points[:, 6, 1] = mouth.upper[:, 0, 0], mouth.lower[:, 0, 0]
    return ((points @ poses.transpose(0, 2, 1))[..., :2] - 0.5).astype(np.float32)  # edges -> centres of pixels
