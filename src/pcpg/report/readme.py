"""Keeps the tables in README.md equal to the generated ones: a block between two marks is a file's content."""

import re
from pathlib import Path

from pcpg.workspace.errors import InputError

_BLOCK = re.compile(r"(<!-- begin (?P<file>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def refresh(text: str, folder: Path) -> str:
    """`text` with every block `<!-- begin FILE -->` .. `<!-- end -->` filled from `folder`/FILE."""

    def fill(block: re.Match) -> str:
        path = folder / block["file"]
        if not path.is_file():
            raise InputError(path, "no such file; README.md shows it")
        return f"{block[1]}\n{path.read_text(encoding='utf-8').strip()}\n\n{block[3]}"

    return _BLOCK.sub(fill, text)
