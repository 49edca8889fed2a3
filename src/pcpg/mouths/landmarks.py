"""Seven points of a face per video frame, as detector.py finds or sidecar.py reads them: checked, repaired, smoothed.

An array of landmarks is float32 (frames, 7, 2): x to the right and y down in pixels of the video, the centre of the
pixel frames[t, y, x] at (x, y); NaN where no face was found. Left and right are those of the person.
"""

import numpy as np

RIGHT_EYE, LEFT_EYE, NOSE, RIGHT_CORNER, LEFT_CORNER, UPPER_LIP, LOWER_LIP = range(7)
SMALLEST = 2  # px between the eyes
ABOVE = 0.3  # how far the nose may lie above the eyes, in distances between these; 0.6 below in a frontal face
BELOW = (0.2, 5)  # how far the mouth lies below the eyes, in distances between these; 0.9 in a frontal face
HALF = 6  # frames on either side that are averaged, as in auto_avsr


def without_impossible(landmarks: np.ndarray, height: int, width: int) -> np.ndarray:
    """`landmarks` with NaN for each frame whose points are no face within a picture of that size.

    Its mouth is in the picture, and, whichever way the head is turned, below the eyes as seen from the face: on the
    other side if x and y were exchanged, or left and right. Nor is the nose above them, as where points come in another
    order. A detector's zeros have no two eyes.
    """
    right, left = landmarks[:, RIGHT_EYE].astype(np.float64), landmarks[:, LEFT_EYE].astype(np.float64)
    mouth = landmarks[:, [RIGHT_CORNER, LEFT_CORNER]].mean(axis=1, dtype=np.float64)
    across, middle = left - right, (left + right) / 2
    apart = np.hypot(*across.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        mouth_below, nose_below = (
            (across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0]) / apart**2
            for down in (mouth - middle, landmarks[:, NOSE] - middle)
        )
        inside = ((mouth >= 0) & (mouth <= [width - 1, height - 1])).all(axis=1)
        face = (
            inside & (apart >= SMALLEST) & (mouth_below > BELOW[0]) & (mouth_below < BELOW[1]) & (nose_below > -ABOVE)
        )
    return np.where((face | ~np.isfinite(landmarks).all(axis=(1, 2)))[:, None, None], landmarks, np.float32(np.nan))


def repair(landmarks: np.ndarray) -> tuple[np.ndarray, int]:
    """Fill frames with any NaN linearly in time, ends with the nearest good frame; and the number of frames filled.

    Where no frame is good nothing can be filled: the array comes back as it is, and the caller excludes the clip.
    """
    good = np.isfinite(landmarks).all(axis=(1, 2))
    if good.all() or not good.any():
        return landmarks, 0
    times, known = np.arange(len(landmarks)), np.flatnonzero(good)
    columns = landmarks.reshape(len(landmarks), -1)
    filled = np.stack([np.interp(times, known, column[known]) for column in columns.T], axis=1)
    return filled.reshape(landmarks.shape).astype(np.float32), int((~good).sum())


def smooth(landmarks: np.ndarray) -> np.ndarray:
    """Moving average over the frames t - HALF .. t + HALF, of the same shape.

    Near the ends both halves shrink alike, so that a steady movement is not bent: frames 0 and -1 stay as they are.
    """
    frames = len(landmarks)
    times = np.arange(frames)
    half = np.minimum(HALF, np.minimum(times, frames - 1 - times))
    total = np.zeros((frames + 1, *landmarks.shape[1:]))
    np.cumsum(landmarks, axis=0, dtype=np.float64, out=total[1:])
    widths = (2 * half + 1).reshape(-1, 1, 1)
    return ((total[times + half + 1] - total[times - half]) / widths).astype(np.float32)
