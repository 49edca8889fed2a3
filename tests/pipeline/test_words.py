"""Words cut out of generated GRID through the whole pipeline, one run with fewer seeds than the others."""

import shutil

import pandas as pd
import pytest
import yaml
from smoke_clone import planned, run

from pcpg.settings.yaml_file import read_yaml

TRAININGS = {"train": 2 + 1, "probe": 2, "evaluate": 2, "classify": 1}


@pytest.fixture(scope="module")
def words(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    for name in ("src", "profiles"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "dvc.yaml", ".gitignore", ".dvcignore"):
        shutil.copy(root / name, folder / name)
    smoke = read_yaml(root / "tests" / "smoke.params.yaml")
    runs = smoke["runs"]["grid"]
    probe = {"start": "ce", "encoder": "fixed", "optimisation": runs["ce"]["optimisation"], "label_smoothing": 0.0}
    content = smoke | {
        "preset": "words", "seeds": [1, 2], "fewer_seeds": {"grid_words": {"k5s1": 1}},
        "corpora": {"grid_words": smoke["corpora"]["grid"]},
        "view": {"grid_words": smoke["view"]["grid"]}, "network": {"grid_words": smoke["network"]["grid"]},
        "runs": {"grid_words": {name: runs[name] for name in ("ce", "k5s1")}},
        "classifiers": {"grid_words": {"ce-fe_tc": probe}},
        "tables": ["table1", "table3", "table4", "table5b", "words"],
        "figures": ["fig6_grid_words", "contact_grid_words"],
    }  # fmt: skip
    (folder / "params.yaml").write_text(yaml.safe_dump(content))
    run("pcpg", "plan", cwd=folder)
    run("git", "init", "--quiet", cwd=folder)
    run("dvc", "init", "--quiet", "--force", cwd=folder)
    shutil.copy(root / ".dvcignore", folder / ".dvcignore")
    assert planned(folder).items() >= TRAININGS.items()
    run("snakemake", "--cores", "2", cwd=folder)
    return folder


def test_every_word_of_every_sentence_is_read(words):
    predictions = pd.read_csv(words / "results/words/runs/grid_words/ce/predictions.csv")
    assert len(predictions) == 2 * 4 * 6  # seeds, sentences of the test speaker, words
    assert predictions["reference"].str.fullmatch("[a-z]+").all()
    notes = pd.read_csv(words / "results/words/clips/grid_words/summary.csv").set_index("what")["count"]
    assert notes["clips made"] == 12 * 6 and notes["frames"] == 12 * 6 * 29


def test_a_run_of_fewer_seeds_is_counted_and_both_engines_know_it(words):
    metrics = {
        run_: (words / f"results/words/runs/grid_words/{run_}/metrics.json").read_text() for run_ in ("ce", "k5s1")
    }
    assert '"2"' in metrics["ce"] and '"2"' not in metrics["k5s1"]
    assert "(1 seed)" in (words / "results/words/table1.md").read_text()
    run("dvc", "commit", "--force", "--quiet", "--no-relink", cwd=words)
    assert "up to date" in run("dvc", "status", cwd=words)
    assert "Nothing to be done" in run("snakemake", "--cores", "2", cwd=words)


def test_its_rows_stand_apart_from_lrws(words):
    for name in ("table1", "table5b"):
        table = (words / f"results/words/{name}.md").read_text()
        above, below = table.split("**GRID words, which the paper has not**")
        assert "GRID words" not in above.split("\n\n", 2)[-1] and "GRID words" in below
    above, below = (words / "results/words/table3.md").read_text().split("**Controls that the paper lacks**")
    assert "GRID words" not in above.split("\n\n", 2)[-1] and "GRID words" in below  # of classifiers it has a control
    assert "| GRID words" not in (words / "results/words/table4.md").read_text()  # whose row the preset does not run
    table = pd.read_csv(words / "results/words/words.csv")
    assert list(table["run"]) == ["ce", "k5s1", "ce-fe_tc"]
    assert table["error_by_word_mean"].between(0, 100).all()


def test_an_edit_of_the_seeds_reruns_only_that_run(words):
    """One training more, its evaluation, and the report."""
    params = read_yaml(words / "params.yaml") | {"fewer_seeds": {}}
    before = (words / "params.yaml").read_text()
    try:
        (words / "params.yaml").write_text(yaml.safe_dump(params))
        found = planned(words)
        assert {rule: found.get(rule, 0) for rule in TRAININGS} == {
            "train": 1,
            "probe": 0,
            "evaluate": 1,
            "classify": 0,
        }
    finally:
        (words / "params.yaml").write_text(before)
