"""Pictures of one transcription: the mouth over time, and where the decoder looked for each character."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from pcpg.mouths.video import RATE
from pcpg.reader.text import BEGIN, CHARACTERS, END, PAD, decode
from pcpg.workspace.errors import InputError
from pcpg.workspace.files import atomic_file

SUFFIXES = (".png", ".gif")
SYMBOLS = {PAD: "pad", BEGIN: "begin", END: "end"}

SIDE, MARGIN = 256, 16  # pixels of the animation: the mouth, and around it
WIDTH = SIDE + 2 * MARGIN
LINE, LANE = 40, 14  # heights of the text and of the attention
INK, NEW, PALE = (32, 32, 32), (0, 114, 178), (226, 232, 238)  # NEW: blue of Okabe and Ito
HOLD = 2000  # ms: the last picture


@dataclass(frozen=True)
class Reading:
    """One transcription of one clip."""

    mouths: np.ndarray  # (T, crop, crop) uint8, what the model sees, RATE frames a second
    characters: list[int]  # U class indices, symbols too
    weights: np.ndarray  # (U, S) attention over encoder steps
    stride: int  # video frames from one encoder step to the next
    score: float  # log p per character

    @property
    def labels(self) -> list[str]:
        """Of each character itself, of a symbol its name."""
        return [SYMBOLS[index] if index in SYMBOLS else CHARACTERS[index - 3] for index in self.characters]

    @property
    def places(self) -> list[int]:
        """Where what is no symbol stands among the characters."""
        return [place for place, index in enumerate(self.characters) if index not in SYMBOLS]

    @property
    def text(self) -> str:
        return decode(self.characters)


def check_picture_path(path: Path) -> None:
    """Raise InputError where `write_picture` could not write `path`, before the work that leads there."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(path, f"--show writes {' or '.join(SUFFIXES)}, not {path.suffix or 'a file without suffix'}")
    if path.is_dir():
        raise InputError(path, "is a folder")


def write_picture(path: Path, reading: Reading) -> None:
    """Write the figure (.png) or the animation (.gif); InputError where the disk does not take it."""
    try:
        with atomic_file(path) as temporary:
            if path.suffix.lower() == ".gif":
                first, *rest = animate(reading)
                durations = [1000 // RATE] * len(rest) + [HOLD]
                first.save(temporary, "GIF", save_all=True, append_images=rest, duration=durations, loop=0)
            else:
                _write_png(temporary, reading)
    except OSError as error:
        raise InputError(path, f"cannot be written: {error.strerror or error}") from None


def _write_png(path: Path, reading: Reading) -> None:
    from pcpg.report.figures.attention import draw_reading  # slow to start
    from pcpg.report.figures.style import METADATA, house_style

    score = f"{reading.score:.3f}".replace("-", "−")
    title = f"{f'“{reading.text}”' if reading.text else '(nothing)'}, log p per character {score}"
    with house_style():
        figure = draw_reading(reading.mouths, reading.labels, reading.weights, reading.stride, title)
        figure.savefig(path, format="png", metadata=METADATA["png"])


def appearances(reading: Reading) -> np.ndarray:
    """The frame (U,) with which each character appears: where the attention on it, or on one before, peaks."""
    peaks = np.maximum.accumulate(reading.weights.argmax(axis=1)) * reading.stride
    return np.minimum(peaks, len(reading.mouths) - 1)


def animate(reading: Reading) -> list[Image.Image]:
    """One picture a video frame: the mouth, the text read so far, and the attention on its last character."""
    fitting = int(SIDE / (0.603 * max(len(reading.text), 1)))  # a letter is 0.602 of its size wide
    font = ImageFont.truetype(findfont("DejaVu Sans Mono"), max(min(fitting, 20), 7))
    when = appearances(reading)
    return [_picture(reading, t, int((when <= t).sum()), font) for t in range(len(reading.mouths))]


def _picture(reading: Reading, t: int, read: int, font) -> Image.Image:
    """Frame `t`, with the first `read` characters."""
    page = Image.new("RGB", (WIDTH, MARGIN + SIDE + LINE + LANE + MARGIN), "white")
    mouth = Image.fromarray(reading.mouths[t]).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    page.paste(mouth, (MARGIN, MARGIN))
    pen = ImageDraw.Draw(page)
    _write_text(pen, reading, read, font)
    _draw_lane(pen, reading, t, max(read, 1) - 1)
    return page.quantize(128, dither=Image.Dither.NONE)


def _write_text(pen: ImageDraw.ImageDraw, reading: Reading, read: int, font) -> None:
    """The characters read so far where they stand in the whole text, the last in colour."""
    left = (WIDTH - font.getlength(reading.text)) / 2
    for place in reading.places:
        if place < read:
            label, ink = reading.labels[place], NEW if place == read - 1 else INK
            pen.text((left, MARGIN + SIDE + LINE / 2), label, ink, font, anchor="lm")
            left += font.getlength(label)


def _draw_lane(pen: ImageDraw.ImageDraw, reading: Reading, t: int, character: int) -> None:
    """The clip from left to right, blue where the decoder looks for `character`, with a mark at frame `t`."""
    top, scale = MARGIN + SIDE + LINE, SIDE / len(reading.mouths)
    pen.rectangle((MARGIN, top, MARGIN + SIDE - 1, top + LANE), PALE)
    weights = reading.weights[character]
    for step, share in enumerate(weights / max(float(weights.max()), 1e-9)):
        edges = np.clip((np.array([step, step + 1]) - 0.5) * reading.stride + 0.5, 0, len(reading.mouths)) * scale
        colour = tuple(round(pale + (new - pale) * float(share)) for pale, new in zip(PALE, NEW, strict=True))
        pen.rectangle((MARGIN + edges[0], top, MARGIN + max(edges[1] - 1, edges[0]), top + LANE), colour)
    now = MARGIN + (t + 0.5) * scale
    pen.line((now, top - 3, now, top + LANE + 3), INK, 2)
