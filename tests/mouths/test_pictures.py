"""What a file says of its picture: a film is read as a player shows it, whatever header, container and pixels."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from pcpg.mouths import landmarks, roi, video
from pcpg.workspace.errors import InputError

BUGS = Path(__file__).parents[3] / "shared" / "bugs"
needs_bugs = pytest.mark.skipif(not BUGS.is_dir(), reason="no videos of public bug reports beside the repository")
ONE = 1 << 16
# Where the header sends (right, down); and what numpy does to an image for it
ORIENTATIONS = {
    "as stored": ((1, 0, 0, 1), lambda image: image),
    "mirrored": ((-1, 0, 0, 1), np.fliplr),
    "upside down and mirrored": ((1, 0, 0, -1), np.flipud),
    "half a turn": ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
    "a quarter clockwise": ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
    "a quarter counterclockwise": ((0, -1, 1, 0), np.rot90),
    "transposed": ((0, 1, 1, 0), np.transpose),
    "transposed the other way": ((0, -1, -1, 0), lambda image: np.rot90(image, 2).T),
}
CORNERS = np.kron([[40, 90, 140], [200, 240, 60]], np.ones((16, 16))).astype(np.uint8)  # (32, 48), no symmetry


def write_film(path, pictures, codec="mpeg4", pixels="yuv420p", aspect=None, matrix=None, full=False, **options):
    """Greys (H, W) as a video of 25 frames a second; `pixels` of `aspect` wide, `matrix` in the header."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = pictures[0].shape
        add_pictures(container, stream, pictures, pixels, aspect, full)
    if matrix:
        content = path.read_bytes()
        upright, changed = (header_matrix(*flat) for flat in ((1, 0, 0, 1), matrix))
        place = content.index(upright, content.index(b"tkhd"))  # of the track, not of the file
        path.write_bytes(content[:place] + changed + content[place + 36 :])
    return path


def add_pictures(container, stream, pictures, pixels="yuv420p", aspect=None, full=False):
    if not stream.codec_context.is_open:
        stream.pix_fmt = pixels
    if aspect:
        stream.codec_context.sample_aspect_ratio = aspect
    if full:
        stream.codec_context.color_range = video.FULL_RANGE
    for picture in pictures:
        frame = av.VideoFrame.from_ndarray(np.repeat(picture[:, :, None], 3, axis=2), format="rgb24")
        frame = frame.reformat(format=pixels, dst_color_range=2 if full else 1) if pixels != "rgb24" else frame
        frame.color_range = 2 if full else 1
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def header_matrix(a, b, c, d) -> bytes:
    return np.array([a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30], ">i8").astype(">i4").tobytes()


@pytest.mark.parametrize(("matrix", "turn"), ORIENTATIONS.values(), ids=ORIENTATIONS)
def test_every_turn_and_mirroring_of_a_header_is_done(tmp_path, matrix, turn):
    path = write_film(tmp_path / "a.mp4", [CORNERS] * 3, matrix=matrix)
    grey, colour = video.read_grey(path)[1], np.stack([*video.colour_clip(path, 0, 0)])[1]
    expected = turn(CORNERS).astype(int)
    assert grey.shape == expected.shape == colour.shape[:2]
    assert np.abs(grey - expected).mean() < 8 and np.abs(colour[..., 0] - expected).mean() < 8


def test_a_picture_that_is_turned_askew_is_refused_in_one_line(tmp_path):
    path = write_film(tmp_path / "a.mp4", [CORNERS] * 3, matrix=(0.7, 0.7, -0.7, 0.7))
    with pytest.raises(InputError, match=r"a\.mp4: its header turns the picture by no whole number of quarter turns"):
        video.read_grey(path)


@pytest.mark.parametrize(("name", "aspect", "width"), [("a.mp4", Fraction(4, 3), 64), ("a.mkv", Fraction(1, 2), 24)])
def test_pixels_become_square(tmp_path, name, aspect, width):
    path = write_film(tmp_path / name, [CORNERS] * 3, aspect=aspect)
    grey = video.read_grey(path)
    assert grey.shape == (3, 32, width) and np.stack([*video.colour_clip(path, 0, 0)]).shape == (3, 32, width, 3)
    wide = np.asarray(Image.fromarray(CORNERS).resize((width, 32), Image.Resampling.BILINEAR), int)
    assert np.abs(grey[1] - wide).mean() < 10
    assert f"pixels {aspect.numerator}:{aspect.denominator}" in video.describe_stream(path)[0]


def test_square_pixels_and_a_quarter_turn_together(tmp_path):
    path = write_film(tmp_path / "a.mp4", [CORNERS] * 3, aspect=Fraction(4, 3), matrix=(0, 1, -1, 0))
    assert video.read_grey(path).shape == (3, 64, 32)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mkv", "ffv1", "yuv420p"),
        ("a.mkv", "ffv1", "yuv422p10le"),
        ("a.avi", "ffv1", "yuv444p"),
        ("a.mov", "qtrle", "rgb24"),
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mp4", "libx264", "nv12"),
    ],
)
def test_black_is_0_and_white_255_in_every_range(tmp_path, name, codec, pixels, full):
    levels = np.kron([[0, 128, 255]], np.ones((16, 16))).astype(np.uint8)
    path = write_film(tmp_path / name, [levels] * 3, codec, pixels, full=full)
    grey, colour = video.read_grey(path)[1], np.stack([*video.colour_clip(path, 0, 0)])[1]
    for image in (grey, colour[..., 1]):
        assert np.abs(image[8, [4, 24, 44]] - np.array([0.0, 128, 255])).max() <= 4


def test_a_photograph_is_turned_as_its_exif_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter clockwise
    Image.fromarray(CORNERS).save(tmp_path / "1.jpg", exif=exif, quality=95)
    assert np.abs(video.read_jpgs(tmp_path)[0] - np.rot90(CORNERS, -1).astype(int)).mean() < 4


@pytest.mark.parametrize("flags", ["+ilme+ildct", ""])
def test_half_pictures_are_said(tmp_path, flags):
    path = write_film(tmp_path / "a.mpg", [CORNERS] * 6, "mpeg2video", flags=flags or "+bitexact")
    said = ["interlaced: the two half pictures of a frame are read as one"]
    assert video.describe_stream(path)[1] == (said if flags else [])


# ---- which stream


def write_streams(path, *films):
    """A file of several films: (height, width, frames, disposition) each."""
    with av.open(str(path), "w") as container:
        streams = []
        for height, width, count, disposition in films:
            stream = container.add_stream("png" if disposition else "mpeg4", rate=25)
            stream.height, stream.width = height, width
            if disposition:
                stream.disposition = disposition
            pixels = "rgb24" if disposition else "yuv420p"
            streams.append((stream, [np.full((height, width), width, np.uint8)] * count, pixels))
            stream.pix_fmt = pixels
        for stream, pictures, pixels in streams:
            add_pictures(container, stream, pictures, pixels)
    return path


@pytest.mark.parametrize(
    ("films", "wanted"),
    [
        ([(16, 32, 9, 0), (48, 64, 9, 0)], 64),  # a small copy first
        ([(48, 64, 9, 0), (16, 32, 9, 0)], 64),
        ([(96, 128, 1, 0), (48, 64, 9, 0)], 64),  # a large picture that lasts one frame
        ([(48, 64, 9, 0), (96, 128, 3, 0)], 64),  # a short advertisement
    ],
)
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_the_main_film_is_read(tmp_path, films, wanted, ending):
    path = write_streams(tmp_path / f"a.{ending}", *films)
    assert video.read_grey(path).shape[2] == wanted
    assert video.describe_stream(path)[1] == ["one of 2 films in this file"]


@pytest.mark.parametrize("picture", [b"", b"and a film"])
def test_a_cover_picture_is_no_film(tmp_path, picture):
    attached = av.stream.Disposition.attached_pic
    films = [(96, 128, 1, attached)] + ([(48, 64, 9, 0)] if picture else [])
    path = write_streams(tmp_path / "a.mp4", *films)
    with av.open(str(path)) as container:
        assert any(stream.disposition & attached for stream in container.streams.video)
    if picture:
        assert video.read_grey(path).shape == (9, 48, 64)
    else:
        with pytest.raises(InputError, match="has no video stream but a picture"):
            video.read_grey(path)


@needs_bugs
@pytest.mark.parametrize("name", ["hflip", "sar4_3", "thumb_and_main"])
def test_the_videos_of_the_reports_look_like_the_plain_one(name):
    plain, other = (video.read_grey(BUGS / f"{one}.mp4")[10] for one in ("plain", name))
    assert other.shape == (288, 360) and np.abs(plain.astype(int) - other).mean() < 6


# ---- what is no file, and what is one


def test_a_format_without_a_decoder_is_told(tmp_path):
    path = write_film(tmp_path / "a.avi", [CORNERS] * 3)
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"ZZZZ"))
    with pytest.raises(InputError, match=r"a\.avi: its video stream is of a format that cannot be decoded here"):
        video.read_grey(path)


@pytest.mark.parametrize(
    "name", ["10:30.mp4", "-dash.mp4", "p%d.mp4", "a b\n.mp4", "concat:a.mp4", "\u53e3\U0001f444.mp4"]
)
def test_a_file_may_be_called_anything(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_film(tmp_path / "a.mp4", [CORNERS] * 3).rename(name)
    assert len(video.read_grey(name)) == 3


def test_what_is_no_video_file_is_named_for_what_it_is(tmp_path):
    for path, problem in (
        (tmp_path, "is a folder; a video file is expected here"),
        ("https://example.org/a.mp4", "is an address; download it, a video file is expected here"),
        (Path("https://example.org/a.mp4"), "is an address; download it, a video file is expected here"),
        ("/dev/null", "is no regular file"),
        (tmp_path / "none.mp4", "no such file"),
    ):
        with pytest.raises(InputError) as raised:
            video.read_grey(path)
        shown = "https://example.org/a.mp4" if "https" in str(path) else path
        assert str(raised.value) == f"{shown}: {problem}"


# ---- landmarks that are no face


def face(frames=9, turn=0.0):
    points = np.add(roi.mean_face(48), [60, 70], dtype=np.float64)
    middle, rotation = points.mean(axis=0), np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.tile((points - middle) @ rotation + middle, (frames, 1, 1)).astype(np.float32)


@pytest.mark.parametrize("turn", np.linspace(-np.pi, np.pi, 9))
def test_a_face_is_one_however_it_is_turned(turn):
    points = face(turn=turn)
    np.testing.assert_array_equal(landmarks.without_impossible(points, 160, 170), points)


NO_FACES = {
    "zeros": lambda points: points * 0,
    "minus ones": lambda points: points * 0 - 1,
    "x and y exchanged": lambda points: points[:, ::-1],
    "left and right exchanged": lambda points: points[[1, 0, 2, 4, 3, 5, 6]],
    "nose and an eye exchanged": lambda points: points[[0, 2, 1, 3, 4, 5, 6]],
    "right of the picture": lambda points: np.add(points, [200, 0]),
    "above the picture": lambda points: points - [0, 200],
    "of a smaller picture": lambda points: points / 100,
    "one point": lambda points: points * 0 + 50,
    "NaN": lambda points: points * np.nan,
    "some NaN": lambda points: np.where(np.arange(7)[:, None] == 3, np.nan, points),
}


@pytest.mark.parametrize("spoil", NO_FACES.values(), ids=NO_FACES)
def test_what_is_no_face_is_filled_in_and_counted_or_excludes_the_clip(spoil):
    frames = np.random.default_rng(0).integers(0, 256, (9, 160, 170), dtype=np.uint8)
    good, points = face(), face()
    points[3:5] = [spoil(row) for row in points[3:5]]
    rois, _, filled, *_ = roi.align(frames, points, 96)
    assert filled == 2
    np.testing.assert_array_equal(rois, roi.align(frames, good, 96)[0])
    points[:] = [spoil(row) for row in good]
    with pytest.raises(ValueError, match="no face in any frame"):
        roi.align(frames, points, 96)
