"""Command `transcribe`: the text of a video of a talking face, by a trained lip-reader."""

import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pcpg.mouths import detector, roi, video
from pcpg.mouths.store import Region
from pcpg.reader import checkpoint
from pcpg.reader.attention import Transcriptions, read_lips
from pcpg.reader.network import LipReader
from pcpg.reader.text import CLASSES, END, decode
from pcpg.reader.view import View, cut
from pcpg.report.figures import reading as show
from pcpg.workspace.errors import InputError, one_line

LONGEST = 10  # seconds; attention learnt on clips of 3 s fails long before
MAX_LENGTH = 40  # as in the presets of sentences
BEAMS = range(1, 101)
LISTED = 60  # words of a vocabulary that are printed
SCORE = "score: log p per character, the end symbol counted; 0 would be certainty"


@dataclass(frozen=True)
class Reader:
    """A checkpoint's lip-reader in eval mode, and the input that it takes."""

    model: LipReader
    view: View
    region: Region
    words: list[str]  # in the texts that it learnt from
    kernel: int  # of the stem in time, in frames
    stride: int


def transcribe(
    path: Path, weights: Path, landmark_model: Path, beam: int, shown: Path | None, verbose: bool = False
) -> str:
    """The best `beam` texts for the video at `path`, as lines to print; remarks go to stderr.

    verbose: remarks also name the stream that was read, its rate, and how many of its frames were taken.

    weights: a lip-reader's checkpoint; landmark_model: MediaPipe's face_landmarker.task; shown: where to draw, .png or
    .gif. InputError where one of these cannot be used, or the video shows no face, or too short or too long a time.
    """
    if beam not in BEAMS:
        raise InputError("--beam", f"{beam} is not in {BEAMS[0]} .. {BEAMS[-1]}")
    if shown is not None:
        show.check_picture_path(shown)
    reader = read_model(weights)
    stream, remarks = video.describe_stream(path)
    if verbose or remarks:
        _note(path, "; ".join([stream, *remarks]))
    clip = mouths(path, landmark_model, reader.region, reader.kernel)
    if verbose:
        _note(path, f"{len(clip)} frames taken, at {video.RATE} frames/s")
    pixels = cut(torch.from_numpy(clip), reader.view, None)
    texts = read_lips(reader.model, reader.view, pixels, beam, MAX_LENGTH)
    if shown is not None:
        drawn = show.Reading(pixels.numpy(), texts.characters[0], texts.weights, reader.stride, texts.scores[0])
        show.write_picture(shown, drawn)
    return f"{report(texts)}\n\n{SCORE}\n{vocabulary(reader.words)}"


def read_model(path: Path) -> Reader:
    """InputError if the checkpoint is not a lip-reader's."""
    if not path.is_file():
        raise InputError(
            path, "is a folder; model.pt of a lip-reader is expected" if path.is_dir() else "no such checkpoint"
        )
    content = checkpoint.load(path)
    if "classes" in content:
        raise InputError(path, "is a word classifier's checkpoint; a lip-reader's is needed")
    model, view = checkpoint.restore(content, torch.device("cpu"))
    region, network = Region(**content["region"]), content["network"]
    if view.crop > region.size:
        raise InputError(path, f"looks at {view.crop} pixels, its mouth clips have {region.size}")
    return Reader(model.eval(), view, region, content["words"], network["stem_kernel"][0], network["stem_stride"][0])


def mouths(path: Path, landmark_model: Path, region: Region, fewest: int) -> np.ndarray:
    """Mouth clip uint8 (T, size, size) at 25 frames/s, cut out as the stage `shard` did for the training clips.

    For LRW's box the video must have LRW's size; frames that show only a mouth are taken whole. InputError if the video
    has another size, cannot be read, has fewer than `fewest` frames, is too long, or shows no face where one is needed.
    """
    numbers = frames_to_take(path)
    if len(numbers) < fewest:
        raise InputError(path, f"too short: {len(numbers)} of the {fewest} frames that the model needs")
    if region.kind != "landmarks":
        return without_landmarks(path, video.grey_at(path, numbers), region)
    detector.check_model(landmark_model)
    points = detector.detect_landmarks(map(video.rgb, video.frames_at(path, numbers)), landmark_model)
    try:
        clip, faceless, *_ = roi.align(video.grey_at(path, numbers), points, region.size)
    except ValueError as error:
        raise InputError(path, str(error)) from None
    several = detector.count_faces(
        map(video.rgb, video.frames_at(path, numbers[:: max(len(numbers) // 3, 1)])), landmark_model
    )
    if several > 1:
        _note(path, f"{several} faces in the picture; the lips of one of them are read")
    if faceless:
        _note(path, f"no face in {faceless} of {len(clip)} frames; the mouth's place there is a guess")
    return clip


def without_landmarks(path: Path, frames: np.ndarray, region: Region) -> np.ndarray:
    """LRW's fixed box of the frames uint8 (T, H, W), or all of them, at the region's size."""
    if region.kind == "frame":
        _note(path, "taken whole: the model learnt from pictures that show a mouth and nothing else")
        return roi.resize(frames, region.size)
    try:
        return roi.lrw_box(frames, region.size)
    except ValueError as error:
        raise InputError(path, f"{error}, from which the model learnt") from None


def frames_to_take(path: Path) -> np.ndarray:
    """The numbers of the frames that make the video 25 a second; InputError if it is too long."""
    seconds = []
    for second in video.frame_times(path):
        if second > LONGEST - video.NO_TIME:
            limit = f"the limit is {LONGEST} s ({LONGEST * video.RATE} frames), models learn from clips of about 3 s"
            raise InputError(path, f"too long: {limit}; cut out one sentence")
        seconds.append(second)
    if not seconds:
        raise InputError(path, "no frame could be decoded")
    numbers = video.nearest_frames(np.array(seconds))
    if not np.array_equal(numbers, np.arange(len(seconds))):
        rate = (len(seconds) - 1) / seconds[-1] if seconds[-1] else float("nan")
        taken = f"{len(numbers)} taken, nearest in time, to make {video.RATE} frames/s"
        _note(path, f"{len(seconds)} frames at {rate:.2f} frames/s; {taken}")
    return numbers


def _note(path: Path, text: str) -> None:
    print(one_line(f"pcpg: {path}: {text}"), file=sys.stderr)


def report(best: Transcriptions) -> str:
    """The best text, and a table of all."""
    texts = [decode(characters) or "(nothing)" for characters in best.characters]
    cut_off = [END not in characters for characters in best.characters]
    lines = [texts[0], "", "rank   score  text"]
    for rank, (text, score, unfinished) in enumerate(zip(texts, best.scores, cut_off, strict=True), start=1):
        lines.append(f"{rank:4} {score:7.3f}  {text}{'...' if unfinished else ''}")
    if any(cut_off):
        lines.append(f"...: not at its end after {MAX_LENGTH} characters")
    return "\n".join(lines)


def vocabulary(words: list[str]) -> str:
    """Lines about the words and characters that the model can write."""
    known = f"vocabulary: {len(words)} words, those of its training; it knows no others, whatever is said in the video."
    letters = f"It writes character by character, in {CLASSES} classes: letters, digits, space, begin, end, padding."
    listed = textwrap.wrap(" ".join(words[:LISTED] + ["..."] * (len(words) > LISTED)), 100)
    return "\n".join([known, letters, *(f"  {line}" for line in listed)])
