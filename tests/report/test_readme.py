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
