"""Colours as video holds them: luma and chroma of ITU-R BT.601, luma in 16..235, chroma in 16..240 around 128."""

import numpy as np

_MATRIX = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]) / 255
BLACK = (16.0, 128.0, 128.0)
LUMA, CHROMA = slice(0, 1), slice(1, 3)  # of the planes: light; blue and red difference
_CODES = np.arange(256)
_FULL_LUMA = np.rint((_CODES - 16) * (255 / 219)).clip(0, 255).astype(np.uint8)
_FULL_CHROMA = np.rint((_CODES - 128) * (255 / 224) + 128).clip(0, 255).astype(np.uint8)


def above_black(rgb, planes: slice) -> np.ndarray:
    """Return (..., 3) colours in 0..255 as (..., planes) luma or chroma, from what BLACK has."""
    return np.asarray(rgb, np.float32) @ _MATRIX[planes].T.astype(np.float32)


def to_planes(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (3, rows, columns), both even, as uint8 luma and two chroma planes of half the size."""
    quarters = (rgb[:, ::2, ::2] + rgb[:, ::2, 1::2] + rgb[:, 1::2, ::2] + rgb[:, 1::2, 1::2]) / 4
    planes = []
    for picture, weights, black in zip((rgb, quarters, quarters), _MATRIX.tolist(), BLACK, strict=True):
        mixed = sum(weight * plane for weight, plane in zip(weights, picture, strict=True))
        planes.append((mixed + (black + 0.5)).astype(np.uint8))
    return tuple(planes)


def full_range(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the planes of a yuv420p frame as jpgs hold them: both luma and chroma fill 0..255."""
    light, blue, red = split(frame)
    return _FULL_LUMA[light], _FULL_CHROMA[blue], _FULL_CHROMA[red]


def split(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return views of a yuv420p frame (rows * 3 / 2, columns) as luma and two chroma planes; rows divisible by 4."""
    rows, columns = frame.shape[0] * 2 // 3, frame.shape[1]
    half = (rows // 2, columns // 2)
    return frame[:rows], frame[rows : rows * 5 // 4].reshape(half), frame[rows * 5 // 4 :].reshape(half)
