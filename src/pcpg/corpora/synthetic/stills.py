"""The silent part of the portrait, painted once for every position of jaw and lids, then moved with the head."""

from functools import lru_cache

import numpy as np
from PIL import Image

from pcpg.corpora.synthetic import ycc
from pcpg.corpora.synthetic.camera import Camera
from pcpg.corpora.synthetic.canvas import ramp
from pcpg.corpora.synthetic.head import paint_head
from pcpg.corpora.synthetic.looks import Look

_MARGIN = 24  # pixels painted beyond the frame, for the head's motion
_LONGEST_DROP = 9.0  # head units
_LEVELS = 12


class Stills:
    """All still pictures of one speaker before one camera."""

    def __init__(self, look: Look, camera: Camera):
        self._to_pixels = camera.matrix()
        self._to_pixels[:2, 2] += _MARGIN
        self._size = (camera.height + 2 * _MARGIN, camera.width + 2 * _MARGIN)
        self._camera = camera
        rgb = paint_head(look, *self._places((0, self._size[0]), (0, self._size[1])), 1 / camera.zoom)
        self._jaws = [self._pasted(ycc.to_planes(rgb), None)]
        self._jaws += [self._with_jaw(rgb, _LONGEST_DROP * level / (_LEVELS - 1)) for level in range(1, _LEVELS)]
        self._lids = [self._with_lids(look, position) for position in (0.5, 1.0)]

    def expose(self, drop: float, lids: int, pose: np.ndarray, frame: np.ndarray) -> None:
        """Write the picture with the jaw `drop` head units down into `frame` (rows * 3 / 2, columns) uint8, yuv420p.

        lids: 0 open, 1 half, 2 closed; pose: (3, 3) from head units to pixels.
        """
        pictures = self._jaws[min(round(drop / _LONGEST_DROP * (_LEVELS - 1)), _LEVELS - 1)]
        if lids:
            pictures = self._pasted(pictures, self._lids[lids - 1])
        back = self._to_pixels @ np.linalg.inv(pose)  # from a pixel of the frame to one of the still
        for plane, picture, scale in zip(ycc.split(frame), pictures, (1, 2, 2), strict=True):
            path = (back[:2] / [1, 1, scale]).ravel()
            size = plane.shape[::-1]
            plane[:] = picture.transform(size, Image.Transform.AFFINE, path, Image.Resampling.BILINEAR)

    def _places(self, rows: tuple[int, int], columns: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Return the head units (rows, columns) of the still's pixels in a box."""
        zoom, left, top = self._to_pixels[0, 0], self._to_pixels[0, 2], self._to_pixels[1, 2]
        x = ((np.arange(*columns) + 0.5 - left) / zoom).astype(np.float32)
        y = ((np.arange(*rows) + 0.5 - top) / zoom).astype(np.float32)
        return np.broadcast_to(x, (len(y), len(x))), np.broadcast_to(y[:, None], (len(y), len(x)))

    def _box(self, left: float, right: float, top: float, bottom: float) -> tuple[tuple, tuple]:
        """Return the even rows and columns that hold a box in head units, cut at the picture's edges."""
        corners = self._to_pixels @ np.array([[left, right], [top, bottom], [1, 1]])
        columns, rows = (corners[:2] / 2).astype(int) * 2
        height, width = self._size
        return tuple(rows.clip(0, height).tolist()), tuple(columns.clip(0, width).tolist())

    def _with_jaw(self, rgb: np.ndarray, drop: float) -> list[Image.Image]:
        """Return the pictures with the jaw `drop` lower: skin stretches above the chin and gives way below it."""
        rows, columns = self._box(-56, 56, -10, 72)
        x, y = self._places(rows, columns)
        shift = drop * self._camera.zoom * ramp(y, -8, 18) * ramp(y, 70, 42) * ramp(np.abs(x), 56, 38)
        source = (np.arange(*rows)[:, None] - shift).clip(0, len(rgb) - 2)
        row, column = source.astype(int), np.arange(*columns)[None]
        part = (source - row)[..., None]
        box = rgb[row, column] * (1 - part) + rgb[row + 1, column] * part
        return self._pasted(self._jaws[0], (ycc.to_planes(box), (columns[0], rows[0])))

    def _with_lids(self, look: Look, position: float) -> tuple | None:
        """Return the box around the eyes, with the lids at `position`, and its upper left corner; None: not in view."""
        rows, columns = self._box(-46, 46, -look.eye_line - 16, -look.eye_line + 14)
        if rows[1] - rows[0] < 2:
            return None
        box = paint_head(look, *self._places(rows, columns), 1 / self._camera.zoom, position)
        return ycc.to_planes(box), (columns[0], rows[0])

    @staticmethod
    def _pasted(pictures, patch: tuple | None) -> list[Image.Image]:
        """Return copies of the three planes with a patch (planes, upper left corner) laid over them."""
        copies = [Image.fromarray(np.asarray(picture)).copy() for picture in pictures]
        if patch:
            planes, (left, top) = patch
            for copy, plane, scale in zip(copies, planes, (1, 2, 2), strict=True):
                copy.paste(Image.fromarray(plane), (left // scale, top // scale))
        return copies


@lru_cache(maxsize=2)
def stills(look: Look, camera: Camera) -> Stills:
    """Return the speaker's pictures; clips of one speaker that follow each other share them."""
    return Stills(look, camera)
