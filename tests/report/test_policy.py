import re

import numpy as np
import pytest
from made import HEADER, paths_of, put_history, results_of, settings_of, with_runs
from matplotlib.text import Text

from pcpg.report.figures import policy
from pcpg.report.figures.style import house_style
from pcpg.report.figures.write import write_figure
from pcpg.report.results import histories

SEEDS = [1, 2]
OLD = HEADER
NEW = f"{OLD},train_reward,train_entropy,train_gradient_norm,train_gradient_norm_sd"
REWARD, ENTROPY, NORM, RELATIVE = range(4)  # panels


def history(results, run, seed, start, points, header=NEW):
    """A history that leaves the baseline at `start`: every 10 updates reward, entropy, norm and its deviation."""
    lines = [f"{start},0,,,0.2,0.1{',,,,' if header == NEW else ''}"]
    for number, point in enumerate(points, start=1):
        more = "," + ",".join(map(str, point)) if header == NEW else ""
        lines.append(f"{start + 10 * number},{number},1,0.3,0.2,0.1{more}")
    put_history(results, "grid", run, seed, lines, header)


@pytest.fixture
def results(tmp_path):
    history(tmp_path, "k1s1", 1, 100, [(0.6, 9, 4, 1), (0.8, 8, 2, 1)])
    history(tmp_path, "k1s1", 2, 140, [(0.7, 7, 2, 1), (0.8, 4, 2, 0.5)])  # chose another checkpoint of its baseline
    history(tmp_path, "k5s5", 2, 140, [(0.5, 9, 1, 0.3), (0.6, 9, 1, 0.2)])
    return tmp_path


def draw(results, corpus="grid"):
    with house_style():
        return policy.draw_policy(corpus, results_of(results, SEEDS))


def drawn(axes, run):
    (found,) = [
        line for line in axes.lines if line.get_label() == policy.CURVE and line.get_color() == policy.RUNS[run][1]
    ]
    return found.get_data()


@pytest.mark.parametrize(
    ("panel", "mean"), [(REWARD, [0.65, 0.8]), (ENTROPY, [8, 6]), (NORM, [3, 2]), (RELATIVE, [0.375, 0.375])]
)
def test_lines_are_means_over_seeds_against_updates_since_the_baseline(results, panel, mean):
    updates, values = drawn(draw(results).axes[panel], "k1s1")
    assert updates.tolist() == [10, 20]
    np.testing.assert_allclose(values, mean)


def test_the_deviation_is_divided_by_each_seeds_own_norm(results):
    """Seed 1: 1/4 and 1/2, seed 2: 1/2 and 1/4; the mean deviation by the mean norm would be 1/3 and 3/8."""
    axes = draw(results).axes[RELATIVE]
    (first, _) = [band for band in axes.collections if band.get_label() == policy.RANGE]
    assert sorted(set(first.get_paths()[0].vertices[:, 1])) == [0.25, 0.5]


def test_bands_run_from_the_lowest_to_the_highest_seed(results):
    first, second = [band for band in draw(results).axes[REWARD].collections if band.get_label() == policy.RANGE]
    corners = {tuple(corner) for corner in first.get_paths()[0].vertices.tolist()}
    assert corners == {(10, 0.6), (10, 0.7), (20, 0.8)}
    assert set(second.get_paths()[0].vertices[:, 1]) == {0.5, 0.6}  # one seed: no width


def test_the_legend_counts_seeds_and_names_what_was_not_run(results):
    (legend,) = draw(results).legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "k = 1, s = 1 (n = 2)",
        "k = 5, s = 1 (not run)",
        "k = 5, s = 5 (1 of 2 seeds)",
        "k = 1, s = 1, a fifth of the strength (not run)",
        "ce-continued (not run)",
        "lowest to highest seed",
    ]


def test_what_an_older_history_lacks_is_not_recorded(tmp_path):
    history(tmp_path, "k1s1", 1, 100, [()], header=OLD)
    for axes in draw(tmp_path).axes:
        assert [text.get_text() for text in axes.texts] == ["not recorded"]
    header = f"{OLD},train_reward"
    path = paths_of(tmp_path).history("grid", "k1s1", 1)
    path.write_text(f"{header}\n100,0,,,0.2,0.1,\n110,1,1,0.3,0.2,0.1,0.7\n")
    reward, *others = draw(tmp_path).axes
    assert [value.tolist() for value in drawn(reward, "k1s1")] == [[10], [0.7]]
    assert [axes.texts[0].get_text() for axes in others] == ["not recorded"] * 3
    assert len(reward.get_xticks()) > 1  # the empty panels share the axis


def test_without_runs_says_so(results):
    assert [axes.texts[0].get_text() for axes in draw(results, "lrw").axes] == ["not run"] * 4
    write_figure("policy_lrw", settings_of(SEEDS), paths_of(results))


def test_runs_can_be_told_apart_in_grey():
    """By marker; and where curves fall together (k1s1 and k5s1, k5s5 and k1s1-scaled) one of the two is dashed."""
    assert len({style[1] for style in policy.RUNS.values()}) == len({style[2] for style in policy.RUNS.values()}) == 4
    dashed = set(policy.DASHES)
    assert len(dashed & {"k1s1", "k5s1"}) == len(dashed & {"k5s5", "k1s1-scaled"}) == 1


def test_histories_read_only_the_columns_asked_for(results):
    (frame, _) = results_of(results, SEEDS).histories("grid", "k1s1").values()
    assert tuple(frame) == (*histories.COLUMNS, histories.CE)
    (frame, _) = results_of(results, SEEDS).histories("grid", "k1s1", ("train_reward", "train_nothing")).values()
    assert tuple(frame) == (*histories.COLUMNS, histories.CE, "train_reward", "train_nothing")
    assert frame["train_nothing"].isna().all()
    assert frame["train_reward"].tolist()[1:] == [0.6, 0.8]


def test_a_history_of_an_objective_without_cross_entropy_is_read(tmp_path):
    path = tmp_path / "history-seed1.csv"
    path.write_text("iteration,epoch,train_loss,val_ce,val_cer\n0,0,,1.0,0.5\n10,1,0.3,0.9,0.4\n")
    frame = histories.read_history(path)
    assert frame[histories.CE].isna().all() and frame["val_cer"].tolist() == [0.5, 0.4]


def test_same_input_same_bytes(results):
    written = []
    for _ in range(2):
        write_figure("policy_grid", settings_of(SEEDS), paths_of(results))
        written.append([(paths_of(results).figures / f"policy_grid.{s}").read_bytes() for s in ("png", "svg")])
    assert written[0] == written[1]


def test_another_run_of_the_preset_is_drawn_too(results):
    settings = settings_of(SEEDS)
    settings = with_runs(settings, "grid", mine=settings.runs["grid"]["k1s1"])
    history(results, "mine", 1, 100, [(0.6, 9, 4, 1)])
    figure = policy.draw_policy("grid", results_of(results, SEEDS, runs=settings.runs))
    assert [text.get_text() for text in figure.legends[0].get_texts()][5:-1] == ["mine (1 of 2 seeds)"]


def test_can_be_read(results):
    with house_style():
        page = policy.draw_policy("grid", results_of(results, SEEDS))
        page.draw_without_rendering()
        texts = [text for text in page.findobj(Text) if text.get_text().strip() and text.get_visible()]
        assert min(text.get_fontsize() for text in texts) >= 7
        for text in [text for text in texts if not re.fullmatch(r"[\d.]+", text.get_text())]:  # ticks may lie outside
            box = text.get_window_extent()
            assert page.bbox.x0 <= box.x0 < box.x1 <= page.bbox.x1, text.get_text()
            assert page.bbox.y0 <= box.y0 < box.y1 <= page.bbox.y1, text.get_text()
