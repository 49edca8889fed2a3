"""`pcpg verify`: identical, alike, or not."""

import csv
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from pcpg.report.verify.compare import verify
from pcpg.report.verify.say import report_lines, to_html
from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths

WORDS = ["bin", "lay", "place", "set"]


def write_results(base: Path, noise: int = 0, seeds=(1, 2, 3), clips: int = 40) -> Paths:
    """Results of a run: each seed misreads some of its texts; with `noise` other ones, as many."""
    paths = Paths("toy", base)
    folder = paths.outcome("grid", "ce")
    folder.mkdir(parents=True)
    with open(paths.predictions("grid", "ce"), "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["seed", "clip", "speaker", "reference", "greedy", "beam"])
        for seed in seeds:
            wrong = np.random.default_rng([seed, noise]).permutation(clips)[: 10 + seed]
            for clip in range(clips):
                text = f"{WORDS[clip % 4]} blue"
                read = f"{WORDS[(clip + 1) % 4]} blue" if clip in wrong else text
                writer.writerow([seed, f"s1/{clip}", "s1", text, read, text])
    (paths.results / "table1.csv").write_text("row,wer\nce,12.5\nk1s1,11.0\n")
    (paths.results / "claims.csv").write_text("claim,regime,verdict\nC1,fine-tuned,undecided\n")
    paths.figures.mkdir(parents=True)
    (paths.figures / "strip.png").write_bytes(b"picture")
    return paths


@pytest.fixture
def two(tmp_path) -> tuple[Paths, Path]:
    """Ours, and theirs with the same bytes."""
    ours = write_results(tmp_path / "ours")
    shutil.copytree(tmp_path / "ours", tmp_path / "theirs")
    return ours, tmp_path / "theirs"


def test_the_same_bytes_are_one_line(two):
    ours, theirs = two
    result = verify(ours, str(theirs))
    assert result.status == 0
    assert report_lines(result, "toy") == [f"identical: all 4 results and figures of toy have the bytes of {theirs}"]


def test_other_rounding_is_explained_by_seeds(tmp_path):
    ours, theirs = write_results(tmp_path / "ours", noise=1), write_results(tmp_path / "theirs", noise=2)
    result = verify(ours, str(theirs.base))
    assert result.status == 1 and len(result.runs) == 4 and not result.unexplained
    assert report_lines(result, "toy")[-1] == "nothing differs by more than seeds explain"


def test_a_worse_reader_is_not(two):
    ours, theirs = two
    path = ours.predictions("grid", "ce")
    text = path.read_text()
    for word in WORDS[:3]:
        text = text.replace(f",{word} blue,{word} blue,", f",{word} blue,x,")
    path.write_text(text)
    result = verify(ours, str(theirs))
    assert result.status == 2 and result.unexplained
    assert "more than seeds explain" in "\n".join(report_lines(result, "toy"))
    assert "more than seeds explain" in to_html(result, "toy")


def test_a_table_edited_by_hand_is_found(two):
    ours, theirs = two
    (ours.results / "table1.csv").write_text("row,wer\nce,12.5\nk1s1,10.0\n")
    result = verify(ours, str(theirs))
    assert result.status == 2 and result.differing == [("table1", 1.0)] and result.cells == 4
    conclusion = "what differs is not explained by trainings that came out differently"
    assert report_lines(result, "toy")[-1] == conclusion
    assert to_html(result, "toy").count(f"<li>{conclusion}</li>") == 1


def test_what_git_keeps_out_of_commits_is_no_difference(tmp_path):
    ours = write_results(tmp_path / "ours")
    (tmp_path / "ours/.gitignore").write_text("strip.*\n")
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a", "commit", "-qm", "a"]):
        subprocess.run(["git", "-C", str(ours.base), *command], check=True)
    assert verify(ours, "HEAD").identical
    (ours.figures / "another.png").touch()
    assert "only here: figures/toy/another.png" in report_lines(verify(ours, "HEAD"), "toy")


def test_seconds_that_the_machine_took_are_no_edit(two):
    """A table shows those of costs.csv, which `pcpg costs` writes anew."""
    ours, theirs = two
    for results, seconds, wer in ((ours.results, 0.2, 11.0), (theirs / "results/toy", 0.4, 11.0)):
        (results / "objectives.csv").write_text(f"run,wer,seconds_an_update\nrloo,{wer},{seconds}\n")
        (results / "objectives.md").write_text(f"| rloo | {wer} | {seconds} |\n")
        (results / "tuning-rates.csv").write_text(f"run,rate\nrloo,{seconds}\n")
    result = verify(ours, str(theirs))
    assert result.status == 1 and result.timed == ["objectives"] and not result.differing
    assert any("in objectives only the seconds of an update differ" in line for line in report_lines(result, "toy"))
    (ours.results / "objectives.csv").write_text("run,wer,seconds_an_update\nrloo,10.0,0.2\n")
    result = verify(ours, str(theirs))
    assert result.status == 2 and result.differing == [("objectives", 1.0)] and not result.timed


def test_a_table_of_clips_is_compared_too(two):
    ours, theirs = two
    for results, clips in ((ours.results, 500), (theirs / "results/toy", 1000)):
        (results / "clips").mkdir()
        (results / "clips/summary.csv").write_text(f"split,clips\ntest,{clips}\n")
    result = verify(ours, str(theirs))
    assert result.status == 2 and result.differing == [("clips/summary", 500.0)]


@pytest.mark.parametrize(("name", "status"), [("claims.md", 2), ("report.html", 1)])
def test_a_text_that_changed_alone_is_named(two, name, status):
    """A page names the versions of packages, so other bytes of it alone are no edit by hand."""
    ours, theirs = two
    (ours.results / name).write_text("reproduced")
    (theirs / "results/toy" / name).write_text("undecided")
    result = verify(ours, str(theirs))
    assert result.status == status and report_lines(result, "toy")[1] == f"texts: results/toy/{name}"


def test_verdicts_and_figures_that_changed_are_named(two):
    ours, theirs = two
    (ours.results / "claims.csv").write_text("claim,regime,verdict\nC1,fine-tuned,reproduced\n")
    (ours.figures / "strip.png").write_bytes(b"another")
    result = verify(ours, str(theirs))
    changed = ["verdict on C1, fine-tuned: undecided there, reproduced here", "figures: figures/toy/strip.png"]
    lines = report_lines(result, "toy")
    assert lines[-3:-1] == changed
    assert "".join(f"<li>{line}</li>" for line in lines[1:]) in to_html(result, "toy")


def test_one_seed_tells_nothing(tmp_path):
    ours, theirs = write_results(tmp_path / "o", 1, seeds=(1,)), write_results(tmp_path / "t", 2, seeds=(1,))
    result = verify(ours, str(theirs.base))
    assert result.status == 2 and not result.unexplained
    assert any("one seed or utterance tells nothing" in line for line in report_lines(result, "toy"))
    assert to_html(result, "toy").count("one seed or utterance tells nothing") == len(result.runs)


def test_a_git_revision(tmp_path):
    ours = write_results(tmp_path)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], check=True)
    assert verify(ours, "HEAD").status == 0
    with pytest.raises(InputError, match="nonsense: is no folder, and no revision"):
        verify(ours, "nonsense")
    other = Paths("other", tmp_path)
    other.results.mkdir(parents=True)
    with pytest.raises(InputError, match="HEAD: has no results/other"):
        verify(other, "HEAD")
    with pytest.raises(InputError, match="no results; run the preset first"):
        verify(Paths("absent", tmp_path), "HEAD")


@pytest.mark.parametrize(("ours_has", "theirs_has"), [("x,s1", ",s1"), ("lay ", "set ")], ids=["clips", "references"])
def test_runs_of_other_utterances_are_named(tmp_path, ours_has, theirs_has):
    """Other references under the same names of clips, with the same rates, are no run of the same."""
    ours, theirs = write_results(tmp_path / "o"), write_results(tmp_path / "t")
    path = next(ours.results.rglob("predictions.csv"))
    path.write_text(path.read_text().replace(theirs_has, ours_has))
    result = verify(ours, str(theirs.base))
    assert result.status == 2 and len(result.others) == 1
    assert any(line.startswith("not comparable, of other seeds or utterances") for line in report_lines(result, "toy"))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("table1.csv", lambda data: b"\xff" + data, r"table1\.csv: not a readable table: 'utf-8'"),
        ("table1.csv", lambda data: data + b"x" * 200_000, r"table1\.csv: not a readable table: field larger"),
        ("table1.csv", lambda data: data + b"a\n", r"table1\.csv, line 4: has not as many cells"),
        ("claims.csv", lambda data: data.replace(b"verdict", b"word"), r"claims\.csv: no column verdict"),
        ("claims.csv", lambda data: b"", r"claims\.csv: no column claim, regime, verdict"),
        ("predictions.csv", lambda data: data.replace(b"clip,", b"clap,"), r"predictions\.csv: no column clip"),
        ("predictions.csv", lambda data: data[: len(data) // 2], r"predictions\.csv, line 61: has not as many cells"),
    ],
)
def test_a_damaged_table_is_named(two, name, change, message):
    ours, theirs = two
    path = next(ours.results.rglob(name))
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(InputError, match=message):
        verify(ours, str(theirs))


@pytest.mark.parametrize(
    ("ours_has", "word"),
    [("claim,regime,verdict\nC1,fine-tuned,reproduced\n", "reproduced"), ("claim,regime,verdict\n", "-")],
)
def test_a_claim_that_changed_or_is_gone_is_said(two, ours_has, word):
    """Where no run differs, nothing explains it."""
    ours, theirs = two
    (ours.results / "claims.csv").write_text(ours_has)
    result = verify(ours, str(theirs))
    assert result.status == 2 and result.differing[0][0] == "claims"
    assert f"verdict on C1, fine-tuned: undecided there, {word} here" in report_lines(result, "toy")


def test_what_is_lost_of_a_run_is_said(two):
    ours, theirs = two
    path = ours.predictions("grid", "ce")
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("3,s1/7,")))
    result = verify(ours, str(theirs))
    lines = report_lines(result, "toy")
    assert (
        result.status == 2 and "compared in part, for seeds, utterances or decoders are missing here: grid/ce" in lines
    )


def test_rates_edited_by_hand_are_found(two):
    ours, theirs = two
    for base, rate in ((ours.base, "0.1"), (theirs, "0.2")):
        Paths("toy", base).metrics("grid", "ce").write_text(rate)
    result = verify(ours, str(theirs))
    assert result.status == 2 and "rates that are not those of the predictions: grid/ce" in report_lines(result, "toy")
