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
_FINE = 3  # pixels of a stored picture to one of a frame: each pixel of a frame is one of them, at most 1/6 off
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
        self._jaws = {0: _fine(ycc.to_planes(rgb))}  # by level; the others are made when they are needed
        self._lids = [self._with_lids(look, position) for position in (0.5, 1.0)]

    def expose(self, drop: float, lids: int, pose: np.ndarray, frame: np.ndarray) -> None:
        """Write the picture with the jaw `drop` head units down into `frame` (rows * 3 / 2, columns) uint8, yuv420p.

        lids: 0 open, 1 half, 2 closed; pose: (3, 3) from head units to pixels.
        """
        level = min(round(drop / _LONGEST_DROP * (_LEVELS - 1)), _LEVELS - 1)
        if level not in self._jaws:
            self._jaws[level] = self._with_jaw(_LONGEST_DROP * level / (_LEVELS - 1))
        pictures = self._jaws[level]
        if lids:
            pictures = self._pasted(pictures, self._lids[lids - 1])
        back = self._to_pixels @ np.linalg.inv(pose)  # from a pixel of the frame to one of the still
        for plane, picture, scale in zip(ycc.split(frame), pictures, (1, 2, 2), strict=True):
            path = (_FINE * back[:2] / [1, 1, scale]).ravel()
            size = plane.shape[::-1]
            plane[:] = picture.transform(size, Image.Transform.AFFINE, path, Image.Resampling.NEAREST)

    def _places(self, rows: tuple[int, int], columns: tuple[int, int], size: float = 1) -> tuple:
        """Return the head units x, y (rows, columns) of the pixels, `size` wide, in a box of the still."""
        zoom, left, top = self._to_pixels[0, 0], self._to_pixels[0, 2], self._to_pixels[1, 2]
        x = ((np.arange(columns[0] + size / 2, columns[1], size) - left) / zoom).astype(np.float32)
        y = ((np.arange(rows[0] + size / 2, rows[1], size) - top) / zoom).astype(np.float32)
        return np.broadcast_to(x, (len(y), len(x))), np.broadcast_to(y[:, None], (len(y), len(x)))

    def _box(self, left: float, right: float, top: float, bottom: float) -> tuple[tuple, tuple]:
        """Return the even rows and columns that hold a box in head units, cut at the picture's edges."""
        corners = self._to_pixels @ np.array([[left, right], [top, bottom], [1, 1]])
        columns, rows = (corners[:2] / 2).astype(int) * 2
        height, width = self._size
        return tuple(rows.clip(0, height).tolist()), tuple(columns.clip(0, width).tolist())

    def _with_jaw(self, drop: float) -> list[Image.Image]:
        """Return the pictures with the jaw `drop` lower: skin stretches above the chin and gives way below it."""
        rows, columns = self._box(-56, 56, -10, 72)
        patch = []
        for picture, scale in zip(self._jaws[0], (1, 2, 2), strict=True):
            size = scale / _FINE
            x, y = self._places(rows, columns, size)
            x, y = np.abs(x[0]), y[:, :1]
            shift = drop * self._camera.zoom / size * ramp(y, -8, 18) * ramp(y, 70, 42) * ramp(x, 56, 38)
            source = (np.arange(len(y))[:, None] - np.rint(shift).astype(int)).clip(0)
            left, top, right, bottom = (round(edge / size) for edge in (columns[0], rows[0], columns[1], rows[1]))
            box = np.asarray(picture)[top:bottom, left:right]
            patch.append(Image.fromarray(np.take_along_axis(box, source, axis=0)))
        return self._pasted(self._jaws[0], (patch, (columns[0], rows[0])))

    def _with_lids(self, look: Look, position: float) -> tuple | None:
        """Return the box around the eyes, with the lids at `position`, and its upper left corner; None: not in view."""
        rows, columns = self._box(-46, 46, -look.eye_line - 16, -look.eye_line + 14)
        if rows[1] - rows[0] < 2:
            return None
        box = paint_head(look, *self._places(rows, columns), 1 / self._camera.zoom, position)
        return _fine(ycc.to_planes(box)), (columns[0], rows[0])

    @staticmethod
    def _pasted(pictures: list[Image.Image], patch: tuple | None) -> list[Image.Image]:
        """Return the three planes with a patch (planes, upper left corner) laid over copies of them."""
        if patch is None:
            return pictures
        planes, corner = patch
        copies = [picture.copy() for picture in pictures]
        for copy, plane, scale in zip(copies, planes, (1, 2, 2), strict=True):
            copy.paste(plane, tuple(_FINE * place // scale for place in corner))
        return copies


def _fine(planes: tuple[np.ndarray, ...]) -> list[Image.Image]:
    """Return planes enlarged once, so that moving them with the head needs no arithmetic at each pixel."""
    pictures = [Image.fromarray(plane) for plane in planes]
    return [picture.resize([_FINE * side for side in picture.size], Image.Resampling.BILINEAR) for picture in pictures]


@lru_cache(maxsize=2)
def stills(look: Look, camera: Camera) -> Stills:
    """Return the speaker's pictures; clips of one speaker that follow each other share them."""
    return Stills(look, camera)
