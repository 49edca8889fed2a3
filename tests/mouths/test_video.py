"""Decoding: real and made videos, and every kind of broken file."""

import os
import resource
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from pcpg.mouths import video
from pcpg.workspace.errors import InputError, refusal

GRID = Path(__file__).parents[3] / "shared" / "grid"
needs_grid = pytest.mark.skipif(not GRID.is_dir(), reason="no real GRID clips beside the repository")


def write_video(path, levels, codec="mpeg1video", size=(64, 48), rate=25):
    """A video of plain grey frames, `levels` in 0 .. 255."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for level in levels:
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), level, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_audio(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("codec, name", [("mpeg1video", "a.mpg"), ("mpeg4", "a.mp4")])
def test_grey_has_the_full_range(tmp_path, codec, name):
    levels = [0, 60, 128, 200, 255]
    frames = video.read_grey(write_video(tmp_path / name, np.repeat(levels, 5), codec))
    assert frames.shape == (25, 48, 64) and frames.dtype == np.uint8
    assert np.abs(frames.mean(axis=(1, 2)) - np.repeat(levels, 5)).max() < 4
    assert np.ptp(frames[2]) < 8 and frames[0].max() <= 3 and frames[-1].min() >= 252
    assert np.stack([*video.colour_clip(tmp_path / name, 0, 0)]).shape == (25, 48, 64, 3)


def test_rgb_is_contiguous_where_rows_are_padded(tmp_path):
    path = write_video(tmp_path / "a.mpg", [90] * 3, size=(70, 48))
    assert all(video.rgb(frame).flags.c_contiguous for frame in video.decode_video(path))
    assert video.read_grey(path).shape == (3, 48, 70)


@needs_grid
def test_real_clip_lengths():
    assert video.read_grey(GRID / "s1/bbaf4p.mpg").shape == (75, 288, 360)
    assert all(len(video.read_grey(GRID / f"s1/{name}.mpg")) == 74 for name in ("lrae3s", "sbbbzp", "srbb4n", "swao7a"))


@needs_grid
def test_luma_agrees_with_ffmpeg_colour():
    path = GRID / "s1/bbaf4p.mpg"
    grey, rgb = video.read_grey(path)[10].astype(float), np.stack([*video.colour_clip(path, 0, 0)])[10].astype(float)
    unclipped = ((rgb > 0) & (rgb < 255)).all(axis=2)  # the blue backdrop leaves the range of RGB
    assert unclipped.mean() > 0.3
    assert np.abs(grey - rgb @ [0.299, 0.587, 0.114])[unclipped].mean() < 2


@pytest.mark.parametrize(
    "content, problem",
    [(None, "no such file"), (b"", "not a readable video"), (b"no video at all" * 99, "not a readable video")],
)
def test_broken_files(tmp_path, content, problem):
    path = tmp_path / "a.mpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=f"a.mpg.*{problem}"):
        video.read_grey(path)


def test_audio_alone_is_no_video(tmp_path):
    with pytest.raises(InputError, match="has no video stream"):
        video.read_grey(write_audio(tmp_path / "a.wav"))


def test_truncated_video_gives_what_decodes(tmp_path):
    rng = np.random.default_rng(0)
    path = write_video(tmp_path / "a.mpg", rng.integers(0, 256, 50))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert 5 < len(video.read_grey(path)) < 50
    path.write_bytes(content[:40])
    with pytest.raises(InputError):
        video.read_grey(path)


def test_damage_in_the_middle_is_survived(tmp_path):
    path = write_video(tmp_path / "a.mpg", range(0, 250, 5))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 60] = bytes(range(100, 160))
    path.write_bytes(content)
    assert len(video.read_grey(path)) > 25


@pytest.mark.parametrize("rate", [24, 30, 50])
def test_another_rate_is_told(tmp_path, rate):
    """Words and frames are counted at 25 a second: of another rate they would be others, in silence."""
    path = write_video(tmp_path / "a.mpg", [100] * 20, rate=rate)
    with pytest.raises(InputError, match=rf"a\.mpg: has {rate}\.00 frames a second; clips are made of 25"):
        video.read_grey(path)


def test_too_many_open_files_are_no_fault_of_the_video(tmp_path):
    path = write_video(tmp_path / "a.mpg", [100] * 5)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)  # the number that the next file to be opened would get
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        with pytest.raises(OSError, match="Too many open files") as caught:
            video.read_grey(path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert refusal(caught.value) == f"{path}: Too many open files"


def test_a_title_that_is_no_utf_8_is_no_damage(tmp_path):
    path = write_video(tmp_path / "a.avi", [100] * 5, "mpeg4")
    with av.open(str(tmp_path / "b.avi"), "w") as container, av.open(str(path)) as plain:
        container.metadata["title"] = "caf#"
        stream = container.add_stream_from_template(plain.streams.video[0])
        for packet in plain.demux(plain.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    (tmp_path / "b.avi").write_bytes((tmp_path / "b.avi").read_bytes().replace(b"caf#", b"caf\xe9"))
    assert len(video.read_grey(tmp_path / "b.avi")) == 5 and video.describe_stream(tmp_path / "b.avi")


def write_jpgs(folder, numbers, size=(20, 10)):
    folder.mkdir()
    for number in numbers:
        Image.new("L", size, number * 10).save(folder / f"{number}.jpg", quality=95)
    return folder


def test_jpgs(tmp_path):
    folder = write_jpgs(tmp_path / "a", [1, 2, 4, 5, 11])
    frames = video.read_jpgs(folder, first=1, frames=4)  # numbers 2 .. 5, of which 3 is missing
    assert frames.shape == (3, 10, 20) and np.abs(frames[:, 0, 0] - np.array([20.0, 40, 50])).max() <= 1
    assert len(video.read_jpgs(folder)) == 5 and video.read_jpgs(folder)[-1, 0, 0] == 110  # by number, not by name
    (folder / "2.jpg").write_bytes(b"broken")
    assert len(video.read_jpgs(folder, 1, 4)) == 2
    Image.new("L", (20, 10)).save(folder / "3.jpg", exif=b"Exif\x00\x00no Exif at all!", dpi=(72, 72))
    assert len(video.read_jpgs(folder, 1, 4)) == 2  # Pillow raises a SyntaxError
    assert video.read_jpgs(folder, 0, 1, mode="RGB").shape == (1, 10, 20, 3)
    with pytest.raises(InputError, match="no frame could be decoded"):
        video.read_jpgs(folder, first=20, frames=3)


def test_jpgs_of_other_size_are_resized(tmp_path):
    folder = write_jpgs(tmp_path / "a", [1])
    Image.new("L", (40, 40), 99).save(folder / "2.jpg")
    assert video.read_jpgs(folder).shape == (2, 10, 20)


def test_read_clip_cuts(tmp_path):
    path = write_video(tmp_path / "a.mpg", [100] * 12)
    assert len(video.read_clip(path, 0, 0)) == 12
    assert len(video.read_clip(path, 10, 5)) == 2 == len(list(video.colour_clip(path, 10, 5)))
    with pytest.raises(InputError, match="has 12 frames, the clip begins at frame 12"):
        video.read_clip(path, 12, 1)
