"""ROIs: similarity and crop against plain loops, the place of the mouth, boxes and resizing."""

import numpy as np
import pytest

from pcpg.mouths import roi


def turned(points, angle, scale, shift):
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ matrix.T + shift


def similarity_by_svd(points, reference):
    """Umeyama's own way, one frame at a time, reflections barred."""
    rows = []
    for frame in points:
        x, y = frame - frame.mean(axis=0), reference - reference.mean(axis=0)
        u, d, vt = np.linalg.svd(y.T @ x)
        sign = np.diag([1.0, np.sign(np.linalg.det(u @ vt))])
        matrix = (d @ sign).sum() / (x**2).sum() * u @ sign @ vt
        rows.append(np.column_stack([matrix, reference.mean(axis=0) - matrix @ frame.mean(axis=0)]))
    return np.stack(rows)


def test_similarity_agrees_with_svd():
    rng = np.random.default_rng(0)
    points, reference = rng.normal(0, 50, (20, 4, 2)), rng.normal(0, 50, (4, 2))
    np.testing.assert_allclose(roi.similarity(points, reference), similarity_by_svd(points, reference), atol=1e-9)


def test_a_trembling_detector_moves_the_mouth_little():
    still = np.tile(np.random.default_rng(0).integers(0, 256, (1, 200, 200), np.uint8), (30, 1, 1))
    points = np.tile(roi.mean_face(96) + 50, (30, 1, 1)).astype(np.float32)
    points[::2, :, 0] += 1  # pixel, every other frame
    mouths = roi.align(still, points, 96)[0].astype(int)
    assert np.abs(np.diff(mouths[6:-6], axis=0)).mean() < 20  # grey levels; of one noise and another 85


def test_similarity_recovers_turn_scale_and_shift():
    reference = roi.anchors(roi.mean_face(96)).astype(float)
    points = np.stack([turned(reference, a, s, (30, -12)) for a, s in [(0, 1), (0.4, 0.5), (-1.2, 3), (3.1, 0.1)]])
    transforms = roi.similarity(points, reference)
    mapped = points @ transforms[:, :, :2].transpose(0, 2, 1) + transforms[:, None, :, 2]
    np.testing.assert_allclose(mapped, np.broadcast_to(reference, mapped.shape), atol=1e-9)
    np.testing.assert_allclose(roi.scales(transforms), [1, 2, 1 / 3, 10])


@pytest.mark.parametrize("value", [5.0, np.nan])
def test_similarity_refuses_what_it_cannot_fit(value):
    with pytest.raises(ValueError, match="coincide or are not finite"):
        roi.similarity(np.full((2, 4, 2), value), np.eye(4, 2))


def crop_by_loop(frames, transforms, size):
    height, width = frames.shape[1:]
    out = np.zeros((len(frames), size, size))
    for t, (frame, matrix) in enumerate(zip(frames.astype(float), transforms, strict=True)):
        inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
        for row in range(size):
            for column in range(size):
                x, y, _ = inverse @ [column, row, 1]
                x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
                i, j = int(x), int(y)
                k, m = min(i + 1, width - 1), min(j + 1, height - 1)
                upper = frame[j, i] * (1 - x + i) + frame[j, k] * (x - i)
                lower = frame[m, i] * (1 - x + i) + frame[m, k] * (x - i)
                out[t, row, column] = upper * (1 - y + j) + lower * (y - j)
    return out


def test_crop_agrees_with_a_loop_also_beyond_the_edge():
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 256, (4, 20, 30), np.uint8)
    reference = roi.anchors(roi.mean_face(16)).astype(float)
    moves = [(0, 1, (6, 2)), (0.3, 1, (-9, 8)), (-2, 1.4, (20, 9)), (0, 1, (0, 0))]
    points = np.stack([turned(reference, *move) for move in moves])
    transforms = roi.similarity(points, reference)
    rois = roi.crop(frames, transforms, 16)
    assert rois.dtype == np.uint8 and rois.shape == (4, 16, 16)
    assert np.abs(rois - crop_by_loop(frames, transforms, 16)).max() <= 0.51  # half a grey level is the rounding
    np.testing.assert_array_equal(rois[3], frames[3, :16, :16])  # nothing moves under the identity


def test_crop_of_a_large_frame_does_not_alias():
    frames = np.zeros((2, 400, 400), np.uint8)
    frames[:, ::2] = 255  # lines one pixel wide: seen from afar, grey
    transforms = np.tile([[0.25, 0, 0], [0, 0.25, 0]], (2, 1, 1))
    assert np.ptp(roi.crop(frames, transforms, 96)) <= 2
    ramp = np.broadcast_to(np.linspace(0, 255, 400), (1, 400, 400)).astype(np.uint8)
    small = roi.crop(ramp, transforms[:1], 90)[0]
    np.testing.assert_allclose(small[10], ramp[0, 0, ::4][:90], atol=1)  # and stays in its place


def test_movement_of_the_mouth_survives():
    closed = np.tile(roi.mean_face(96), (2, 1, 1))
    opened = closed.copy()
    opened[1, 3] += (6, 0)  # the corners draw together and the lips part
    opened[1, 4] -= (6, 0)
    opened[1, 5:] += [[0, -6], [0, 12]]
    reference = roi.anchors(roi.mean_face(96))
    np.testing.assert_allclose(*roi.similarity(roi.anchors(opened), reference), atol=1e-6)


def test_align_puts_the_mouth_where_the_mean_face_has_it():
    rng = np.random.default_rng(2)
    face = turned(roi.mean_face(96).astype(float), 0.1, 0.75, (100, 150))
    frames = np.zeros((30, 288, 360), np.uint8)
    for x, y in np.rint(face[[3, 4]]).astype(int):
        frames[:, y - 1 : y + 2, x - 1 : x + 2] = 255
    points = (face + rng.normal(0, 0.2, (30, 7, 2))).astype(np.float32)
    points[[0, 7, 8]] = np.nan
    rois, faceless, interpolated, jitter, scale = roi.align(frames, points, 96)
    assert (faceless, interpolated) == (3, 3) and scale == pytest.approx(4 / 3, rel=0.01) and 0 < jitter < 1
    for x in (22.5, 72.5):
        peak = rois[12, 40:56, int(x) - 8 : int(x) + 9].astype(float)
        rows, columns = np.indices(peak.shape)
        assert abs((columns * peak).sum() / peak.sum() + int(x) - 8 - x) < 1.5
        assert abs((rows * peak).sum() / peak.sum() + 40 - 47.5) < 1.5
    with pytest.raises(ValueError, match="no face in any frame"):
        roi.align(frames, np.full_like(points, np.nan), 96)


def test_mean_face_is_centred_and_grows_with_the_roi():
    assert roi.MEAN_FACE[3:5].mean(axis=0).tolist() == [47.5, 47.5]
    assert roi.MEAN_FACE[4, 0] - roi.MEAN_FACE[3, 0] == 50
    np.testing.assert_allclose(roi.mean_face(48)[3:5].mean(axis=0), [23.5, 23.5])
    np.testing.assert_array_equal(roi.mean_face(96), roi.MEAN_FACE)


def test_jitter():
    points = np.zeros((10, 7, 2), np.float32)
    points += np.arange(10)[:, None, None]
    assert roi.jitter(points) == 0 == roi.jitter(points[:2])  # steady movement is none
    points[::2, :, 0] += 1
    assert roi.jitter(points) == pytest.approx(2)


def test_fixed_box_and_resize():
    frames = np.random.default_rng(3).integers(0, 256, (2, 256, 256), np.uint8)
    box = roi.lrw_box(frames, 96)
    np.testing.assert_array_equal(box, frames[:, 115:211, 79:175])
    assert roi.lrw_box(frames, 48).shape == (2, 48, 48)
    for other in (box, frames.repeat(2, axis=2)):
        with pytest.raises(
            ValueError, match=f"has {other.shape[2]} x {other.shape[1]} pixels; the box is that of LRW's"
        ):
            roi.lrw_box(other, 96)
    lines = np.zeros((1, 200, 160), np.uint8)
    lines[:, ::2] = 255
    small = roi.resize(lines, 20)
    assert small.shape == (1, 20, 20) and np.abs(small[0, 2:-2].astype(int) - 127).max() < 20  # averaged, not picked
