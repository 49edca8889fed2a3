"""Keeps the tables of README.md and docs equal to the generated ones: a block between two marks shows its files."""

import re
from pathlib import Path

from pcpg.report.claims.beside import verdicts_beside
from pcpg.workspace.errors import InputError

_BLOCK = re.compile(r"(<!-- begin (?P<files>[^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(path, "is no text in UTF-8") from None


def refresh(text: str, folder: Path) -> str:
    """`text` with every block `<!-- begin FILE -->` .. `<!-- end -->` filled from `folder`/FILE.

    Files named claims.csv are shown as their verdicts side by side, any other file as it is.
    """

    def fill(block: re.Match) -> str:
        paths = [folder / file for file in block["files"].split()]
        for path in paths:
            if not path.is_file():
                raise InputError(path, "no such file; a page shows it")
        claims = all(path.name == "claims.csv" for path in paths)
        shown = verdicts_beside(paths) if claims else "\n".join(map(text_of, paths))
        return f"{block[1]}\n{shown.strip()}\n\n{block[3]}"

    return _BLOCK.sub(fill, text)
