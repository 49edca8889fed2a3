import matplotlib.colors
import numpy as np
import pytest
import torch

from pcpg.mouths.store import ClipStore
from pcpg.reader import batches, checkpoint
from pcpg.reader.attention import attend
from pcpg.reader.network import LipReader
from pcpg.reader.text import END, PAD, encode
from pcpg.report.figures import attention_maps
from pcpg.report.figures.reading import Reading
from pcpg.report.figures.style import house_style
from pcpg.report.figures.write import write_figure
from pcpg.settings import load as params
from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths
from tests.conftest import REGION

SEEDS = [3, 4]


def untrained(path, number, settings):
    """A checkpoint of random weights that write a few characters and stop."""
    view, network = settings.view["grid"].model_dump(), settings.network["grid"].model_dump()
    torch.manual_seed(number)
    model = LipReader(**network)
    with torch.no_grad():
        model.decoder.output.weight.mul_(20)  # decided
        model.decoder.output.bias[:2] = -1e3  # no padding, no begin
    content = {"view": view, "network": network, "model": model.state_dict(), "mean": 0.5, "std": 0.25, "iteration": 1}
    checkpoint.save(path, content | {"region": REGION.model_dump(), "words": []})


@pytest.fixture
def places(toy):
    """Settings and paths, with two lip-readers of seed 3 and none of seed 4."""
    settings, paths = params.load(toy / "params.yaml").model_copy(update={"seeds": SEEDS}), Paths("smoke", toy)
    for number, run in enumerate(attention_maps.RUNS):
        untrained(paths.weights("grid", run, 3), number, settings)
    return settings, paths


def draw(places, seeds=SEEDS):
    settings, paths = places
    with house_style():
        return attention_maps.draw_attention_maps("grid", settings.model_copy(update={"seeds": seeds}), paths)


def maps(figure):
    """The heat maps, from left to right."""
    return [axes for axes in figure.axes if axes.get_xlabel()]


def test_weights_are_those_of_the_decoder_on_its_own_reading(places):
    settings, paths = places
    store = ClipStore(paths.clips("grid"))
    row = store.select("test")[0]
    for run, axes in zip(attention_maps.RUNS, maps(draw(places)), strict=True):
        content = checkpoint.load(paths.weights("grid", run, 3))
        model, view = checkpoint.restore(content, torch.device("cpu"))
        model.eval()
        batch = batches.collate(store, [row], view, torch.device("cpu"))
        with torch.no_grad():
            memory = model.encode(batch.frames, batch.lengths)
            _, characters = model.decoder.unroll(memory, lambda u, logits: logits.argmax(dim=1), settings.max_length)
        (image,) = axes.images
        np.testing.assert_allclose(image.get_array(), attend(model.decoder, memory, characters)[0], atol=1e-6)
        shown = [label.get_text().replace("␣", " ") for label in axes.get_yticklabels()]
        assert shown == Reading(None, characters[0].tolist(), None, 3, 0.0).labels


def test_both_maps_share_one_scale_and_the_time_of_the_clip(places):
    _, paths = places
    store = ClipStore(paths.clips("grid"))
    frames = store.index[store.select("test")[0]].frames
    figure = draw(places)
    found = maps(figure)
    highest = max(float(axes.images[0].get_array().max()) for axes in found)
    for axes in found:
        assert axes.images[0].get_clim() == (0, highest)
        assert axes.get_xlim() == (0, frames / 25)
    assert figure.axes[-1].get_ylabel() == "attention"


def test_the_strip_has_the_pixels_that_the_model_sees(places):
    _, paths = places
    store = ClipStore(paths.clips("grid"))
    clip = store[store.select("test")[0]]
    strips = [axes for axes in draw(places).axes if len(axes.images) == attention_maps.FRAMES]
    assert len(strips) == 2
    for axes in strips:
        for image in axes.images:
            left, right, *_ = image.get_extent()
            frame = int(25 * (left + right) / 2 + 1e-9)
            np.testing.assert_array_equal(image.get_array(), clip[frame, 16:80, 16:80])
    assert strips[0].get_title(loc="left").startswith("cross-entropy: “")
    assert strips[1].get_title(loc="left").startswith("k = 5, s = 1: “")


@pytest.mark.parametrize(
    ("said", "text", "expected"),
    [
        ("at a", "at a", set()),
        ("at a", "at j", {3}),
        ("at a", "at ab", {4}),
        ("at a", "t a", set()),  # what is left out has no row
        ("bin", "", set()),
    ],
)
def test_wrong_characters(said, text, expected):
    assert attention_maps.wrong(said, text) == expected


def test_wrong_characters_are_bold(places, monkeypatch):
    written = [PAD, *encode("set rod"), END]  # a model may write what is no character
    reading = Reading(np.zeros((30, 64, 64), np.uint8), written, np.full((9, 10), 0.1), 3, 0.0)
    monkeypatch.setattr(attention_maps, "read_first_clip", lambda *_: ("set red", {"ce": reading, "k5s1": None}))
    (axes,) = maps(draw(places))
    ticks = axes.get_yticklabels()
    assert [tick.get_text() for tick in ticks] == ["pad", "s", "e", "t", "␣", "r", "o", "d", "end"]
    assert [tick.get_fontweight() == "bold" for tick in ticks] == [number == 6 for number in range(9)]
    assert matplotlib.colors.same_color(ticks[6].get_color(), attention_maps.WRONG)


def test_a_run_without_weights_is_named(places):
    places[1].weights("grid", "k5s1", 3).unlink()
    figure = draw(places)
    assert len(maps(figure)) == 1
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts == ["not run"]
    figure = draw(places, seeds=[4])
    assert [text.get_text() for axes in figure.axes for text in axes.texts] == ["not run", "not run"]


def test_says_what_it_needs(places):
    with pytest.raises(InputError, match="clips/smoke/lrw"):
        write_figure("attention_lrw", *places)


def test_same_input_same_bytes(places):
    written = []
    for _ in range(2):
        write_figure("attention_grid", *places)
        written.append([(places[1].figures / f"attention_grid.{s}").read_bytes() for s in ("png", "svg")])
    assert written[0] == written[1]


def test_no_text_is_small_or_outside(places):
    from matplotlib.text import Text

    page = draw(places)
    with house_style():
        page.draw_without_rendering()
        texts = [text for text in page.findobj(Text) if text.get_text().strip() and text.get_visible()]
        assert min(text.get_fontsize() for text in texts) >= 7
        for text in texts:
            box = text.get_window_extent()
            assert page.bbox.y0 <= box.y0 < box.y1 <= page.bbox.y1, text.get_text()
