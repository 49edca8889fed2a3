import pytest
from made import paths_of, predict, results_of, settings_of
from matplotlib.text import Text

from pcpg.report.figures import sweeps
from pcpg.report.figures.style import house_style
from pcpg.report.figures.write import write_figure
from pcpg.report.results import stats
from pcpg.report.results.results import Results
from pcpg.workspace.errors import InputError

SEEDS = [1, 2]
SENTENCES = [f"bin blue at {letter} one soon" for letter in "abcdefghij"]  # 60 words


def predictions(results, run, seed, wrong, sentences=SENTENCES):
    """A predictions.csv in which `wrong` words are wrong: one in each sentence first, then two, and so on."""
    rows = []
    for number, sentence in enumerate(sentences):
        count = wrong // len(sentences) + (number < wrong % len(sentences))
        words = ["x"] * count + sentence.split()[count:]
        row = {
            "clip": f"s1/{number}",
            "speaker": "s1",
            "reference": sentence,
            "greedy": " ".join(words),
            "beam": sentence,
        }
        rows.append(row)
    predict(results, "grid", run, seed, rows)


@pytest.fixture
def results(tmp_path):
    """k=2 is as good as k=1 and a little worse, k=3 better by a word a sentence, k=5 has one seed, k=7 none."""
    for run, counts in {"k1s1": (20, 24), "k2s1": (20, 25), "k3s1": (10, 13), "ce-continued": (23, 26)}.items():
        for seed, wrong in zip(SEEDS, counts, strict=True):
            predictions(tmp_path, run, seed, wrong)
    predictions(tmp_path, "k5s1", 2, 30)
    return tmp_path


def drawn(axes, label):
    """The lines of one kind, from left to right: [(xs, ys)]."""
    lines = [line for line in axes.lines if line.get_label() == label]
    return sorted((list(line.get_xdata()), list(line.get_ydata())) for line in lines)


def figure(name, results):
    with house_style():
        found = sweeps.draw_sweep(name, results_of(results, SEEDS))
        found.draw_without_rendering()
    return found


def test_means_are_the_changes_in_percentage_points_by_hand(results):
    (axes,) = figure("sweep_k", results).axes
    means = drawn(axes, sweeps.MEAN)
    assert [round(x[0] - sweeps.OURS_AT, 6) for x, _ in means] == [1, 2, 3, 5.5]  # k = 2, 3, 5, and the control
    assert [y[0] for _, y in means] == pytest.approx([100 * 0.5 / 60, -100 * 10.5 / 60, 100 * 6 / 60, 100 * 2.5 / 60])


def test_intervals_are_those_of_stats(results):
    (axes,) = figure("sweep_k", results).axes
    against = results_of(results, SEEDS).errors("grid", "k1s1", "wer")
    wanted = []
    for run in ("k2s1", "k3s1", "ce-continued"):  # one seed, of k5s1, has no interval
        found = stats.difference(results_of(results, SEEDS).errors("grid", run, "wer"), against)
        wanted.append(list(found.interval()))
    assert [y for _, y in drawn(axes, sweeps.INTERVAL)] == wanted


def test_every_seed_has_a_dot_with_its_own_change(results):
    (axes,) = figure("sweep_k", results).axes
    changes = [[100 * change / 60 for change in pair] for pair in ([0, 1], [-10, -11], [6], [3, 2])]
    for (xs, ys), wanted in zip(drawn(axes, sweeps.SEED), changes, strict=True):
        assert ys == pytest.approx(wanted)
        assert len(set(xs)) == len(wanted)


def test_a_mark_is_hollow_where_the_interval_covers_zero(results):
    (axes,) = figure("sweep_k", results).axes
    marks = sorted((line for line in axes.lines if line.get_label() == sweeps.MEAN), key=lambda line: line.get_xdata())
    points = sweeps.read_sweep(sweeps.SWEEPS["sweep_k"], results_of(results, SEEDS))[1]
    covered = [point.estimate.explained() is not False for point in points if point.estimate]  # one seed: None
    assert covered[:3] == [True, False, True]
    assert [mark.get_markerfacecolor() == "white" for mark in marks] == covered


def test_the_papers_changes_stand_beside_ours(results):
    (axes,) = figure("sweep_k", results).axes
    ((xs, ys),) = drawn(axes, sweeps.PRINTED)
    assert ys == [-0.6, -4.5, -4.3, -1.8]  # 16.0, 12.1, 12.3, 14.8 against 16.6
    assert [round(x - sweeps.PAPER_AT, 6) for x in xs] == [1, 2, 3, 4]
    (axes,) = figure("sweep_w", results).axes
    ((_, ys),) = drawn(axes, sweeps.PRINTED)
    assert ys == [-0.2, 0.6, 0.5]  # 11.9, 12.7, 12.6 against 12.1


def test_a_run_of_fewer_seeds_by_plan_is_told_apart_from_one_that_lacks_some(results):
    settings = settings_of(SEEDS).model_copy(update={"fewer_seeds": {"grid": {"k5s1": 1}}})
    axes = sweeps.draw_sweep("sweep_k", Results(paths_of(results), settings)).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()][3] == "5\n(1 seed)"


def test_what_is_missing_is_named(results):
    axes = figure("sweep_k", results).axes[0]
    texts = {text.get_text(): text for text in axes.texts}
    assert list(texts) == ["not run", "ours\n36.7 %", "paper\n16.6 %"]
    assert texts["not run"].xy == (4 + sweeps.OURS_AT, 0)  # k = 7
    assert axes.get_title(loc="left") == "GRID; ours: 2 seeds, 10 sentences"
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["1", "2", "3", "5\n(1 of 2\nseeds)", "7", "CE,\ncontinued\n(control)"]


def test_without_the_first_run_there_is_no_pair(results):
    axes = figure("sweep_w", results).axes[0]  # only k3s1 and the control were run
    assert [text.get_text() for text in axes.texts] == [*["not run"] * 3, "ours\n19.2 %", "paper\n12.1 %"]
    paths_of(results).predictions("grid", "k3s1").unlink()
    axes = figure("sweep_w", results).axes[0]
    assert [text.get_text() for text in axes.texts][3:] == ["no pair", "ours\nnot run", "paper\n12.1 %"]


def test_nothing_run_leaves_the_paper(tmp_path):
    axes = figure("sweep_k", tmp_path).axes[0]
    assert [text.get_text() for text in axes.texts][:5] == ["not run"] * 5
    assert axes.get_title(loc="left") == "GRID; ours: not run"
    assert len(drawn(axes, sweeps.PRINTED)) == 1 and not drawn(axes, sweeps.MEAN)


def test_other_clips_than_those_of_the_first_run_are_an_error(results):
    for seed in SEEDS:
        predictions(results, "k2s1", seed, 3, SENTENCES[:5])
    with pytest.raises(InputError, match="k1s1/predictions.csv: not the same clips.* those of grid/k2s1"):
        write_figure("sweep_k", settings_of(SEEDS), paths_of(results))


@pytest.mark.parametrize("name", sweeps.SWEEPS)
def test_same_input_same_bytes(results, name):
    written = []
    for _ in range(2):
        write_figure(name, settings_of(SEEDS), paths_of(results))
        written.append([(paths_of(results).figures / f"{name}.{suffix}").read_bytes() for suffix in ("png", "svg")])
    assert written[0] == written[1]


@pytest.mark.parametrize("name", sweeps.SWEEPS)
def test_can_be_read(results, name):
    """No text below 7 pt, none outside the page, no two on one another."""
    with house_style():
        page = figure(name, results)
        texts = [text for text in page.findobj(Text) if text.get_text().strip() and text.get_visible()]
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    assert min(text.get_fontsize() for text in texts) >= 7
    for place, (one, box) in enumerate(boxes):
        assert page.bbox.x0 <= box.x0 < box.x1 <= page.bbox.x1, one
        assert page.bbox.y0 <= box.y0 < box.y1 <= page.bbox.y1, one
        assert not [other for other, its in boxes[place + 1 :] if box.overlaps(its)], one
