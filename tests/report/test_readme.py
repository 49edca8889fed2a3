"""Blocks of a page that show a generated file; whether the pages show what is generated, test_docs.py asks."""

import pytest

from pcpg.report.readme import refresh
from pcpg.workspace.errors import InputError


def test_a_block_is_filled_and_a_missing_file_named(tmp_path):
    (tmp_path / "t.md").write_text("new\n")
    assert refresh("a <!-- begin t.md -->\nold\n<!-- end --> b", tmp_path) == (
        "a <!-- begin t.md -->\n\nnew\n\n<!-- end --> b"
    )
    with pytest.raises(InputError, match=r"u\.md: no such file"):
        refresh("<!-- begin u.md -->\n<!-- end -->", tmp_path)


def test_verdicts_stand_side_by_side(tmp_path):
    for preset, rows in {
        "a": ["C1,fine-tuned,one beats two,reproduced (GRID; fine-tuned)", "C3,fine-tuned,three,not run"],
        "b": ["C2,fine-tuned,two,reversed (GRID; fine-tuned)", "C1,fine-tuned,one beats two,not run"],
    }.items():
        (tmp_path / preset).mkdir()
        (tmp_path / preset / "claims.csv").write_text("\n".join(["claim,regime,statement,verdict", *rows]) + "\n")
    text = refresh("<!-- begin a/claims.csv b/claims.csv -->\n<!-- end -->", tmp_path).splitlines()
    assert text[2:-2] == [
        "| | Claim | a | b |",
        "| --- | --- | --- | --- |",
        "| C1, fine-tuned | one beats two | reproduced (GRID) | – |",
        "| C2, fine-tuned | two | – | reversed (GRID) |",
    ]
    (tmp_path / "a/claims.csv").write_text("claim,regime\n")
    with pytest.raises(InputError, match=r"a/claims\.csv: no column"):
        refresh("<!-- begin a/claims.csv -->\n<!-- end -->", tmp_path)
