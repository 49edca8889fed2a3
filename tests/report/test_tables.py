import csv
import re
import shutil
import statistics
import subprocess
import sys

import pytest
from made import (
    paths_of,
    put_accuracy,
    put_rates,
    results_of,
    settings_of,
    transcribed,
    with_runs,
)  # fmt: skip

from pcpg.corpora.about import protocol
from pcpg.report import paper, runs
from pcpg.report.formats import mean_and_spread
from pcpg.report.names import table_names
from pcpg.report.page import PAGE
from pcpg.report.page.tables import tables_part
from pcpg.report.results.results import Summary
from pcpg.report.tables import layouts
from pcpg.report.tables import write as tables
from pcpg.report.tables.fill import fill
from pcpg.report.tables.layouts import layout_of
from pcpg.settings import load as params
from pcpg.settings.corpus import Lrw1000Raw
from pcpg.workspace.errors import InputError

SEEDS = [1, 2, 3]

# typed from the paper's pages, table by table from top to bottom: an independent check of pcpg.report.paper
PRINTED = {
    "table1": "8.4 18.3 7.6 16.6 6.9 15.3 5.9 12.3 17.5 28.3 15.2 24.8 15.0 26.5 14.1 22.7 "
    "52.1 68.2 51.4 67.7 51.6 67.2 51.3 66.9",
    "table2a": "16.6 16.0 12.1 12.3 14.8",
    "table2b": "12.1 11.9 12.7 12.6",
    "table3": "82.1 82.4 83.5 37.8 38.5 38.7",
    "table4": "82.0 83.0 82.9 83.34 83.5 36.91 38.19 38.7",
    "table5a": "20.4 13.6 13.6 11.9 11.4 11.2",
    "table5b": "76.2 78.5 33.1",
}
CONTROLS = {
    "table1": [f"{corpus} {run}" for corpus in ("grid", "lrw", "lrw1000") for run in ("ce-continued", "k1s1-scaled")],
    "table3": [f"{corpus} {run}" for corpus in ("lrw", "lrw1000") for run in ("ce-fe_tc", "ce-te_tc")],
}
PUBLISHED = tuple(PRINTED)
NAMES = table_names()
LAYOUTS = {name: layout_of(name, settings_of()) for name in NAMES}
HEADING = "**Controls that the paper lacks**"


def write(base, name, seeds=SEEDS, settings=None):
    """Write one table of the results below `base`."""
    tables.write_table(name, settings or settings_of(seeds), paths_of(base))


def rows(results, name):
    with (paths_of(results).results / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def row(results, name, corpus, run):
    return next(row for row in rows(results, name) if (row["corpus"], row["run"]) == (corpus, run))


def markdown(results, name):
    """Cells of the Markdown table, heading first, without the rule and without the heading of the controls."""
    text = (paths_of(results).results / f"{name}.md").read_text(encoding="utf-8")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return [cells[0], *(row for row in cells[2:] if row[0] != HEADING)]


def write_all(base):
    for name in NAMES:
        write(base, name)


def test_mean_spread_and_paired_difference_by_hand(tmp_path):
    for seed, baseline, ours in ((1, 0.30, 0.20), (2, 0.50, 0.44), (3, 0.40, None)):
        put_rates(tmp_path, "grid", "ce", seed, 0.1, baseline)
        if ours:
            put_rates(tmp_path, "grid", "k5s1", seed, 0.1, ours)
    write(tmp_path, "table1")
    ce, found = row(tmp_path, "table1", "grid", "ce"), row(tmp_path, "table1", "grid", "k5s1")
    assert (ce["wer_mean"], ce["wer_sd"], ce["seeds"], ce["utterances"]) == ("40.0000", "10.0000", "3", "40")
    assert float(found["wer_mean"]) == pytest.approx(32)
    assert float(found["wer_sd"]) == pytest.approx(statistics.stdev([20, 44]), abs=1e-4)
    # -10 and -6 of the seeds that both have
    assert float(found["wer_delta_mean"]) == pytest.approx(-8)
    assert float(found["wer_delta_sd"]) == pytest.approx(statistics.stdev([-10, -6]), abs=1e-4)
    assert (found["wer_delta_seeds"], found["seeds"], found["seeds_wanted"]) == ("2", "2", "3")
    assert (found["paper_wer"], found["paper_wer_delta"]) == ("12.3", "-6.0000")


def test_difference_is_paired_and_not_of_means(tmp_path):
    for seed, baseline in ((1, 0.10), (2, 0.20), (3, 0.90)):
        put_rates(tmp_path, "grid", "k1s1", seed, 0.1, baseline)
    put_rates(tmp_path, "grid", "k3s1", 2, 0.1, 0.15)
    write(tmp_path, "table2a")
    found = row(tmp_path, "table2a", "grid", "k3s1")
    assert (found["wer_delta_mean"], found["wer_delta_sd"], found["wer_sd"]) == ("-5.0000", "", "")
    line = next(cells for cells in markdown(tmp_path, "table2a") if cells[0] == "k=3")
    assert line == ["k=3", "12.1", "15.0 (1 of 3 seeds)", "\N{MINUS SIGN}4.5", "\N{MINUS SIGN}5.0"]


def test_a_run_of_fewer_seeds_by_plan_lacks_none(tmp_path):
    for seed in SEEDS[:2]:
        put_rates(tmp_path, "grid", "k1s1", seed, 0.1, 0.2)
        put_rates(tmp_path, "grid", "k3s1", seed, 0.1, 0.2)
    write(tmp_path, "table2a", settings=settings_of(SEEDS).model_copy(update={"fewer_seeds": {"grid": {"k3s1": 2}}}))
    ours = {cells[0]: cells[2] for cells in markdown(tmp_path, "table2a")[1:]}
    assert ours["k=1"] == "20.0 ± 0.0 (2 of 3 seeds)" and ours["k=3"] == "20.0 ± 0.0 (2 seeds)"
    assert row(tmp_path, "table2a", "grid", "k3s1")["seeds_wanted"] == "2"


def test_runs_that_share_no_seed_have_no_pair(tmp_path):
    put_rates(tmp_path, "grid", "ce", 1, 0.1, 0.2)
    put_rates(tmp_path, "grid", "k5s1", 2, 0.1, 0.2)
    write(tmp_path, "table1")
    assert row(tmp_path, "table1", "grid", "k5s1")["wer_delta_mean"] == ""
    assert "| \N{MINUS SIGN}6.0 | no pair |" in (paths_of(tmp_path).results / "table1.md").read_text()


def test_markdown_cells(tmp_path):
    for seed, wer in zip(SEEDS, (0.115, 0.123, 0.131), strict=True):
        put_rates(tmp_path, "grid", "ce", seed, 0.05, wer)
        put_rates(tmp_path, "grid", "k1s1", seed, 0.04, wer)
    write(tmp_path, "table1")
    head, ce, k1s1, k5s5 = markdown(tmp_path, "table1")[:4]
    assert head[:7] == ["Dataset", "Method", "Case", "CER paper", "CER ours", "Δ paper", "Δ ours"]
    assert ce[7:] == ["18.3", "12.3 ± 0.8", "\N{EN DASH}", "\N{EN DASH}"]
    assert k1s1[3:7] == ["7.6", "4.0 ± 0.0", "\N{MINUS SIGN}0.8", "\N{MINUS SIGN}1.0"]
    assert k1s1[7:] == ["16.6", "12.3 ± 0.8", "\N{MINUS SIGN}1.7", "0.0"]
    assert k5s5[3:7] == ["6.9", "not run", "\N{MINUS SIGN}1.5", "not run"]
    text = (paths_of(tmp_path).results / "table1.md").read_text()
    assert "preset mini, seeds 1, 2, 3; GRID: test split, protocol unseen, 40 clips; LRW: not run;" in text


@pytest.mark.parametrize("name", NAMES)
def test_nothing_has_run(tmp_path, name):
    write(tmp_path, name)
    found = rows(tmp_path, name)
    assert len(found) == len(LAYOUTS[name].rows) == len(markdown(tmp_path, name)) - 1
    assert all(row["seeds"] == "0" and row["utterances"] == "" for row in found)
    assert all(
        value == "" for row in found for key, value in row.items() if key.endswith(("_mean", "_sd", "_low", "_high"))
    )
    place = (-1 if not LAYOUTS[name].baseline else -3 if LAYOUTS[name].published else -2) - 3 * LAYOUTS[name].timed
    place -= bool(LAYOUTS[name].corrected)
    ours = [cells[place] for cells in markdown(tmp_path, name)[1:]]
    assert ours == ["not run" if row["run"] else "\N{EN DASH}" for row in found]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_papers_values_stand_in_their_rows(tmp_path, name):
    write(tmp_path, name)
    head, *body = markdown(tmp_path, name)
    columns = [index for index, heading in enumerate(head) if re.fullmatch("(CER|WER|accuracy) paper", heading)]
    lacking = len(CONTROLS.get(name, [])) * len(columns)
    printed = [cells[column] for cells in body for column in columns]
    assert printed == PRINTED[name].split() + ["\N{EN DASH}"] * lacking
    keys = [f"paper_{measure.name}" for measure in LAYOUTS[name].measures]
    assert [row[key] for row in rows(tmp_path, name) for key in keys] == PRINTED[name].split() + [""] * lacking


@pytest.mark.parametrize("name", NAMES)
def test_controls_stand_last_and_are_told_apart(tmp_path, name):
    write(tmp_path, name)
    controls = CONTROLS.get(name, [])
    found = [(f"{row['corpus']} {row['run']}", row["control"]) for row in rows(tmp_path, name)]
    first = len(found) - len(controls)
    assert {control for _, control in found[:first]} == {"false"}
    assert found[first:] == [(run, "true") for run in controls]
    for suffix in ("md", "tex"):
        text = (paths_of(tmp_path).results / f"{name}.{suffix}").read_text(encoding="utf-8")
        assert text.count("Controls that the paper lacks") == bool(controls)


@pytest.mark.parametrize(("name", "first"), [("table1", "GRID"), ("table3", "LRW")])
def test_a_heading_parts_the_controls_from_the_papers_rows(tmp_path, name, first):
    write(tmp_path, name)
    above, below = (paths_of(tmp_path).results / f"{name}.md").read_text(encoding="utf-8").split(HEADING)
    assert above.splitlines()[-2].startswith("| LRW-1000 |")
    rest, *lines = below.splitlines()
    assert rest == " |" + "  |" * (len(markdown(tmp_path, name)[0]) - 1)
    assert len([line for line in lines if line.startswith("| ")]) == len(CONTROLS[name])
    tex = (paths_of(tmp_path).results / f"{name}.tex").read_text(encoding="utf-8")
    assert re.search(rf"\\midrule\n\\multicolumn.*\n{first} & .*\n & ", tex)
    assert tex.count("\nLRW-1000 & ") == 2  # named once among the paper's rows and once among the controls


def test_a_control_is_compared_with_our_baseline_alone(tmp_path):
    for seed, ce, scaled in ((1, 0.30, 0.20), (2, 0.50, 0.44)):
        put_rates(tmp_path, "grid", "ce", seed, 0.1, ce)
        put_rates(tmp_path, "grid", "k1s1-scaled", seed, 0.1, scaled)
        put_accuracy(tmp_path, "lrw", "scratch", seed, 0.5)
        put_accuracy(tmp_path, "lrw", "ce-te_tc", seed, 0.6)
    write(tmp_path, "table1", [1, 2])
    write(tmp_path, "table3", [1, 2])
    found = row(tmp_path, "table1", "grid", "k1s1-scaled")
    assert (found["wer_mean"], found["wer_delta_mean"], found["wer_delta_seeds"]) == ("32.0000", "-8.0000", "2")
    assert found["paper_wer"] == found["paper_wer_delta"] == ""
    scaled = next(cells for cells in markdown(tmp_path, "table1") if "1/5 as" in cells[1])
    assert scaled[7:] == ["\N{EN DASH}", "32.0 ± 17.0", "\N{EN DASH}", "\N{MINUS SIGN}8.0"]
    probes = {cells[1]: cells[2:] for cells in markdown(tmp_path, "table3") if cells[0] == "LRW"}
    assert probes["TE and TC, encoder of cross-entropy"] == ["\N{EN DASH}", "60.0 ± 0.0", "\N{EN DASH}", "+10.0"]
    assert probes["FE and TC, encoder of cross-entropy"] == ["\N{EN DASH}", "not run", "\N{EN DASH}", "not run"]


@pytest.mark.parametrize(
    ("name", "note"), [("table1", layouts.RUN_CONTROLS_ASK), ("table3", layouts.CLASSIFIER_CONTROLS_ASK)]
)
def test_a_note_says_what_each_control_is_for(tmp_path, root, name, note):
    write(tmp_path, name)
    assert f"- {note}\n" in (paths_of(tmp_path).results / f"{name}.md").read_text(encoding="utf-8")
    assert all(run.split()[1] in note for run in CONTROLS[name])
    assert all((root / page).is_file() for page in re.findall(r"docs/\S+\.md", note))


@pytest.mark.parametrize("preset", ["params.yaml", "presets/grid-s1-cpu.yaml"])
def test_rows_name_runs_of_the_project(root, preset):
    settings = params.load(root / preset)
    for layout in (layout_of(name, settings) for name in settings.tables):
        for made in layout.rows:
            if made.corpus in settings.corpus_names:
                assert made.run in {"", *settings.trainings(made.corpus)}, (layout.name, made)


def test_a_new_run_shows_up_in_one_table_below_the_papers(tmp_path):
    settings = settings_of()
    grid = settings.runs["grid"]
    pcpg = grid["k1s1"].objective["pcpg"]
    mwer = grid["k1s1"].model_copy(update={"objective": {"mwer": {"hypotheses": 3, "cross_entropy": 0.01}}})
    wide = grid["k1s1"].model_copy(update={"objective": {"pcpg": {**pcpg, "kernel": ["1/9"] * 9}}})
    sharp = grid["k1s1"].model_copy(update={"objective": {"pcpg": {**pcpg, "temperature": 0.5}}})
    settings = with_runs(settings, "grid", mwer=mwer, k9s1=wide, sharp=sharp)
    put_rates(tmp_path, "grid", "mwer", 1, 0.1, 0.2)
    elsewhere = layout_of("objectives", settings).rows
    assert {"ce-continued", "k1s1", "k5s1", "mwer"} <= {row.run for row in elsewhere}
    assert not {"k9s1", "sharp"} & {row.run for row in elsewhere}
    assert "mwer" not in runs.other_runs(settings, "grid")
    settings = settings.model_copy(update={"tables": [name for name in settings.tables if name != "objectives"]})
    write(tmp_path, "table1", settings=settings)
    others = markdown(tmp_path, "table1")[-2:]
    assert [cells[:3] for cells in others] == [
        ["GRID", "mwer", "mwer: hypotheses 3, cross_entropy 0.01"],
        ["GRID", "k9s1", "pcpg as k1s1 but k=9, s=1"],
    ]
    assert others[0][-3] == "20.0 (1 of 3 seeds)"
    assert "**Other runs of this preset**" in (paths_of(tmp_path).results / "table1.md").read_text()
    assert check_tex((paths_of(tmp_path).results / "table1.tex").read_text()) == 1 + 18 + 2 + 2
    assert [row.labels for row in layout_of("ablation", settings).rows if row.run == "sharp"] == [
        ("temperature", "0.5 for 1")
    ]
    without = settings.model_copy(update={"tables": ["table1"]})  # then Table I shows them all
    assert {"sharp", "k3s1", "k1s1-mean", "k1s1-scratch"} <= set(runs.other_runs(without, "grid"))


def test_a_new_classifier_shows_up(tmp_path):
    settings = settings_of()
    lrw = settings.classifiers["lrw"]
    more = {
        **settings.classifiers,
        "lrw": {**lrw, "k1s1-fe_tc": lrw["k5s1-fe_tc"].model_copy(update={"start": "k1s1"})},
    }
    write(tmp_path, "table3", settings=settings.model_copy(update={"classifiers": more}))
    assert markdown(tmp_path, "table3")[-1][1] == "k1s1-fe_tc: from the encoder of k1s1, fixed"


def test_results_of_a_run_that_the_parameter_file_lacks_are_not_read(tmp_path):
    settings = settings_of()
    put_rates(tmp_path, "grid", "k5s1", 1, 0.1, 0.2)
    bare = {name: run for name, run in settings.runs["grid"].items() if name != "k5s1"}
    settings = settings.model_copy(update={"runs": {**settings.runs, "grid": bare}})
    write(tmp_path, "table1", settings=settings)
    assert row(tmp_path, "table1", "grid", "k5s1")["seeds"] == "0"


def test_every_ablated_run_is_told_by_what_differs():
    labels = {row.run: row.labels for row in LAYOUTS["ablation"].rows}
    assert list(labels)[:3] == ["k1s1", "k5s1", "k5s1-return"] and list(labels)[-1] == "ce-continued"
    assert labels["k1s1-lambda10"] == ("λ", "0.1 for 0.5") and labels["k1s1-gamma100"] == ("γ", "1 for 0.95")
    assert labels["k1s1-greedy"] == ("baseline", "greedy transcription, for none")
    assert labels["k5s1-return"] == ("pseudo-convolution", "of the return, for of the loss (k=5, s=1)")
    assert "k1s1-scaled" not in labels and "k1s1-scratch" not in labels and "k5s5" not in labels
    assert [row.run for row in LAYOUTS["scratch"].rows] == ["ce", "k1s1-scratch", "k5s1-scratch"]


def test_two_runs_from_random_weights_are_told_apart():
    settings = settings_of()
    run = settings.runs["grid"]["k1s1-scratch"]
    weak = run.model_copy(update={"objective": {"pcpg": run.objective["pcpg"] | {"lambda_pg": 0.01}}})
    rows = {row.run: row.labels for row in layout_of("scratch", with_runs(settings, "grid", weak=weak)).rows}
    assert rows["weak"][0] == "weak" and rows["weak"][1].startswith("pcpg as k1s1 but λ 0.01, start scratch, ")


def test_a_reward_below_zero_has_a_minus():
    assert mean_and_spread(Summary(-20.0, 5.0, 3), 3, 3) == "−20.0 ± 5.0"
    assert mean_and_spread(Summary(-0.01, 1.0, 3), 3, 3) == "0.0 ± 1.0"


def test_the_html_has_the_cells_of_the_markdown(tmp_path):
    for run in ("ce", "k1s1"):
        for seed in SEEDS:
            transcribed(
                tmp_path, "grid", run, seed, ["set blue now" if k % 3 or run == "k1s1" else "x" for k in range(30)]
            )
    write(tmp_path, "table1")
    part = tables_part([fill(LAYOUTS["table1"], results_of(tmp_path))])
    html = PAGE.get_template("macros.html").module.results(part["tables"][0])
    cells = [re.findall(r"<t[hd](?: [^>]*)?>(.*?)</t[hd]>", line) for line in html.splitlines()]
    shown = [[re.sub(r"<strong>(.*)</strong>", r"**\1**", cell) for cell in line] for line in cells if len(line) > 2]
    heads, body = shown[0], [line[:11] for line in shown[1:]]  # a heading of a group stands behind the row before it
    assert heads == markdown(tmp_path, "table1")[0]
    assert body == markdown(tmp_path, "table1")[1:]
    assert '<th scope="rowgroup" colspan="11">Controls that the paper lacks</th>' in html
    assert html.count('<tr class="first">') == 4  # LRW and LRW-1000, twice
    assert html.count('<th scope="col" class="n">') == 8


def test_labels_name_the_kernel_that_the_run_has():
    for run in ("k1s1", "k5s5", "k5s1"):
        kernel, stride = paper.KERNELS[run]
        assert layouts.METHODS[run][1] == f"k={len(kernel)}, s={stride}"
    assert [row.labels for row in LAYOUTS["table2a"].rows] == [("k=1",), ("k=2",), ("k=3",), ("k=5",), ("k=7",)]
    weights = ["1/3, 1/3, 1/3", "1/4, 1/2, 1/4", "1/3, 1/2, 1/6", "1/6, 1/2, 1/3"]
    assert [row.labels for row in LAYOUTS["table2b"].rows] == [(f"w=[{three}]",) for three in weights]


def test_which_run_and_decoder_the_comparisons_use(tmp_path):
    put_rates(tmp_path, "grid", "k3s1-w121", 1, 0.1, 0.21, beam=(0.1, 0.19))
    put_rates(tmp_path, "lrw", "k5s1", 1, 0.1, 0.31, beam=(0.1, 0.29), protocol="")
    put_accuracy(tmp_path, "lrw", "k5s1-te_tc", 1, 0.66)
    put_accuracy(tmp_path, "lrw", "ce-te_tc", 1, 0.55)
    write_all(tmp_path)
    assert [row["wer_mean"] for row in rows(tmp_path, "table5a")] == ["", "", "", "21.0000", "", "19.0000"]
    assert [row["accuracy_mean"] for row in rows(tmp_path, "table5b")] == ["", "71.0000", ""]
    assert row(tmp_path, "table4", "lrw", "k5s1-te_tc")["accuracy_mean"] == "66.0000"
    assert row(tmp_path, "table3", "lrw", "k5s1-te_tc")["accuracy_mean"] == "66.0000"
    assert "40 clips, beam of 5" in (paths_of(tmp_path).results / "table5a.md").read_text()
    assert "beam of" not in (paths_of(tmp_path).results / "table1.md").read_text()


def test_intervals_come_from_the_transcriptions(tmp_path):
    """Every second sentence is wrong under ce; under k1s1 every tenth, and the rest alike."""
    for seed in SEEDS:
        transcribed(tmp_path, "grid", "ce", seed, ["set blue now" if k % 2 else "set red now" for k in range(40)])
        transcribed(tmp_path, "grid", "k1s1", seed, ["set blue now" if k % 10 else "set red now" for k in range(40)])
    write(tmp_path, "table1")
    ce, found = (row(tmp_path, "table1", "grid", run) for run in ("ce", "k1s1"))
    assert (ce["wer_mean"], found["wer_mean"], found["wer_delta_mean"]) == ("16.6667", "3.3333", "-13.3333")
    wide = 100 / 3 * (0.5 * 0.5 / 40) ** 0.5 * 4.303  # Student's t, two degrees of freedom
    assert float(ce["wer_low"]) == pytest.approx(16.67 - wide, abs=0.6)
    assert float(ce["wer_high"]) == pytest.approx(16.67 + wide, abs=0.6)
    wide = 100 / 3 * (0.4 * 0.6 / 40) ** 0.5 * 4.303
    assert float(found["wer_delta_low"]) == pytest.approx(-13.33 - wide, abs=0.6)
    assert float(found["wer_delta_high"]) == pytest.approx(-13.33 + wide, abs=0.6)
    line = markdown(tmp_path, "table1")[2]
    assert re.fullmatch(r"\N{MINUS SIGN}13.3 \[\N{MINUS SIGN}2\d.\d, \N{MINUS SIGN}\d.\d\]", line[10]), line
    put_rates(tmp_path, "grid", "ce", 2, 0.5, 0.5)
    with pytest.raises(InputError, match=r"ce/metrics\.json: seed 2 has greedy_cer 50\.0000, predictions\.csv beside"):
        write(tmp_path, "table1")


def test_bold_is_what_beats_every_other_row_by_more_than_chance(tmp_path):
    for seed in SEEDS:
        for run, every in (("k3s1", 20), ("k3s1-w121", 2), ("k3s1-w231", 2), ("k3s1-w132", 2)):
            texts = ["set blue now" if k % every else "set red now" for k in range(60)]
            transcribed(tmp_path, "grid", run, seed, texts)
    write(tmp_path, "table2b")
    cells = [cells[2] for cells in markdown(tmp_path, "table2b")[1:]]
    assert cells == ["**1.7 ± 0.0**", "16.7 ± 0.0", "16.7 ± 0.0", "16.7 ± 0.0"]
    assert (paths_of(tmp_path).results / "table2b.tex").read_text().count("\\textbf{1.7 $\\pm$ 0.0}") == 1
    for seed in SEEDS:
        texts = ["set blue now" if k % 15 else "set red now" for k in range(60)]
        transcribed(tmp_path, "grid", "k3s1-w231", seed, texts)  # 4 wrong against 3
    write(tmp_path, "table2b")
    assert "**" not in "".join(cells[2] for cells in markdown(tmp_path, "table2b"))


def test_other_seeds_are_left_out(tmp_path):
    put_rates(tmp_path, "grid", "ce", 1, 0.1, 0.2)
    put_rates(tmp_path, "grid", "ce", 9, 0.1, 0.8)
    write(tmp_path, "table1", [1])
    assert row(tmp_path, "table1", "grid", "ce")["wer_mean"] == "20.0000"
    assert "preset mini, seed 1;" in (paths_of(tmp_path).results / "table1.md").read_text()


START = '{"corpus": "grid", "run": "ce", "split": "test", "clips": 4'
RATES = '{"cer": NaN, "wer": 0.1, "mean_cer": 0.1, "mean_wer": 0.1}'
BROKEN = {
    "JSON": "{",
    "mapping": "[1]",
    "greedy.wer: missing key": START + ', "seeds": {"1": {"greedy": {"cer": 0.1}}}}',
    "is of grid/k1s1": START.replace("ce", "k1s1") + ', "seeds": {}}',
    "seeds": START + ', "seeds": [1]}',
    "clips": START.replace("4", "0") + ', "seeds": {}}',
    "beam_size": START + ', "beam_size": "x", "seeds": {}}',
    "seeds.1.accuracy": START + ', "seeds": {"1": {"accuracy": 83.5}}}',
    "seeds.1.greedy.cer": START + ', "seeds": {"1": {"greedy": ' + RATES + "}}}",
}


@pytest.mark.parametrize("problem", BROKEN)
def test_malformed_metrics_name_the_file(tmp_path, problem):
    path = put_rates(tmp_path, "grid", "ce", 1, 0.1, 0.2)
    path.write_text(BROKEN[problem])
    with pytest.raises(InputError, match=re.escape(problem)) as error:
        write(tmp_path, "table1")
    assert str(error.value).startswith(str(path))
    assert not list(paths_of(tmp_path).results.glob("table1.*"))


@pytest.mark.parametrize("change", [{"clips": 41}, {"protocol": "overlapped"}])
def test_runs_on_different_data_share_no_table(tmp_path, change):
    put_rates(tmp_path, "grid", "ce", 1, 0.1, 0.2)
    put_rates(tmp_path, "grid", "k1s1", 1, 0.1, 0.2, **change)
    with pytest.raises(InputError, match="different data"):
        write(tmp_path, "table1")


def test_the_two_protocols_of_lrw1000_are_named_and_share_no_table(tmp_path):
    """From the setting to metrics.json, and from there into the table."""
    name = protocol(Lrw1000Raw(source="local", root="x", synthetic=None, protocol="centred40"))
    put_rates(tmp_path, "lrw1000", "ce", 1, 0.1, 0.2, protocol=name)
    put_rates(tmp_path, "lrw1000", "k1s1", 1, 0.1, 0.2, protocol=name)
    write(tmp_path, "table1")
    assert "LRW-1000: test split, protocol centred40, 40 clips" in (paths_of(tmp_path).results / "table1.md").read_text(
        encoding="utf-8"
    )
    put_rates(tmp_path, "lrw1000", "k5s5", 1, 0.1, 0.2, protocol="cut30")
    with pytest.raises(InputError, match="different data"):
        write(tmp_path, "table1")


def test_a_table_of_ours_alone_has_no_columns_for_the_paper(tmp_path):
    for seed, wer in ((1, 0.2), (2, 0.4)):
        put_rates(tmp_path, "grid", "k1s1", seed, 0.1, wer)
        put_rates(tmp_path, "grid", "k1s1-mean", seed, 0.1, wer - 0.1)
    write(tmp_path, "ablation", [1, 2])
    head, first, *rest = markdown(tmp_path, "ablation")
    assert head == ["Changed", "To", "CER", "Δ to k=1, s=1", "WER", "Δ to k=1, s=1"]
    assert first[2:] == ["10.0 ± 0.0", "\N{EN DASH}", "30.0 ± 14.1", "\N{EN DASH}"]
    mean = next(cells for cells in rest if cells[1].startswith("mean"))
    assert mean[2:] == ["10.0 ± 0.0", "0.0", "20.0 ± 14.1", "\N{MINUS SIGN}10.0"]
    assert not [key for key in rows(tmp_path, "ablation")[0] if key.startswith("paper")]
    assert HEADING not in (paths_of(tmp_path).results / "ablation.md").read_text()


def test_unknown_table(tmp_path):
    with pytest.raises(InputError, match="table6"):
        write(tmp_path, "table6")


def test_same_input_same_bytes(tmp_path):
    for folder in ("a", "b"):
        for seed in SEEDS if folder == "a" else reversed(SEEDS):
            put_rates(tmp_path / folder, "grid", "ce", seed, 0.1 * seed, 0.2)
        write_all(tmp_path / folder)
    files = sorted(paths_of(tmp_path / "a").results.glob("*.*"))
    assert len(files) == 3 * len(NAMES)
    assert all(file.read_bytes() == (paths_of(tmp_path / "b").results / file.name).read_bytes() for file in files)


def check_tex(text):
    """Fail unless `text` is ASCII, closes what it opens, and each row has as many cells as there are columns."""
    text.encode("ascii")
    comment, text = text.split("\n", 1)
    assert comment.startswith("%")
    bare = re.sub(r"\\.", "", text, flags=re.DOTALL)  # without commands and escaped characters
    assert not set("%#_^~") & set(bare)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    open_now = []
    for kind, name in re.findall(r"\\(begin|end)\{(.*?)\}", text):
        assert kind == "begin" or open_now.pop() == name
        open_now += [name] * (kind == "begin")
    assert not open_now
    columns = re.search(r"\\begin\{tabular\}\{@\{\}(.*)@\{\}\}", text)[1]
    columns = len(re.sub(r"p\{.*?\}", "p", columns).replace("\\linewidth", ""))
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    lines = [line for line in body.splitlines() if line and not line.startswith(("\\toprule", "\\midrule"))]
    for line in lines:
        spanned = sum(int(count) - 1 for count in re.findall(r"\\multicolumn\{(\d+)\}", line))
        assert line.endswith(r"\\")
        assert len(re.findall(r"(?<!\\)&", line)) + spanned == columns - 1
    assert "&" not in re.sub(r"\\&", "", text.replace(body, ""))
    return len(lines)


@pytest.mark.parametrize("name", NAMES)
def test_tex_is_well_formed(tmp_path, name):
    put_rates(tmp_path, "grid", "ce", 1, 0.1, 0.2)
    put_rates(tmp_path, "grid", "k1s1", 1, 0.1, 0.3, protocol="unseen")
    write(tmp_path, name, settings=settings_of(preset="50%_mini & more"))
    text = (paths_of(tmp_path).results / f"{name}.tex").read_text(encoding="utf-8")
    assert check_tex(text) == 1 + len(LAYOUTS[name].rows) + (name in CONTROLS)
    assert r"50\%\_mini \& more" in text


@pytest.mark.parametrize(
    "broken",
    [("\\&", "&"), ("\\%", "%"), ("\\end{table*}", ""), ("& 8.4", "8.4"), ("{11}", "{10}"), ("$-$", "\N{MINUS SIGN}")],
)
def test_the_tex_check_finds_faults(tmp_path, broken):
    write(tmp_path, "table1", settings=settings_of(preset="50%_mini & more"))
    text = (paths_of(tmp_path).results / "table1.tex").read_text(encoding="utf-8")
    assert broken[0] in text
    with pytest.raises((AssertionError, UnicodeEncodeError)):
        check_tex(text.replace(*broken))


def test_tables_start_fast():
    command = "import sys, pcpg.report.tables.write; assert not {'torch', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", command], check=True)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX on this machine")
def test_every_table_compiles_and_fits_the_page(tmp_path):
    """The longest cells that there can be: every row has run, with wide intervals."""
    for layout in LAYOUTS.values():
        for found in layout.rows:
            for seed in SEEDS if found.run else []:
                classified = found.run == "scratch" or found.run.endswith("_tc")
                texts = [["set red now", "set blue now"][(k * seed) % 3 == 0] for k in range(30)]
                if not classified:
                    transcribed(tmp_path, found.corpus, found.run, seed, texts)
                else:
                    put_accuracy(tmp_path, found.corpus, found.run, seed, 0.835 / seed)
    write_all(tmp_path)
    preamble = r"\documentclass[twocolumn]{article}\usepackage[margin=1.8cm]{geometry}\usepackage{booktabs}"
    inputs = "".join(rf"\input{{{name}}}\clearpage" for name in NAMES)
    (paths_of(tmp_path).results / "all.tex").write_text(rf"{preamble}\begin{{document}}{inputs}\end{{document}}")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    run = subprocess.run(command, cwd=paths_of(tmp_path).results, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-2000:]
    assert "Overfull" not in run.stdout
