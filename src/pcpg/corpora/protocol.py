"""Under which protocol the test results of a corpus are to be read."""

from pathlib import Path

from pcpg.settings.corpus import GridRaw, Lrw1000Raw, LrwRaw


def protocol(settings: GridRaw | LrwRaw | Lrw1000Raw) -> str:
    """Its name, and whether anybody spoke."""
    if isinstance(settings, GridRaw):
        lists = settings.lists
        name = f"lists {Path(lists.train).name} and {Path(lists.test).name}" if lists else settings.split
    else:
        name = settings.protocol if isinstance(settings, Lrw1000Raw) else "official"
    return f"{name}, generated corpus" if settings.source == "synthetic" else name
