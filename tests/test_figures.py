import sys
import types

import matplotlib.colors
import matplotlib.style
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from PIL import Image

from pcpg.errors import InputError
from pcpg.report import curves, fig6, figures, strip

HEADER = "iteration,epoch,train_loss,train_ce,val_ce,val_cer"
SEEDS = [1, 2]


def history(results, run, seed, points, corpus="grid"):
    """Write a history of (iteration, train_ce, val_ce, val_cer); the first row has no training loss, as in a run."""
    lines = [HEADER]
    for epoch, (iteration, train, val, cer) in enumerate(points):
        lines.append(f"{iteration},{epoch},{train if epoch else ''},{train if epoch else ''},{val},{cer}")
    path = results / "runs" / corpus / run / f"seed{seed}" / "history.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def results(tmp_path):
    for seed in SEEDS:
        fall = [(i, 30 / i, 40 / i, 5 / i + seed / 100) for i in range(10, 101, 10)]
        history(tmp_path, "ce", seed, fall)
        leave = [(100 + i, 0.3 - i / 1000, 0.4 - i / 1000, 0.06 - i / 4000) for i in range(0, 51, 10)]
        history(tmp_path, "k1s1", seed, leave)
    history(tmp_path, "k5s1", 2, [(100, 0.3, 0.4, 0.06), (110, 0.25, 0.35, 0.05)])
    return tmp_path


def frame(cers, start=0):
    rows = {"iteration": range(start, start + 10 * len(cers), 10), "val_cer": cers}
    return pd.DataFrame({**dict.fromkeys(curves.COLUMNS, 0.0), **rows}).astype(float)


@pytest.mark.parametrize(
    ("cers", "iteration"),
    [([0.5, 0.102, 0.1, 0.3], 10), ([0.5, 0.1021, 0.1, 0.3], 20), ([0.1, 0.2], 0), ([0.5, 0.0, 0.0], 10)],
)
def test_converged_is_the_first_within_two_percent_of_the_best(cers, iteration):
    assert curves.converged(frame(cers)) == iteration


def test_band_aligns_seeds_where_they_leave_the_baseline():
    first, second = frame([0.4, 0.2, 0.1], start=100), frame([0.2, 0.1], start=140)
    found = curves.band([first, second], "val_cer")
    assert found.iteration.tolist() == [120, 130]  # departures 100 and 140; the shorter seed ends the band
    np.testing.assert_allclose([found.mean, found.low, found.high], [[0.3, 0.15], [0.2, 0.1], [0.4, 0.2]])
    assert curves.mean_convergence([first, second]) == (120 + 150) / 2


def test_band_interpolates_between_evaluations_and_skips_gaps():
    fine, coarse = frame([0.4, 0.3, 0.2]), frame([0.8, np.nan, 0.4])
    assert curves.band([fine, coarse], "val_cer").high.tolist() == pytest.approx([0.8, 0.6, 0.4])
    assert curves.band([frame([np.nan, np.nan])], "val_cer") is None
    assert curves.band([frame([0.4, np.nan]), frame([np.nan, 0.4])], "val_cer") is None  # nothing in common


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "No columns"),
        ("iteration,epoch\n1,2\n", "val_cer"),
        (f"{HEADER}\n1,0,1,1,1,x\n", "x"),
        (f"{HEADER}\n2,0,1,1,1,1\n1,0,1,1,1,1\n", "increase"),
        (f"{HEADER}\n1,0,1,1,1,\n", "no evaluation"),
        (f"{HEADER}\n", "no evaluation"),
    ],
)
def test_malformed_history_names_the_file(results, text, problem):
    path = results / "runs" / "grid" / "ce" / "seed1" / "history.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=problem) as error:
        figures.write("fig6_grid", results, results / "out", SEEDS)
    assert str(error.value).startswith(str(path))


def drawn(axes):
    """The curves of a panel: (colour, line style) -> (iterations, values)."""
    lines = [line for line in axes.lines if line.get_label() == fig6.CURVE]
    return {(line.get_color(), line.get_linestyle()): line.get_data() for line in lines}


def test_fig6_draws_the_means(results):
    figure = fig6.draw("grid", results, SEEDS)
    top, _, bottom, closer = figure.axes
    assert set(drawn(closer)) == {(style[1], "--") for style in fig6.STYLES.values()}
    assert closer.get_xlim() == pytest.approx((88, 156))  # the branches run from 100 to 150
    blue, green, red = (style[1] for style in fig6.STYLES.values())
    assert set(drawn(top)) == {(colour, style) for colour in (blue, green, red) for style in ("-", "--")}
    iterations, cer = drawn(bottom)[blue, "--"]
    assert iterations.tolist() == list(range(10, 101, 10))
    np.testing.assert_allclose(cer, [100 * (5 / i + 0.015) for i in range(10, 101, 10)])
    assert drawn(top)[blue, "-"][0][0] == 20  # the first row has no training loss
    rules = {line.get_color(): line.get_xdata()[0] for line in bottom.lines if line.get_label() != fig6.CURVE}
    assert rules == {blue: 100, green: 150, red: 110}
    assert bottom.get_yscale() == "log"
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[:3] == ["cross-entropy (n = 2)", "k = 1, s = 1 (n = 2)", "k = 5, s = 1 (1 of 2 seeds)"]


def test_fig6_without_runs_says_so(results):
    figure = fig6.draw("lrw", results, SEEDS)
    assert [axes.texts[0].get_text() for axes in figure.axes if axes.get_visible()] == ["not run", "not run"]
    assert all("not run" in text.get_text() for text in figure.legends[0].get_texts()[:3])
    figures.write("fig6_lrw", results, results / "out", SEEDS)


def test_fig6_survives_a_perfect_model(results):
    for seed in SEEDS:
        history(results, "ce", seed, [(10, 1, 1, 0.5), (20, 0.1, 0.1, 0.01), (30, 0.0, 0.0, 0.0)])
    figures.write("fig6_grid", results, results / "out", SEEDS)
    history(results, "k1s1", 1, [(10, 0.0, 0.0, 0.0), (20, 0.0, 0.0, 0.0)], corpus="lrw")
    figures.write("fig6_lrw", results, results / "out", SEEDS)


@pytest.fixture
def clips(tmp_path, monkeypatch):
    """Clip stores of grid (75 frames, frame t is grey t) and lrw1000 (5 frames), behind a stand-in for pcpg.store."""
    rows = {"grid": ["train", "test", "test"], "lrw1000": ["test"]}
    lengths = {"grid": 75, "lrw1000": 5}

    class ClipStore:
        def __init__(self, folder):
            self.name = folder.name
            names = enumerate(rows[self.name])
            self.index = [types.SimpleNamespace(split=split, text=f"{self.name} {i}") for i, split in names]

        def select(self, split):
            return [i for i, row in enumerate(self.index) if row.split == split]

        def __getitem__(self, index):
            return np.tile(np.arange(lengths[self.name], dtype=np.uint8)[:, None, None], (1, 96, 96))

    monkeypatch.setitem(sys.modules, "pcpg.store", types.SimpleNamespace(ClipStore=ClipStore))
    for corpus in rows:
        (tmp_path / "clips" / corpus).mkdir(parents=True)
    rows["empty"] = ["train"]
    return tmp_path / "clips"


def test_strip_shows_a_test_clip_from_end_to_end(clips):
    found = strip.read(clips / "grid", "grid")
    assert (found.text, found.total, len(found.frames)) == ("grid 1", 75, strip.FRAMES)
    assert found.frames[:, 0, 0].tolist() == found.numbers.tolist() == [0, 7, 13, 20, 27, 34, 40, 47, 54, 61, 67, 74]
    assert strip.read(clips / "lrw1000", "lrw1000").numbers.tolist() == [0, 1, 2, 3, 4]


def test_strip_has_a_row_for_each_store(clips):
    figure = strip.draw(clips)
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["“grid 1”", "“lrw1000 0”"]
    pixels = figure.axes[1].images[0].get_array()
    assert pixels[0, 4 * (96 + strip.GAP)] == 4
    assert pixels[0, 5 * (96 + strip.GAP)] == 255


def test_strip_needs_clips(clips, tmp_path):
    with pytest.raises(InputError, match="no clip store"):
        figures.write("strip", tmp_path, tmp_path, SEEDS, tmp_path / "nowhere")
    with pytest.raises(InputError, match="clip stores"):
        figures.write("strip", tmp_path, tmp_path, SEEDS)
    with pytest.raises(InputError, match="no test clip"):
        strip.read(clips / "empty", "grid")


@pytest.mark.parametrize("name", ["fig6_grid", "strip"])
def test_same_input_same_bytes_and_no_traces(results, clips, name):
    for folder in ("a", "b"):
        figures.write(name, results, results / folder, SEEDS, clips)
        matplotlib.rcParams["axes.facecolor"] = "yellow"  # a user's own settings must not show
    matplotlib.rcdefaults()
    for suffix in ("png", "svg"):
        first = (results / "a" / f"{name}.{suffix}").read_bytes()
        assert first == (results / "b" / f"{name}.{suffix}").read_bytes()
        assert b"atplotlib v" not in first
        assert b"<dc:date>" not in first
    assert sorted(path.name for path in (results / "a").iterdir()) == [f"{name}.png", f"{name}.svg"]
    with Image.open(results / "a" / f"{name}.png") as image:
        assert "Software" not in image.info


def test_style_fits_two_columns(results):
    figures.write("fig6_grid", results, results / "out", SEEDS)
    with Image.open(results / "out" / "fig6_grid.png") as image:
        assert image.size[0] == 7.16 * 300
    with matplotlib.style.context(figures.STYLE, after_reset=True):
        figure = fig6.draw("grid", results, SEEDS)
        figure.draw_without_rendering()
        assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 7


def test_colours_are_blue_green_and_red():
    strongest = [int(np.argmax(matplotlib.colors.to_rgb(style[1]))) for style in fig6.STYLES.values()]
    assert strongest == [2, 1, 0]
    assert len({style[2] for style in fig6.STYLES.values()}) == 3  # markers, for grey prints


def test_unknown_figure(tmp_path):
    with pytest.raises(InputError, match="fig7"):
        figures.write("fig7", tmp_path, tmp_path, SEEDS)
