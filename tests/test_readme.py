"""README shows the generated tables and nothing else, and its links lead somewhere."""

import re

import pytest

from pcpg.errors import InputError
from pcpg.report.readme import refresh


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
