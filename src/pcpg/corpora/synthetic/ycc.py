"""Colours as video holds them: luma and chroma of ITU-R BT.601, luma in 16..235, chroma in 16..240 around 128."""

import numpy as np

_MATRIX = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]) / 255
BLACK = (16.0, 128.0, 128.0)


def luma(rgb) -> np.ndarray:
    """Return (..., 3) colours in 0..255 as (..., 1) luma above black."""
    return np.asarray(rgb, np.float32) @ _MATRIX[:1].T.astype(np.float32)


def chroma(rgb) -> np.ndarray:
    """Return (..., 3) colours in 0..255 as (..., 2) chroma, blue and red difference around 0."""
    return np.asarray(rgb, np.float32) @ _MATRIX[1:].T.astype(np.float32)


def to_planes(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (rows, columns, 3), both even, as uint8 luma and two chroma planes of half the size."""
    rows, columns, _ = rgb.shape
    light = luma(rgb)[..., 0] + (BLACK[0] + 0.5)
    quarters = rgb.reshape(rows // 2, 2, columns // 2, 2, 3).mean(axis=(1, 3))
    blue, red = np.moveaxis(chroma(quarters) + (BLACK[1] + 0.5), -1, 0)
    return light.astype(np.uint8), blue.astype(np.uint8), red.astype(np.uint8)


def split(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return views of a yuv420p frame (rows * 3 / 2, columns) as luma and two chroma planes; rows divisible by 4."""
    rows, columns = frame.shape[0] * 2 // 3, frame.shape[1]
    half = (rows // 2, columns // 2)
    return frame[:rows], frame[rows : rows * 5 // 4].reshape(half), frame[rows * 5 // 4 :].reshape(half)
