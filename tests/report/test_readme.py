"""README shows the generated tables and nothing else, and its links lead somewhere."""

import re

import pandas as pd
import pytest

from pcpg.report.readme import refresh
from pcpg.report.words import MINUS
from pcpg.workspace.errors import InputError


def test_readme_shows_the_tables_as_generated(root):
    text = (root / "README.md").read_text()
    assert text.count("<!-- begin results/") >= 2 and "/claims.md -->" in text
    assert refresh(text, root) == text, "run: pcpg readme README.md"


def test_every_file_that_readme_names_exists(root):
    for target in re.findall(r"\]\(([^)#:]+)\)", (root / "README.md").read_text()):
        assert (root / target).exists(), target


def test_a_block_is_filled_and_a_missing_file_named(tmp_path):
    (tmp_path / "t.md").write_text("new\n")
    assert refresh("a <!-- begin t.md -->\nold\n<!-- end --> b", tmp_path) == (
        "a <!-- begin t.md -->\n\nnew\n\n<!-- end --> b"
    )
    with pytest.raises(InputError, match=r"u\.md: no such file"):
        refresh("<!-- begin u.md -->\n<!-- end -->", tmp_path)


def test_the_verdict_quotes_the_tables(root):
    """docs/verdict.md repeats some of their numbers: they must be those of the files beside it."""
    text, results = " ".join((root / "docs/verdict.md").read_text().split()), root / "results/grid-s1-cpu"
    one, two = (
        pd.read_csv(results / f"{name}.csv").query("corpus == 'grid'").set_index("run")
        for name in ("table1", "table2a")
    )
    wer = one["wer_mean"].map("{:.1f}".format)
    assert f"cross-entropy has WER {wer['ce']}, k=1 s=1 has {wer['k1s1']}, k=5 s=1 has {wer['k5s1']}" in text
    assert f"k=5 s=5 has {wer['k5s5']}, and the baseline trained on for as long has {wer['ce-continued']}" in text
    for row, what in ((one.loc["k5s1"], "cross-entropy runs"), (two.loc["k5s1"], "k=1 s=1 it runs")):
        low, high, paper = (row[f"{key}"] for key in ("wer_delta_low", "wer_delta_high", "paper_wer_delta"))
        quoted = f" from {low:+.1f} to {high:+.1f}".replace("-", MINUS)
        assert what + quoted in text
        assert f"{paper:+.1f}".replace("-", MINUS) in text
