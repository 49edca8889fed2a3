"""The checksum of the code that a stage runs: its functions in commands.py, and all modules of ours that they import.

Comments, docstrings and blank lines do not count: an edit of them reruns nothing. The checksum is the same whatever
version of Python computes it.
"""

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pcpg.workspace.errors import InputError

PACKAGE = Path(__file__).parents[1]
CHOSEN = {"raw": "corpora", "train": "objectives"}  # stage -> the package of the one module that its job names


def refuse_other_clone() -> None:
    """InputError in the root of a clone whose code is another than what runs: an edit there would do nothing."""
    here, ours = Path("src/pcpg"), Path(__file__).parents[1]
    if Path(".git").exists() and here.is_dir() and not here.samefile(ours) and _modules(here) != _modules(ours):
        raise InputError(here, f"is not the code that runs, which is {ours}; activate this clone's own .venv")


def _modules(package: Path) -> dict[Path, bytes]:
    return {path.relative_to(package): path.read_bytes() for path in package.rglob("*.py")}


@cache
def of_stage(stage: str, chosen: str = "") -> str:
    """Checksum, 16 hexadecimal digits, of the code that a sub-command runs.

    chosen: of `train` the objective, of `raw` the corpus; no other objective or corpus' reader counts.
    """
    text, files = _sources(stage, chosen)
    digest = hashlib.sha256(text.encode())
    for path in sorted(files):
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\n{_content(path)}".encode())
    return digest.hexdigest()[:16]


def _sources(stage: str, chosen: str = "") -> tuple[str, set[Path]]:
    """Text of a sub-command, and the files of all that it imports and of the module that is chosen."""
    text, imported = _function("pcpg.commands", stage)
    return text, _closure(imported | ({f"pcpg.{CHOSEN[stage]}.{chosen}"} if chosen else set()))


def _closure(modules: set[str]) -> set[Path]:
    seen: set[str] = set()
    files: set[Path] = set()
    while modules - seen:
        name = (modules - seen).pop()
        seen.add(name)
        path = _file(name)
        if path is None:
            continue
        files.add(path)
        parent = name.rpartition(".")[0]
        modules |= _imports(path) | ({parent} if parent else set())
        # style sheets, templates: a file beside a module counts if the module names it
        files |= {data for data in _data(path.parent) if data.name in _text(path)}
    return files


def _file(module: str) -> Path | None:
    """Of pcpg.a.b the file a/b.py, or a/b/__init__.py; None for what is no module of ours."""
    parts = module.split(".")
    if parts[0] != PACKAGE.name:
        return None
    place = PACKAGE.joinpath(*parts[1:])
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(_text(path))


@cache
def _data(folder: Path) -> tuple[Path, ...]:
    return tuple(path for path in folder.iterdir() if path.is_file() and path.suffix not in (".py", ".pyc"))


@cache
def _imports(path: Path) -> frozenset[str]:
    return frozenset(_imported(_tree(path), path))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """`node` and the statements in it, but for those that only type checkers read; a tenth of what ast.walk yields."""
    yield node
    for block in ("body", "handlers", "orelse", "finalbody", "cases"):
        if block != "body" or not _only_typing(node):
            for part in getattr(node, block, ()):
                yield from _statements(part)


def _imported(tree: ast.AST, path: Path) -> set[str]:
    """Modules of ours that are imported anywhere in `tree`, but for those that only type checkers read.

    InputError for a relative import, which the checksum would miss.
    """
    names: set[str] = set()
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise InputError(f"{path}, line {node.lineno}", "import by the whole name, which begins with pcpg")
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in names if _file(name) is not None}


def _only_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _function(module: str, name: str) -> tuple[str, set[str]]:
    """Text of a function and of those of its module that it calls, and what they import."""
    path = _file(module)
    defined = {node.name: node for node in _tree(path).body if isinstance(node, ast.FunctionDef)}
    seen: dict[str, ast.FunctionDef] = {}
    waiting = [name]
    while waiting:
        node = defined[waiting.pop()]
        if node.name not in seen:
            seen[node.name] = node
            waiting += [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and each.id in defined]
    bare = _bare(path).splitlines()
    lines = [
        line
        for node in sorted(seen.values(), key=lambda node: node.lineno)
        for line in bare[node.lineno - 1 : node.end_lineno]
    ]
    imported = set().union(*(_imported(node, path) for node in seen.values()))
    return "\n".join(line for line in lines if line), imported


@cache
def _content(path: Path) -> str:
    """The part of a file that counts: the statements of a module, all of any other file."""
    if path.suffix != ".py":
        return _text(path)
    return "\n".join(line for line in _bare(path).splitlines() if line)


def _bare(path: Path) -> str:
    """Python without comments and docstrings, lines where they were."""
    source = _text(path)
    lines = [line.encode() for line in source.splitlines()]
    for node in _statements(_tree(path)):
        first = node.body[0] if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            _blank(lines, (first.lineno, first.col_offset), (first.end_lineno, first.end_col_offset))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            _blank(lines, (row, len(token.line[:column].encode())), (row, len(lines[row - 1])))
    return "\n".join(line.decode().rstrip() for line in lines)


def _blank(lines: list[bytes], start: tuple[int, int], end: tuple[int, int]) -> None:
    """Empty what stands between two places, given as line from 1 and byte from 0."""
    (first, left), (last, right) = start, end
    for row in range(first - 1, last):
        begin, stop = left if row == first - 1 else 0, right if row == last - 1 else len(lines[row])
        lines[row] = lines[row][:begin] + b" " * max(0, stop - begin) + lines[row][stop:]
