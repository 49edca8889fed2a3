"""The third part of the page: the figures, each within the page, with a caption and an alternative text."""

import base64
import io
import re
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from pcpg.report.figures import WIDTH
from pcpg.report.names import figure_parts
from pcpg.report.paper import DATASETS

SVG_LIMIT = 150_000  # bytes; a larger drawing is shown as pixels
WEBP_LIMIT = 150_000  # bytes; what has more is shown with DENSITY pixels an inch, and a loss that is hard to see
DENSITY = 200
COLUMN, PIXELS = 5, 128  # inches: the widest figure of one column; px an inch
PATH = re.compile(r'\bd="[^"]*"')
DIGITS = re.compile(r"(\.\d\d)\d+")

SWEEP = (
    "For each kernel the difference of its word error rate to that of the first: ours with its interval and each seed, "
    "and the paper’s."
)
# by name or, before a corpus, by kind: caption, alternative text
WORDS = {
    "verdicts": (
        "Every comparison that decides a claim: the paper’s effect, the effect asked about, and ours",
        "A row for each comparison, grouped by claim and regime: a diamond for the paper’s difference, a tick for T, "
        "ours with its 90 % interval in the colour and shape of its outcome, and, where a difference is sought, a "
        "grey band of what is too small to be shown by as many seeds. The same is in the table of comparisons of each "
        "claim.",
    ),
    "fig5_coverage": (
        "Figure 5. The windows of Eq. 6, and the weight that each step ends up with",
        "Above, windows of k steps moved by s over the losses of seven steps, for k=5 s=1, k=5 s=5 and k=2 s=1. Below, "
        "for each kernel of the tables, the total weight of each of 24 steps: 1 everywhere but at the ends for stride "
        "1, and 1/5 everywhere for k=5, s=5.",
    ),
    "strip": (
        "What the lip-reader sees: mouth clips",
        "A row of mouth frames for each corpus, from left to right in time, with what is said below.",
    ),
    "fig6": (
        "Figure 6 on {}: cross-entropy and validation CER over the iterations",
        "Curves over iterations of cross-entropy and of policy gradient with k=1, s=1 and with k=5, s=1, mean over "
        "seeds with a band from the lowest to the highest, and where each has converged. The right half enlarges the "
        "end.",
    ),
    "course": (
        "Claim C4 on {}: validation CER of k=5, s=1 minus that of its rivals, from random weights on, "
        "with the 90 % interval of each update alone",
        "Two curves over updates, against k=1, s=1 and against cross-entropy: mean over seeds of the paired "
        "differences, with the 90 % interval of each update alone as a band; below 0 k=5, s=1 is ahead.",
    ),
    "policy": (
        "Policy gradient on {}: reward, entropy and gradient norm over the iterations",
        "Four panels over iterations, for policy gradient with k=1, s=1, with k=5, s=1, with k=5, s=5 and at a fifth "
        "of the strength: reward of the samples, entropy of the policy, norm of the gradient and its spread.",
    ),
    "objectives": (
        "Objectives on {}: WER against cross-entropy continued, and what each policy does in the end",
        "A row for each run from the baseline. On the left the difference of its word error rate to that of "
        "cross-entropy trained on, with the 95 % interval and each seed; a full dot differs after Holm’s correction "
        "over the rows. To the right, in a column each, sampled and greedy reward, entropy, divergence from the start, "
        "and the share of clips whose samples all earn the same.",
    ),
    "attention": (
        "Where the decoder looks on {}: the baseline and policy gradient on the same clip",
        "For two models side by side, frames of a clip above a map of attention weights: from left to right time, from "
        "top to bottom the characters that the model writes.",
    ),
    "contact": (
        "Mouth clips of {} to look through: some drawn at random, and the worst",
        "Rows of mouth frames from left to right in time: above, clips drawn at random; below, those with the most "
        "repaired frames and the most jitter.",
    ),
    "sweep_k": ("Table IIa as a picture: each kernel size’s WER against that of k=1", SWEEP),
    "sweep_w": ("Table IIb as a picture: the WER of other kernel weights against that of uniform ones", SWEEP),
}


def figure_part(name: str, folder: Path) -> dict:
    """Caption, alternative text and picture of a figure; source "" where it is not drawn."""
    caption, alt = describe_figure(name)
    source, inches = picture(name, folder)
    size = {"width": round(inches * PIXELS), "column": inches < COLUMN}
    return {"name": name, "caption": caption, "alt": alt, "source": source} | size


def describe_figure(name: str) -> tuple[str, str]:
    """Caption and alternative text of a figure."""
    kind, corpus, scratch = figure_parts(name)
    caption, alt = WORDS.get(name) or WORDS[kind]
    alt = alt.removesuffix(" The right half enlarges the end.") if scratch else alt
    return caption.format(DATASETS.get(corpus, corpus) + ", from random weights" * scratch), alt


def slim(drawing: str) -> str:
    """An .svg without its indents, and its paths with hundredths in place of millionths of a point."""
    text = "\n".join(map(str.strip, drawing.splitlines()))
    return PATH.sub(lambda path: DIGITS.sub(r"\1", path[0].replace("\n", " ")), text)


def picture(name: str, folder: Path) -> tuple[str, float]:
    """The figure as a data URI, "" where it is not drawn, and its width in print, inches.

    Its .svg if that is small, else the pixels of its .png: all of them if that is not much, else a good likeness.
    """
    drawing, pixels = folder / f"{name}.svg", folder / f"{name}.png"
    if drawing.is_file() and drawing.stat().st_size <= SVG_LIMIT:
        text = slim(drawing.read_text(encoding="utf-8"))
        points = re.search(r'width="([\d.]+)pt"', text)
        source = "data:image/svg+xml," + quote(text, safe=" =:/;,()'\"!@*[]")
        return source, float(points[1]) / 72 if points else WIDTH
    if not pixels.is_file():
        return "", WIDTH
    with Image.open(pixels) as image:
        inches = image.width / image.info["dpi"][0] if "dpi" in image.info else WIDTH
        content = _webp(image, lossless=True, method=4)
        if len(content) > WEBP_LIMIT:
            size = round(inches * DENSITY), round(inches * DENSITY * image.height / image.width)
            content = _webp(image.convert("RGB").resize(size, Image.Resampling.LANCZOS), quality=75, method=6)
    return "data:image/webp;base64," + base64.b64encode(content).decode(), inches


def _webp(image: Image.Image, **settings: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", **settings)
    return buffer.getvalue()
