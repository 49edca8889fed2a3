"""Any video to text: what is taken of it, what is refused and in which words, what is printed and drawn."""

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from command import pcpg
from PIL import Image

from pcpg.corpora.base import Clip
from pcpg.mouths import detector, roi, video
from pcpg.mouths.shard import Cutter
from pcpg.mouths.store import Region
from pcpg.reader import checkpoint
from pcpg.reader.attention import Transcriptions, read_lips
from pcpg.reader.decode import greedy
from pcpg.reader.network import LipReader
from pcpg.reader.text import END, PAD
from pcpg.reader.view import View
from pcpg.report.figures import reading as show
from pcpg.settings.load import load
from pcpg.transcribe import (
    frames_to_take,
    mouths,
    read_model,
    report,
    transcribe,
    vocabulary,
)
from pcpg.workspace.errors import InputError
from tests.conftest import REGION
from tests.mouths.test_pictures import write_streams
from tests.mouths.test_video import write_audio
from tests.mouths.test_video import write_video as video_of_size

SHARED = Path(__file__).parents[2] / "shared"
GRID, MODEL = SHARED / "grid", SHARED / "models" / "face_landmarker.task"
needs_model = pytest.mark.skipif(not MODEL.is_file(), reason="no face model beside the repository")
needs_faces = pytest.mark.skipif(
    not (GRID.is_dir() and MODEL.is_file()), reason="no real GRID clips or face model beside the repository"
)


def write_video(path, pictures, rate=25):
    """Greys 0 .. 255 or arrays (48, 64), as an mp4 of `rate` frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for picture in pictures:
            image = np.broadcast_to(np.asarray(picture, np.uint8), (48, 64))
            frame = av.VideoFrame.from_ndarray(np.repeat(image[:, :, None], 3, axis=2), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def content_of(root) -> dict:
    params = load(root / "tests" / "smoke.params.yaml")
    view, network = params.view["grid"].model_dump(), params.network["grid"].model_dump()
    torch.manual_seed(5)
    model = LipReader(**network)
    content = {"view": view, "network": network, "region": REGION.model_dump(), "model": model.state_dict()}
    return content | {"mean": 0.5, "std": 0.2, "words": [], "iteration": 1}


@pytest.fixture
def weights(root, tmp_path) -> Path:
    path = tmp_path / "model.pt"
    checkpoint.save(path, content_of(root))
    return path


@pytest.fixture
def face(monkeypatch):
    """Finds a mouth in any picture."""

    def detect(frames, model):
        return np.tile(roi.mean_face(48), (len(list(frames)), 1, 1))

    monkeypatch.setattr(detector, "check_model", lambda model: None)
    monkeypatch.setattr(detector, "detect_landmarks", detect)
    monkeypatch.setattr(detector, "count_faces", lambda frames, model: 1)


# ---- which frames


@pytest.mark.parametrize(
    ("count", "rate"), [(75, 25), (90, 30), (90, 29.97), (72, 24), (180, 60), (31, 10), (40, 12.5), (1, 25)]
)
def test_nearest_agrees_with_a_loop(count, rate):
    seconds = np.arange(count) / rate
    numbers = video.nearest_frames(seconds)
    assert len(numbers) == round(count / rate * 25)
    expected = [int(np.argmin(np.round(np.abs(seconds - tick / 25), 9))) for tick in range(len(numbers))]
    assert numbers.tolist() == expected


def test_nearest_follows_uneven_stamps():
    seconds = np.array([0.0, 0.01, 0.02, 0.03, 0.2, 0.21, 0.29])  # a stop from 0.03 to 0.2 s
    assert video.nearest_frames(seconds).tolist() == [0, 3, 3, 4, 4, 4, 5, 6]


@pytest.mark.parametrize(("rate", "count"), [(25, 40), (30, 48), (50, 80), (10, 16)])
def test_other_rates_are_resampled_and_said(tmp_path, capsys, rate, count):
    path = write_video(tmp_path / "a.mp4", np.linspace(20, 230, count), rate)
    numbers = frames_to_take(path)
    said = capsys.readouterr().err
    greys = video.grey_at(path, numbers).mean(axis=(1, 2))
    expected = np.interp(np.arange(40) / 25, np.arange(count) / rate, np.linspace(20, 230, count))
    assert len(greys) == 40 and np.abs(greys - expected).max() < 12
    if rate == 25:
        assert said == "" and np.array_equal(numbers, np.arange(40))
    else:
        wanted = f"{count} frames at {rate}.00 frames/s; 40 taken, nearest in time, to make 25 frames/s"
        assert said == f"pcpg: {path}: {wanted}\n"


def test_frames_without_time_stamps_follow_each_other(monkeypatch):
    class Frame:
        def __init__(self, time, duration=0):
            self.time, self.duration, self.time_base = time, duration, 0.02

    frames = [Frame(None), Frame(None, 1), Frame(7.0), Frame(7.04), Frame(None), Frame(7.0)]
    monkeypatch.setattr(video, "decode_video", lambda path: iter(frames))
    np.testing.assert_allclose(list(video.frame_times("a")), [0, 0.04, 0.06, 0.1, 0.14, 0.18])


def test_two_files_that_were_joined_are_read_one_after_the_other(tmp_path, capsys):
    """The time stamps of the second begin anew."""
    parts = [video_of_size(tmp_path / f"{name}.mpg", [level] * 10) for name, level in (("a", 60), ("b", 200))]
    joined = tmp_path / "joined.mpg"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    greys = video.grey_at(joined, frames_to_take(joined)).mean(axis=(1, 2))
    assert len(greys) == 20 and (greys[:10] < 100).all() and (greys[10:] > 150).all()
    assert capsys.readouterr().err == ""


def test_a_turned_video_is_set_upright(tmp_path):
    picture = np.full((48, 64), 40)
    picture[:, :32] = 210
    path = write_video(tmp_path / "a.mp4", [picture] * 8)
    matrices = [np.array(flat, ">i4").tobytes() for flat in (UPRIGHT, TURNED)]
    content = path.read_bytes()
    place = content.index(matrices[0], content.index(b"tkhd"))  # of the track, not of the file
    path.write_bytes(content[:place] + matrices[1] + content[place + 36 :])
    image = video.read_grey(path)[3]
    assert image.shape == (64, 48) and image[:28].min() > 180 and image[36:].max() < 70  # what was left is on top
    assert np.stack([*video.colour_clip(path, 0, 0)]).shape == (8, 64, 48, 3)


ONE = 1 << 16
UPRIGHT = (ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30)
TURNED = (0, ONE, 0, -ONE, 0, 0, 0, 0, 1 << 30)  # (right, down) -> (down, left): a quarter clockwise


# ---- what is refused


def refusal(path, weights, shown=None, beam=2):
    with pytest.raises(InputError) as caught:
        transcribe(path, weights, Path("absent.task"), beam, shown)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_video_is_refused(tmp_path, weights):
    path = tmp_path / "a.mp4"
    assert refusal(path, weights).endswith("a.mp4: no such file")
    path.write_bytes(b"")
    assert "a.mp4: not a readable video: empty" in refusal(path, weights)
    for name, text in {"a.txt": "bin blue at f four please\n" * 99, "a.mpg": "no video\n" * 99}.items():
        (tmp_path / name).write_text(text)
        assert f"{name}: " in refusal(tmp_path / name, weights)
        assert "video" in refusal(tmp_path / name, weights)
    assert "a.wav: has no video stream" in refusal(write_audio(tmp_path / "a.wav"), weights)


def test_too_short_and_too_long_are_refused(tmp_path, weights):
    one = refusal(write_video(tmp_path / "a.mp4", [90]), weights)
    assert one.endswith("a.mp4: too short: 1 of the 5 frames that the model needs")
    long = refusal(write_video(tmp_path / "b.mp4", [90] * 251), weights)
    assert "b.mp4: too long: the limit is 10 s (250 frames)" in long
    assert "too long: the limit is 10 s" in refusal(write_video(tmp_path / "c.mp4", [90] * 101, rate=10), weights)
    assert len(frames_to_take(write_video(tmp_path / "d.mp4", [90] * 250))) == 250


def test_the_end_of_a_long_video_is_never_decoded(tmp_path, monkeypatch):
    class Frame:
        duration = None

        def __init__(self, number):
            self.time = number / 25

    def frames(path):
        yield from map(Frame, range(251))
        raise AssertionError("decoded on")

    monkeypatch.setattr(video, "decode_video", frames)
    with pytest.raises(InputError, match="too long"):
        frames_to_take(tmp_path)


def test_other_checkpoints_are_refused(root, tmp_path, weights):
    path, clip, good = tmp_path / "other.pt", tmp_path / "absent.mp4", content_of(root)
    assert refusal(clip, path).endswith("other.pt: no such checkpoint")
    assert refusal(clip, tmp_path).endswith("is a folder; model.pt of a lip-reader is expected")
    path.write_bytes(b"no checkpoint")
    assert "other.pt: not a readable checkpoint" in refusal(clip, path)
    old = {key: value for key, value in good["view"].items() if key != "repeat"}
    renamed = {key.replace("stem", "stem.0"): value for key, value in good["model"].items()}
    large = good["view"] | {"crop": 112}
    for content, problem in (
        ({"model": {}}, "is not a checkpoint of a lip-reader"),
        (good | {"classes": 3}, "is a word classifier's checkpoint"),
        (good | {"view": old}, "view.repeat: missing key"),
        (good | {"model": renamed}, "does not fit the network of this version"),
        (good | {"view": large}, "looks at 112 pixels, its mouth clips have 96"),
    ):
        checkpoint.save(path, content)
        assert f"other.pt: {problem}" in refusal(clip, path)


def test_arguments_are_checked_before_the_work(tmp_path):
    clip, absent = tmp_path / "a.mp4", tmp_path / "absent.pt"
    assert "a.jpg: --show writes .png or .gif, not .jpg" in refusal(clip, absent, tmp_path / "a.jpg")
    assert "a: --show writes .png or .gif, not a file without" in refusal(clip, absent, tmp_path / "a")
    (tmp_path / "b.png").mkdir()
    assert "b.png: is a folder" in refusal(clip, absent, tmp_path / "b.png")
    assert refusal(clip, absent, beam=0) == "--beam: 0 is not in 1 .. 100"


def test_a_folder_and_an_address_are_named(tmp_path, weights):
    assert refusal(tmp_path, weights) == f"{tmp_path}: is a folder; a video file is expected here"
    said = refusal(Path("https://example.org/a.mp4"), weights)
    assert said == "https://example.org/a.mp4: is an address; download it, a video file is expected here"


@needs_model
def test_a_video_without_a_face_is_refused(tmp_path, weights):
    path = write_video(tmp_path / "a.mp4", range(20, 140, 6))
    with pytest.raises(InputError, match=r"a\.mp4: no face in any frame"):
        transcribe(path, weights, MODEL, 2, None)
    with pytest.raises(InputError, match=r"absent\.task: no such file; the face landmark model is needed"):
        transcribe(path, weights, Path("absent.task"), 2, None)


def test_the_shell_gets_one_line_and_status_2(tmp_path, weights):
    done = pcpg("transcribe", "a.mp4", "--checkpoint", "model.pt", cwd=tmp_path)  # where there is no params.yaml
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "pcpg: a.mp4: no such file\n")


# ---- what is read, printed and drawn


def test_faceless_frames_are_said(tmp_path, monkeypatch, face, capsys):
    points = np.tile(roi.mean_face(48), (9, 1, 1))
    points[2:4] = np.nan
    monkeypatch.setattr(detector, "detect_landmarks", lambda frames, model: points[: len(list(frames))])
    assert mouths(write_video(tmp_path / "a.mp4", [90] * 9), MODEL, REGION, 5).shape == (9, 96, 96)
    assert "no face in 2 of 9 frames" in capsys.readouterr().err


def test_the_mouth_is_cut_out_as_the_checkpoint_says(root, tmp_path, face, capsys):
    pictures = np.random.default_rng(0).integers(0, 256, (8, 48, 64))
    small = write_video(tmp_path / "a.mp4", pictures)
    assert mouths(small, MODEL, Region(kind="landmarks", landmarks="sidecar", size=80), 5).shape == (8, 80, 80)
    assert capsys.readouterr().err == ""
    whole = mouths(small, Path("absent.task"), Region(kind="frame", landmarks=None, size=32), 5)
    assert np.array_equal(whole, roi.resize(video.read_grey(small), 32))
    assert "a.mp4: taken whole: the model learnt from pictures that show a mouth" in capsys.readouterr().err
    box = Region(kind="box", landmarks=None, size=96)
    with pytest.raises(InputError, match=r"a\.mp4: has 64 x 48 pixels; the box is that of LRW's 256 x 256, from which"):
        mouths(small, MODEL, box, 5)
    lrw = video_of_size(tmp_path / "b.mp4", range(20, 180, 20), "mpeg4", size=(256, 256))
    assert np.array_equal(mouths(lrw, MODEL, box, 5), video.read_grey(lrw)[:, 115:211, 79:175])
    path = tmp_path / "box.pt"
    checkpoint.save(path, content_of(root) | {"region": box.model_dump()})
    assert transcribe(lrw, path, Path("absent.task"), 2, None).count("\n") > 3


def test_a_beam_of_one_is_greedy_decoding(weights):
    reader = read_model(weights)
    model = reader.model
    assert (reader.kernel, reader.stride, reader.region) == (5, 3, REGION) and not model.training
    assert reader.view == View(crop=64, shift=4, pool=2, flip=True, repeat=0.0, mean=0.5, std=0.2)
    seen = np.random.default_rng(0).integers(0, 256, (20, 64, 64), dtype=np.uint8)
    found = read_lips(model, reader.view, torch.from_numpy(seen), 1, 40)
    frames = torch.nn.functional.avg_pool2d(torch.tensor(seen)[None].float(), 2)
    with torch.no_grad():
        memory = model.encode((frames / 255 - 0.5) / 0.2, torch.tensor([20]))
        characters = greedy(model.decoder, memory, 40)
        logits, _ = model.decoder.unroll(memory, lambda u, _: characters[:, u], characters.shape[1])
    row = characters[0].tolist()
    assert found.characters == [row[: row.index(END) + 1] if END in row else row]
    best = logits.log_softmax(2).max(2).values[0, : len(found.characters[0])]
    assert found.scores[0] == pytest.approx(float(best.mean()), abs=1e-5)
    assert found.weights.shape == (len(found.characters[0]), 7)


def test_what_was_read_is_told_on_demand_and_where_it_was_a_choice(tmp_path, weights, face, capsys):
    one = write_video(tmp_path / "a.mp4", [90] * 9)
    transcribe(one, weights, MODEL, 1, None)
    assert capsys.readouterr().err == ""
    transcribe(one, weights, MODEL, 1, None, verbose=True)
    assert capsys.readouterr().err == (
        f"pcpg: {one}: stream 0: mpeg4, 64 x 48 pixels, 25.00 frames/s\npcpg: {one}: 9 frames taken, at 25 frames/s\n"
    )
    two = write_streams(tmp_path / "b.mp4", (16, 32, 9, 0), (48, 64, 9, 0))
    transcribe(two, weights, MODEL, 1, None)
    assert (
        "b.mp4: stream 1: mpeg4, 64 x 48 pixels, 25.00 frames/s; one of 2 films in this file" in capsys.readouterr().err
    )


@needs_faces
def test_two_faces_are_said(tmp_path, capsys):
    one = np.stack([*video.colour_clip(GRID / "s1/bbaf4p.mpg", 0, 0)])[:6]
    two = np.concatenate([one, one], axis=2)
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, options={"qscale": "2"})
        stream.height, stream.width, stream.pix_fmt = *two.shape[1:3], "yuv420p"
        for image in two:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    mouths(tmp_path / "a.mp4", MODEL, REGION, 5)
    assert "a.mp4: 2 faces in the picture; the lips of one of them are read" in capsys.readouterr().err


@needs_faces
def test_a_notebooks_display_does_not_matter(tmp_path, weights, monkeypatch):
    """`!pcpg` in a notebook inherits MPLBACKEND, and the package that it names is not installed here.

    Nor does a read-only home.
    """
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("HOME", "/proc")  # where nothing can be written
    arguments = (str(GRID / "s1/lrae3s.mpg"), "--checkpoint", "model.pt", "--landmark-model", str(MODEL))
    done = pcpg("transcribe", *arguments, "--show", "a.png", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "") and (tmp_path / "a.png").is_file()


def test_the_report():
    found = Transcriptions([[5, 3, 6, END], [END], [5, 6]], [-0.1234, -1.5, -12.0], np.zeros((4, 3)))
    lines = report(found).splitlines()
    assert lines[:6] == [
        "b c",
        "",
        "rank   score  text",
        "   1  -0.123  b c",
        "   2  -1.500  (nothing)",
        "   3 -12.000  bc...",
    ]
    assert lines[6:] == ["...: not at its end after 40 characters"]


def test_the_vocabulary_is_told():
    few = vocabulary(["bin", "blue"])
    assert few.startswith("vocabulary: 2 words,") and few.endswith("\n  bin blue") and "40 classes" in few
    many = vocabulary([f"w{number}" for number in range(500)])
    assert (
        many.startswith("vocabulary: 500 words,")
        and many.endswith(" w59 ...")
        and max(map(len, many.split("\n"))) < 120
    )


def test_the_whole_way(tmp_path, weights, face, capsys):
    path = write_video(tmp_path / "a.mp4", np.linspace(20, 230, 30), rate=30)
    texts = {transcribe(path, weights, MODEL, 3, tmp_path / f"out/a.{kind}") for kind in ("png", "GIF")}
    assert len(texts) == 1 and len(texts.pop().split("\n\n")[1].splitlines()) >= 4
    assert "30 frames at 30.00 frames/s; 25 taken" in capsys.readouterr().err
    with Image.open(tmp_path / "out/a.png") as image:
        assert image.format == "PNG" and image.width == round(7.16 * 300)
    with Image.open(tmp_path / "out/a.GIF") as image:
        assert image.format == "GIF" and 20 <= image.n_frames <= 25  # pictures that are equal become one
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["a.GIF", "a.png"]


def reading(frames=12, stride=3, characters=(5, 3, 6, END)):
    weights = np.full((4, 4), 0.1, np.float32)
    weights[[0, 1, 2, 3], [1, 3, 2, 3]] = 0.7
    pictures = np.random.default_rng(0).integers(0, 256, (frames, 64, 64), dtype=np.uint8)
    return show.Reading(pictures, list(characters), weights, stride, -0.5)


def test_characters_appear_where_attention_peaks_and_in_order():
    assert reading(characters=(5, 3, 6, END, PAD)).labels == ["b", " ", "c", "end", "pad"]
    assert reading().text == "b c"
    assert show.appearances(reading()).tolist() == [3, 9, 9, 9]
    assert show.appearances(reading(frames=8)).tolist() == [3, 7, 7, 7]  # all are there at the end


def test_the_animation_lasts_as_long_as_the_video(tmp_path):
    show.write_picture(tmp_path / "a.gif", reading())
    with Image.open(tmp_path / "a.gif") as image:
        durations = []
        for number in range(image.n_frames):
            image.seek(number)
            durations.append(image.info["duration"])
    assert durations == [40] * 11 + [show.HOLD]


def test_the_figure_puts_steps_at_their_seconds():
    from pcpg.report.figures.attention import draw_reading

    one = reading()
    heat, strip, _ = draw_reading(one.mouths, one.labels, one.weights, one.stride, "title").axes
    image = heat.images[0]
    assert image.get_extent() == pytest.approx([-0.04, 0.44, 3.5, -0.5])  # step 1 is around frame 3, 0.12 .. 0.16 s
    assert heat.get_xlim() == strip.get_xlim() == pytest.approx((0, 12 / 25))
    assert [label.get_text() for label in heat.get_yticklabels()] == ["b", "␣", "c", "end"]
    assert len(strip.images) == 12 and np.array_equal(strip.images[4].get_array(), one.mouths[4])


def test_drawing_is_the_same_bytes_again(tmp_path):
    for kind in ("png", "gif"):
        for name in "ab":
            show.write_picture(tmp_path / f"{name}.{kind}", reading())
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_a_disk_that_refuses_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"a\.png: cannot be written"):
        show.write_picture(tmp_path / "file" / "a.png", reading())


@needs_faces
def test_mouths_are_those_of_the_clips_stage(capsys):
    clip = Clip("s1/bbaf4p", "s1/bbaf4p.mpg", "s1", "test", "bin blue at f four please", -1, 0, 0)
    expected, _ = Cutter(GRID, Region(kind="landmarks", landmarks="mediapipe", size=96), MODEL).cut(clip)
    assert np.array_equal(mouths(GRID / "s1/bbaf4p.mpg", MODEL, REGION, 5), expected)
    assert capsys.readouterr().err == ""


@needs_faces
def test_a_real_video_in_the_shell(tmp_path, weights):
    arguments = (str(GRID / "s1/lrae3s.mpg"), "--checkpoint", "model.pt", "--landmark-model", str(MODEL), "--beam", "3")
    done = pcpg("transcribe", *arguments, "--show", "a.gif", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[2] == "rank   score  text" and [line.split()[0] for line in lines[3:6]] == ["1", "2", "3"]
    assert lines[3].removesuffix("...").endswith(f"  {lines[0]}")
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 74
