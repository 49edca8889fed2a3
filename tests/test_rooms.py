"""The rooms of the package: data pass them in one order; nothing is imported from a room further on, or in a circle."""

import graphlib
from pathlib import Path

import pytest

from pcpg.workspace import code
from pcpg.workspace.errors import InputError

ORDER = (
    "workspace", "settings", "corpora", "mouths", "reader", "objectives", "learning",
    "report.results", "report.tables", "report.claims", "report.figures", "report.page",
)  # fmt: skip
ABOVE = ("transcribe", "parameters", "commands", "cli")  # what stands outside the rooms, in this order
LEVELS = {
    **{room: level for level, room in enumerate(ORDER)},
    **{name: len(ORDER) + level for level, name in enumerate(ABOVE)},
}
FILES = sorted(code.PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(("pcpg", *path.relative_to(code.PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def room_of(module: str) -> str | None:
    """The longest room that a module stands in; None for the package, and for what serves all of report/."""
    inside = module.removeprefix("pcpg").removeprefix(".")
    return next((room for room in sorted(LEVELS, key=len, reverse=True) if f"{inside}.".startswith(f"{room}.")), None)


def imports() -> dict[str, set[str]]:
    """Module -> those it imports anywhere. Who takes a module out of a package does not ask for the package's own."""
    found = {}
    for path in FILES:
        wanted = set(code._imports(path))
        packages = {name for name in wanted if any(other.startswith(f"{name}.") for other in wanted)}
        plain = {name for name in packages if code._file(name).name == "__init__.py"}
        found[name_of(path)] = wanted - plain - {name_of(path)}
    return found


def too_high(found: dict[str, set[str]]) -> list[str]:
    wrong = []
    for module, wanted in found.items():
        room = room_of(module)
        for other in wanted:
            above = room_of(other)
            if room is None and module.startswith("pcpg.report"):  # names, formats: below what they serve
                bad = above is not None and LEVELS[above] >= len(ORDER)
            elif room is None:
                bad = above not in ("workspace", None)
            elif above is None:  # of report/: nobody below report
                bad = other.startswith("pcpg.report") and LEVELS[room] < LEVELS["report.results"]
            else:
                bad = LEVELS[above] > LEVELS[room] or (LEVELS[above] == LEVELS[room] and above != room)
            if bad:
                wrong.append(f"{module} imports {other}")
    return wrong


def test_every_module_stands_in_a_room():
    outside = [name_of(path) for path in FILES if room_of(name_of(path)) is None]
    assert all(name == "pcpg" or name.startswith("pcpg.report") for name in outside)
    rooms = {path.name for path in code.PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == {room.split(".")[0] for room in ORDER}


def test_nothing_is_imported_from_a_room_further_on():
    assert too_high(imports()) == []


def test_an_import_from_where_a_module_stands_is_refused(tmp_path):
    """Else the module would be missing from the checksum of every stage that runs it."""
    path = tmp_path / "loss.py"
    path.write_text("import math\n\nfrom .base import Objective\n")
    with pytest.raises(InputError, match="loss.py, line 3: import by the whole name"):
        code._imports(path)


def test_no_module_imports_itself_by_a_detour():
    order = [*graphlib.TopologicalSorter(imports()).static_order()]  # CycleError names the circle
    assert len(order) >= len(FILES)


@pytest.mark.parametrize(
    ("module", "other"),
    [
        ("pcpg.workspace.files", "pcpg.settings.load"), ("pcpg.settings.plan", "pcpg.objectives.base"),
        ("pcpg.reader.batches", "pcpg.learning.loop"), ("pcpg.report.tables.write", "pcpg.report.figures.write"),
        ("pcpg.report.results.stats", "pcpg.report.page"), ("pcpg.learning.train", "pcpg.report.formats"),
        ("pcpg.report.formats", "pcpg.cli"), ("pcpg.parameters", "pcpg.commands"),
    ],
)  # fmt: skip
def test_a_wrong_import_is_seen(module, other):
    assert too_high({module: {other}}) == [f"{module} imports {other}"]
    assert too_high({other: {module}}) == []
