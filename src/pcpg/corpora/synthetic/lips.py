"""Visemes with durations -> the course of the lips, frame by frame."""

from dataclasses import dataclass

import numpy as np

from pcpg.corpora.synthetic.speech import Speech

SHAPE = ("open", "wide", "round", "teeth", "tongue", "tuck", "press")  # the rows of every trajectory below
_SPREAD_ROWS = np.array([False, True, True, False, False, False, False])

# viseme: (targets in the order of SHAPE, grip, spread). A strong grip forces opening, teeth and tongue upon the
# neighbours (p must close); a strong spread forces width and rounding (w rounds the lips before it is spoken).
_TARGETS = {
    "rest": ((0.00, 0.00, 0.00, 0.0, 0.0, 0, 0.0), 1.5, 0.6),
    "P": ((-0.12, 0.00, 0.00, 0.0, 0.0, 0, 1.0), 6.0, 0.3),
    "F": ((0.12, 0.10, 0.00, 1.0, 0.0, 1, 0.0), 5.0, 0.5),
    "TH": ((0.32, 0.10, 0.00, 0.7, 1.0, 0, 0.0), 4.0, 0.4),
    "T": ((0.17, 0.10, 0.00, 0.8, 0.7, 0, 0.0), 3.0, 0.4),
    "S": ((0.15, 0.45, 0.00, 1.0, 0.0, 0, 0.0), 3.5, 1.0),
    "SH": ((0.25, -0.35, 0.65, 1.0, 0.0, 0, 0.0), 3.0, 3.0),
    "K": ((0.34, 0.00, 0.00, 0.3, 0.1, 0, 0.0), 1.0, 0.15),
    "L": ((0.44, 0.10, 0.00, 0.3, 1.0, 0, 0.0), 2.5, 0.4),
    "R": ((0.22, -0.25, 0.55, 0.1, 0.1, 0, 0.0), 2.0, 2.0),
    "W": ((0.05, -0.50, 1.00, 0.0, 0.0, 0, 0.0), 4.0, 4.0),
    "A": ((0.95, 0.00, 0.00, 0.4, 0.3, 0, 0.0), 1.5, 1.2),
    "AE": ((0.80, 0.50, 0.00, 0.7, 0.4, 0, 0.0), 1.5, 1.2),
    "AH": ((0.52, 0.00, 0.00, 0.4, 0.3, 0, 0.0), 1.2, 0.8),
    "E": ((0.62, 0.45, 0.00, 0.7, 0.4, 0, 0.0), 1.8, 1.4),
    "I": ((0.26, 1.00, 0.00, 0.9, 0.3, 0, 0.0), 2.0, 2.2),
    "IH": ((0.40, 0.60, 0.00, 0.7, 0.3, 0, 0.0), 1.5, 1.2),
    "O": ((0.62, -0.40, 0.75, 0.0, 0.1, 0, 0.0), 1.5, 2.5),
    "U": ((0.18, -0.60, 1.00, 0.0, 0.0, 0, 0.0), 1.5, 3.0),
    "ER": ((0.34, -0.15, 0.40, 0.4, 0.2, 0, 0.0), 1.3, 1.5),
}
_GRIP_SECONDS, _SPREAD_SECONDS = 0.032, 0.055  # how far a viseme reaches into its neighbours


@dataclass(frozen=True)
class Manner:
    """How a speaker moves the lips: factors around 1 on tempo, opening, and width and rounding."""

    tempo: float
    opening: float
    spreading: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Manner":
        """Draw a speaker's manner."""
        return cls(*rng.normal([1.0, 1.0, 1.0], [0.07, 0.12, 0.12]).clip(0.75, 1.3).tolist())

    def today(self, rng: np.random.Generator) -> "Manner":
        """Return the same manner with the small change that every sentence brings."""
        return Manner(*(np.array([self.tempo, self.opening, self.spreading]) * rng.normal(1, 0.06, 3)).tolist())


def trajectory(speech: Speech, start: float, times: np.ndarray, manner: Manner) -> np.ndarray:
    """Return the lip shape at each of `times` (frames,), in seconds, as (len(SHAPE), frames) float32.

    The shape is a mean of all targets, weighted by dominance: 1 x strength within a viseme's own time and a Gaussian
    fall outside it, so that neighbours colour each other. Speech begins at `start`; before and after it the lips rest.
    """
    visemes = ("rest", *speech.visemes, "rest")
    edges = start + np.concatenate([[-9.0, 0.0], np.cumsum(speech.seconds), [speech.seconds.sum() + 9.0]])
    outside = np.maximum(0, np.maximum(edges[:-1, None] - times, times - edges[1:, None]))  # (visemes, frames)
    targets = np.array([_TARGETS[viseme][0] for viseme in visemes]).T  # (shape, visemes)
    shape = np.empty((len(SHAPE), len(times)))
    for rows, column, reach in ((~_SPREAD_ROWS, 1, _GRIP_SECONDS), (_SPREAD_ROWS, 2, _SPREAD_SECONDS)):
        strength = np.array([_TARGETS[viseme][column] for viseme in visemes])[:, None]
        dominance = strength * np.exp(-((outside / reach) ** 2)) + 1e-9
        shape[rows] = targets[rows] @ dominance / dominance.sum(axis=0)
    shape[0] *= manner.opening
    shape[1:3] *= manner.spreading
    shape[[0, 2]] = shape[[0, 2]].clip(0)
    return shape.astype(np.float32)
