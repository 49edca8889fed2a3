import os
import re
import shlex
import subprocess
import sys
import types
from fractions import Fraction
from pathlib import Path

import matplotlib.colors
import numpy as np
import pandas as pd
import pytest
import torch
from made import HEADER, paths_of, put_history, results_of, settings_of, with_runs
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from PIL import Image

from pcpg.objectives.pseudo_conv import coverage, pseudo_convolve
from pcpg.objectives.rewards import returns
from pcpg.report.claims.claims import Comparison
from pcpg.report.claims.judge import SHOWN, Judged
from pcpg.report.figures import course, policy, strip, verdicts
from pcpg.report.figures import coverage as fig5
from pcpg.report.figures import learning as fig6
from pcpg.report.figures.style import house_style
from pcpg.report.figures.write import write_figure
from pcpg.report.formats import kernel_label
from pcpg.report.names import figure_names
from pcpg.report.paper import KERNELS
from pcpg.report.results import histories
from pcpg.report.results.stats import Estimate
from pcpg.report.runs import changes
from pcpg.settings import load as params
from pcpg.workspace.errors import InputError

# the coverage of the first steps, inside, and of the last steps, by hand
ENDS = {
    "k1s1": ("", "1", ""),
    "k5s5": ("", "1/5", ""),
    "k5s1": ("3/5 4/5", "1", "4/5 3/5"),
    "k2s1": ("1/2", "1", ""),
    "k3s1": ("2/3", "1", "2/3"),
    "k7s1": ("4/7 5/7 6/7", "1", "6/7 5/7 4/7"),
    "k3s1-w121": ("3/4", "1", "3/4"),
    "k3s1-w231": ("5/6", "1", "2/3"),
    "k3s1-w132": ("2/3", "1", "5/6"),
}
SEEDS = [1, 2]
ROOT = Path(__file__).parents[2]


def history(results, run, seed, points, corpus="grid"):
    """Write a history of (iteration, train_ce, val_ce, val_cer); the first row has no training loss, as in a run."""
    lines = []
    for epoch, (iteration, train, val, cer) in enumerate(points):
        lines.append(f"{iteration},{epoch},{train if epoch else ''},{train if epoch else ''},{val},{cer}")
    return put_history(results, corpus, run, seed, lines)


def write(base, name, seeds=SEEDS):
    write_figure(name, settings_of(seeds), paths_of(base))


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
    return pd.DataFrame({**dict.fromkeys(histories.COLUMNS, 0.0), **rows}).astype(float)


@pytest.mark.parametrize(
    ("cers", "iteration"),
    [([0.5, 0.102, 0.1, 0.3], 10), ([0.5, 0.1021, 0.1, 0.3], 20), ([0.1, 0.2], 0), ([0.5, 0.0, 0.0], 10)],
)
def test_converged_is_the_first_within_two_percent_of_the_best(cers, iteration):
    assert histories.convergence(frame(cers)) == iteration


def test_band_aligns_seeds_where_they_leave_the_baseline():
    first, second = frame([0.4, 0.2, 0.1], start=100), frame([0.2, 0.1], start=140)
    found = histories.band([first, second], "val_cer")
    assert found.iteration.tolist() == [120, 130]  # departures 100 and 140; the shorter seed ends the band
    np.testing.assert_allclose([found.mean, found.low, found.high], [[0.3, 0.15], [0.2, 0.1], [0.4, 0.2]])
    assert histories.mean_convergence([first, second]) == (120 + 150) / 2


def test_band_interpolates_between_evaluations_and_skips_gaps():
    fine, coarse = frame([0.4, 0.3, 0.2]), frame([0.8, np.nan, 0.4])
    assert histories.band([fine, coarse], "val_cer").high.tolist() == pytest.approx([0.8, 0.6, 0.4])
    assert histories.band([frame([np.nan, np.nan])], "val_cer") is None
    assert histories.band([frame([0.4, np.nan]), frame([np.nan, 0.4])], "val_cer") is None  # nothing in common


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
    path = paths_of(results).history("grid", "ce", 1)
    path.write_text(text)
    with pytest.raises(InputError, match=problem) as error:
        write(results, "fig6_grid")
    assert str(error.value).startswith(str(path))


def drawn(axes):
    """The curves of a panel: (colour, line style) -> (iterations, values)."""
    lines = [line for line in axes.lines if line.get_label() == fig6.CURVE]
    return {(line.get_color(), line.get_linestyle()): line.get_data() for line in lines}


def test_fig6_draws_the_means(results):
    figure = fig6.draw_learning_curves("grid", results_of(results, SEEDS))
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
    figure = fig6.draw_learning_curves("lrw", results_of(results, SEEDS))
    assert [axes.texts[0].get_text() for axes in figure.axes if axes.get_visible()] == ["not run", "not run"]
    assert all("not run" in text.get_text() for text in figure.legends[0].get_texts()[:3])
    write(results, "fig6_lrw")


def test_fig6_survives_a_perfect_model(results):
    for seed in SEEDS:
        history(results, "ce", seed, [(10, 1, 1, 0.5), (20, 0.1, 0.1, 0.01), (30, 0.0, 0.0, 0.0)])
    write(results, "fig6_grid")
    history(results, "k1s1", 1, [(10, 0.0, 0.0, 0.0), (20, 0.0, 0.0, 0.0)], corpus="lrw")
    write(results, "fig6_lrw")


def spread(ends, steps=fig5.STEPS):
    """The coverage of every step, from that of the first steps, inside, and of the last steps."""
    first, inside, last = ([Fraction(weight) for weight in part.split()] for part in ends)
    return first + inside * (steps - len(first) - len(last)) + last


def parameter_files():
    presets = [path for path in sorted((ROOT / "presets").glob("*.yaml")) if ".tuning" not in path.name]
    return [*presets, ROOT / "params.yaml", ROOT / "tests" / "smoke.params.yaml"]


@pytest.mark.parametrize("file", parameter_files(), ids=lambda file: file.stem)
def test_runs_have_the_kernels_that_their_names_say(file):
    settings, seen = params.load(file), set()
    for corpus in settings.corpus_names:
        for name, run in settings.runs[corpus].items():
            if name in KERNELS:
                keys = run.objective["pcpg"]
                assert (tuple(map(Fraction, map(str, keys["kernel"]))), keys["stride"]) == KERNELS[name], (corpus, name)
                assert (keys["convolve"], keys["padding"]) == ("loss", "same"), (corpus, name)
                seen.add(name)
    assert {"k1s1", "k5s1"} <= seen
    assert file.stem != "params" or seen == set(KERNELS)


@pytest.mark.parametrize("file", parameter_files(), ids=lambda file: file.stem)
def test_controls_differ_from_k1s1_in_lambda_alone(file):
    settings = params.load(file)
    for corpus in settings.corpus_names if settings.preset != "smoke" else ["grid"]:
        runs = settings.runs[corpus]
        if "k1s1-scaled" not in runs:
            assert settings.preset == "grid-s1-objectives"  # is about what is minimised, not about windows
            continue
        plain, scaled, further = (runs[name] for name in ("k1s1", "k1s1-scaled", "ce-continued"))
        assert set(changes(scaled, plain)) == {"lambda_pg"} and set(changes(runs["k5s5"], plain)) == {
            "kernel",
            "stride",
        }
        assert further.objective["cross_entropy"] == plain.objective["pcpg"]["cross_entropy"]
        for run in (scaled, further, runs["k5s5"]):
            assert (run.start, run.optimisation) == (plain.start, plain.optimisation)
        # lambda' / (1 - lambda') = (lambda / 5) / (1 - lambda)
        ours, base = (Fraction(str(run.objective["pcpg"]["lambda_pg"])) for run in (scaled, plain))
        assert ours * (1 - base) == base / 5 * (1 - ours) > 0


@pytest.mark.parametrize(("margin", "bands"), [(0.0, 1), (1.0, 0)])
def test_a_comparison_within_a_margin_has_no_band_of_differences_too_small_to_find(margin, bands):
    pair = Comparison("grid", "k5s1", "k1s1", "wer", margin=margin)
    axes = Figure().subplots()
    verdicts._row(axes, 0, Judged(pair, Estimate(-1.0, 0.1, 0.0, 3, 240), outcome=SHOWN), limit=9)
    assert len(axes.collections) == bands


def test_coverage_by_hand():
    for run in KERNELS:
        assert fig5.covered(run) == spread(ENDS[run]), run
    assert fig5.covered("k5s5", 7) == [Fraction(1, 5)] * 7


def test_fig5_draws_the_coverage_of_every_run():
    figure = fig5.draw_coverage()
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes[1:]}
    assert list(panels) == [kernel_label(*KERNELS[run]) for run in KERNELS]
    for run in KERNELS:
        axes = panels[kernel_label(*KERNELS[run])]
        heights = [Fraction(bar.get_height()).limit_denominator(100) for bar in axes.patches]
        assert heights == spread(ENDS[run])
        assert [text.get_text() for text in axes.texts] == list(ENDS[run])
        full = [matplotlib.colors.same_color(bar.get_facecolor(), fig5.WHOLE) for bar in axes.patches]
        assert full == [height == 1 for height in heights]
    assert panels["k=3, s=1"].get_title(loc="right") == "Tables IIa, IIb"
    assert panels["k=5, s=5"].get_title(loc="right") == "Table I"
    assert panels["k=3, s=1, w=[1/6, 1/2, 1/3]"].get_title(loc="right") == "Table IIb"


def test_fig5_draws_the_windows():
    """Three drawings: boxes of step losses, of windows inside the sentence, and outside it (dotted)."""
    boxes = [patch for patch in fig5.draw_coverage().axes[0].patches if patch.get_height() == patch.get_width() == 1]
    inside = [box for box in boxes if matplotlib.colors.same_color(box.get_facecolor(), fig5.WINDOW)]
    outside = [box for box in boxes if box.get_linestyle() == ":"]
    # k=5, s=1: 7 windows of 5, six boxes outside; k=5, s=5: 2 windows, three outside; k=2, s=1: 7 windows, one outside
    assert len(inside) == (35 - 6) + (10 - 3) + (14 - 1)
    assert len(outside) == (6 + 4) + (3 + 3) + (1 + 1)
    texts = [text.get_text() for text in fig5.draw_coverage().axes[0].texts]
    assert [texts.count(text) for text in ("$L_7$", "$L'_1$", "$L'_2$", "$L'_7$", "•")] == [3, 3, 3, 2, 14]
    assert [text for text in texts if re.fullmatch(r"\d|\d/\d", text) and text != "0"] == (
        ["3/5", "4/5", "1", "4/5", "3/5", "1/5", "1/2", "1"]
    )


def test_an_even_window_reaches_one_step_further_behind_u():
    half = Fraction(1, 2)
    assert fig5.windows("k2s1", 3) == [[half, half, 0], [0, half, half], [0, 0, half]]


def test_fig5_can_be_read():
    with house_style():
        figure = fig5.draw_coverage()
        figure.draw_without_rendering()
        texts = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
        assert min(text.get_fontsize() for text in texts) >= 7
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    for place, (one, box) in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1, one
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1, one
        assert not [other for other, its in boxes[place + 1 :] if box.overlaps(its)], one


def test_fig5_needs_no_results_and_other_figures_no_torch(tmp_path):
    write(tmp_path, "fig5_coverage")
    with Image.open(paths_of(tmp_path).figures / "fig5_coverage.png") as image:
        assert image.size[0] == 7.16 * 300
    command = "import sys, pcpg.report.figures.write; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", command], check=True)


@pytest.fixture(scope="module")
def page():
    """docs/collapse.md: the rows of its table of coverage, by run."""
    text = (ROOT / "docs" / "collapse.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return text, {row[0]: row[1:] for row in rows if row[0] in KERNELS}


def test_the_page_on_the_collapse_has_the_numbers_of_the_code(page):
    _, table = page
    assert list(table) == list(KERNELS)
    for run, (places, k, s, w, *ends, effective) in table.items():
        kernel, stride = KERNELS[run]
        assert places == ", ".join(name for name, rows in fig5.TABLES.items() if run in rows)
        assert (int(k), int(s), [Fraction(weight) for weight in w.split()]) == (len(kernel), stride, list(kernel))
        found = coverage(24, torch.tensor([float(weight) for weight in kernel], dtype=torch.float64), stride)
        assert found.tolist() == pytest.approx([float(weight) for weight in spread(ends, 24)]), run
        inside = Fraction(ends[1]) / 2
        assert Fraction(effective) == inside / (inside + Fraction(1, 2))


def test_the_pages_command_prints_the_pages_numbers(page):
    text, table = page
    (command,) = re.findall(r"```sh\npython (.*)\n```", text)
    done = subprocess.run([sys.executable, *shlex.split(command)], capture_output=True, text=True, check=True)
    printed = {
        run: [Fraction(weight) for weight in weights] for run, *weights in map(str.split, done.stdout.splitlines())
    }
    assert printed == {run: spread(row[4:7], 24) for run, row in table.items()}


def test_the_pages_short_words(page):
    text, _ = page
    said = (
        "4/5 of one step's weight in all, the end symbol left out: 3 % of 23 characters, but 13 % of the six of a word"
    )
    assert said in " ".join(text.split())
    for discount in ("end", "step"):  # the end symbol earns nothing
        assert returns(torch.tensor([[1, 1, 0]]), torch.tensor([3]), 0.95, discount)[0, 2] == 0
    lost = {characters: characters - sum(fig5.covered("k5s1", characters + 1)[:-1]) for characters in (6, 23)}
    assert set(lost.values()) == {Fraction(4, 5)}
    assert [round(100 * weight / characters) for characters, weight in lost.items()] == [13, 3]
    assert fig5.covered("k5s1", 3) == [Fraction(3, 5)] * 3


def test_convolving_the_return_makes_a_ramp_of_the_rewards_reach(page):
    """What docs/collapse.md says of `convolve: return`: the weight of r_i in R'_u, for k = 5."""
    text, _ = page
    assert "of r_i the step i + 2 gets 1/5, i + 1 gets 2/5, i itself 3/5, i − 1 gets 4/5" in " ".join(text.split())
    steps, earned = 12, 7
    reward = torch.nn.functional.one_hot(torch.tensor([earned]), steps)
    future = returns(reward, torch.tensor([steps]), 0.5, "end")
    assert future[0, : earned + 1].unique().tolist() == [0.5 ** (steps - 1 - earned)]
    smoothed = pseudo_convolve(future, torch.full((5,), 0.2))[0] / future[0, 0]
    wanted = [0.6, 0.8, *[1.0] * 4, 0.8, 0.6, 0.4, 0.2, 0.0, 0.0]
    assert smoothed.tolist() == pytest.approx(wanted)


@pytest.fixture
def clips(tmp_path, monkeypatch):
    """Clip stores of grid (75 frames, frame t is grey t) and lrw1000 (5 frames), of a stand-in for ClipStore."""
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

    monkeypatch.setattr(strip, "ClipStore", ClipStore)
    for corpus in rows:
        paths_of(tmp_path).clips(corpus).mkdir(parents=True)
        (paths_of(tmp_path).clips(corpus) / "store.json").write_text("{}")
    rows["empty"] = ["train"]
    return tmp_path / "clips" / "mini"


def test_strip_shows_a_test_clip_of_each_store_from_end_to_end(clips):
    figure = strip.draw_strips({name: clips / name for name in ("grid", "lrw", "lrw1000")})
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["“grid 1”", "“lrw1000 0”"]
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["GRID, 12 of 75 frames", "LRW-1000, 5 of 5 frames"]
    shown = [axes.images[0].get_array()[0, :: 96 + strip.GAP].tolist() for axes in figure.axes]
    assert shown == [[0, 7, 13, 20, 27, 34, 40, 47, 54, 61, 67, 74], [0, 1, 2, 3, 4, *[255] * 7]]


def test_strip_needs_clips(clips, tmp_path):
    with pytest.raises(InputError, match="no clip store"):
        write(tmp_path / "nowhere", "strip")
    with pytest.raises(InputError, match="no test clip"):
        strip.first_test_clip(clips / "empty")


@pytest.mark.parametrize("name", ["fig5_coverage", "fig6_grid", "strip"])
def test_same_input_same_bytes_and_no_traces(results, clips, name):
    folder, written = paths_of(results).figures, []
    for _ in range(2):
        write(results, name)
        matplotlib.rcParams["axes.facecolor"] = "yellow"  # a user's own settings must not show
        written.append([(folder / f"{name}.{suffix}").read_bytes() for suffix in ("png", "svg")])
    matplotlib.rcdefaults()
    assert written[0] == written[1]
    for content in written[0]:
        assert b"atplotlib v" not in content
        assert b"<dc:date>" not in content
    assert sorted(path.name for path in folder.iterdir()) == [f"{name}.png", f"{name}.svg"]
    with Image.open(folder / f"{name}.png") as image:
        assert "Software" not in image.info


def test_the_layouts_last_bits_do_not_show(results, monkeypatch):
    """Where the solver finds its objects in memory decides them: 16 of 60 drawings named other clip paths."""
    lay_out = ConstrainedLayoutEngine.execute

    def elsewhere(engine, figure):
        lay_out(engine, figure)
        for axes in figure.axes:
            axes._set_position([share + 1e-15 for share in axes.get_position(original=True).bounds], which="original")

    written = []
    for execute in (lay_out, elsewhere):
        monkeypatch.setattr(ConstrainedLayoutEngine, "execute", execute)
        write(results, "fig6_grid")
        written.append((paths_of(results).figures / "fig6_grid.svg").read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "no such backend"])
def test_figures_need_no_display(tmp_path, root, backend):
    """A notebook sets a backend for its own processes, which hand it on; the package that it names is not here."""
    command = (
        "import sys; from pathlib import Path; from pcpg.settings.load import load; "
        "from pcpg.workspace.paths import Paths; from pcpg.report.figures.write import write_figure; "
        "write_figure('fig6_grid', load('params.yaml'), Paths('mini', Path(sys.argv[1])))"
    )
    environment = os.environ | {"MPLBACKEND": backend}
    subprocess.run([sys.executable, "-c", command, str(tmp_path)], check=True, cwd=root, env=environment)
    assert (paths_of(tmp_path).figures / "fig6_grid.png").is_file()


def test_fig6_draws_another_run_of_the_preset(results):
    settings = settings_of(SEEDS)
    settings = with_runs(settings, "grid", mine=settings.runs["grid"]["k1s1"])
    history(results, "mine", 1, [(100, 0.3, 0.4, 0.06), (120, 0.2, 0.3, 0.05)])
    figure = fig6.draw_learning_curves("grid", results_of(results, SEEDS, runs=settings.runs))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[3:5] == ["ce-continued (not run)", "mine (1 of 2 seeds)"]
    colours = {colour for colour, _ in drawn(figure.axes[0])}
    assert colours == {style[1] for style in fig6.STYLES.values()} | {fig6.COLOURS[1]}  # ce-continued has the first


def test_every_run_has_a_look_of_its_own():
    """As far as there are colours and markers, whatever looks the paper's runs have in that figure."""
    for given in (fig6.STYLES, policy.RUNS):
        looks = [look[1:3] for look in fig6.styles_of(given, ["a", "b", "c"]).values()]
        for values in zip(*looks, strict=True):
            assert len(set(values)) == len(given) + 3


def test_a_run_that_was_stopped_has_not_converged(results):
    settings = settings_of(SEEDS)
    run = settings.runs["grid"]["ce"]
    early = run.model_copy(update={"optimisation": run.optimisation.model_copy(update={"stop": 0.084})})
    figure = fig6.draw_learning_curves(
        "grid", results_of(results, SEEDS, runs=with_runs(settings, "grid", ce=early).runs)
    )
    _, green, red = (style[1] for style in fig6.STYLES.values())
    rules = {line.get_color() for line in figure.axes[2].lines if line.get_label() != fig6.CURVE}
    assert rules == {green, red}


def test_runs_that_converge_together_show_each_other(results):
    """The dashes of their lines take turns: at the common iteration each colour covers as much of the panel."""
    for run in ("ce-continued", "k1s1", "k5s1"):
        for seed in SEEDS:
            history(results, run, seed, [(100, 0.3, 0.4, 0.06), (120, 0.3, 0.4, 0.05), (140, 0.3, 0.4, 0.06)])
    figure = fig6.draw_learning_curves("grid", results_of(results, SEEDS))
    figure.set_dpi(300)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[::-1, :, :3].astype(int)
    bottom = figure.axes[2]
    rules = [line for line in bottom.lines if line.get_label() != fig6.CURVE and line.get_xdata()[0] == 120]
    assert len(rules) == 3
    column = pixels[:, round(bottom.transData.transform((120, 1))[0])]
    low, high = (round(edge) for edge in (bottom.bbox.y0, bottom.bbox.y1))
    found = [abs(column[low:high] - 255 * np.array(matplotlib.colors.to_rgb(line.get_color()))) for line in rules]
    shares = [(distance.max(axis=1) < 40).mean() for distance in found]
    assert shares == pytest.approx([1 / 4] * 3, abs=0.06)  # the fourth is cross-entropy, which converged elsewhere


def test_fig6_from_scratch_draws_the_runs_that_start_there(results):
    history(results, "k1s1-scratch", 1, [(10, 3, 4, 0.6), (20, 2, 3, 0.5)])
    figure = fig6.draw_learning_curves("grid", results_of(results, SEEDS), scratch=True)
    assert [text.get_text() for text in figure.legends[0].get_texts()][:3] == [
        "cross-entropy (n = 2)", "k = 1, s = 1 (1 of 2 seeds)", "k = 5, s = 1 (not run)",
    ]  # fmt: skip


def test_style_fits_two_columns(results):
    write(results, "fig6_grid")
    with Image.open(paths_of(results).figures / "fig6_grid.png") as image:
        assert image.size[0] == 7.16 * 300
    with house_style():
        figure = fig6.draw_learning_curves("grid", results_of(results, SEEDS))
        figure.draw_without_rendering()
        assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 7


def test_colours_are_blue_green_and_red():
    strongest = [int(np.argmax(matplotlib.colors.to_rgb(style[1]))) for style in fig6.STYLES.values()]
    assert strongest == [2, 1, 0]
    assert len({style[2] for style in fig6.STYLES.values()}) == 3  # markers, for grey prints


def test_unknown_figure(tmp_path):
    with pytest.raises(InputError, match="fig7"):
        write(tmp_path, "fig7")


def test_every_figure_that_is_known_can_be_named():
    """What a parameter file may name is what the code draws or describes."""
    assert len(set(figure_names(["grid", "lrw"]))) == 5 + 2 * 7


def test_the_course_is_the_paired_difference():
    """Two seeds, validated at other updates: straight lines between, where all four go."""
    frames = [
        [pd.DataFrame({"iteration": [0.0, 10, 20], "val_cer": [1.0, cer, 0.1]}) for cer in (0.5, 0.3)],
        [pd.DataFrame({"iteration": [0.0, 20, 40], "val_cer": [1.0, 0.6, 0.2]}) for _ in range(2)],
    ]
    updates, differences = course.paired(*frames)
    assert updates.tolist() == [0, 10, 20]
    assert differences == pytest.approx(np.array([[0, 0.5 - 0.8, 0.1 - 0.6], [0, 0.3 - 0.8, 0.1 - 0.6]]))
