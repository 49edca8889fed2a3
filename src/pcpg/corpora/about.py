"""What is known of a corpus without reading it: where it is, how long its clips are, by which protocol it is tested.

No reader and no setting is imported here, so that the stages after `raw` do not run again when one of those changes.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pcpg.settings.corpus import GridRaw, Lrw1000Raw, LrwRaw

# the numbers of frames that a whole clip may have, where not each has its own; decoders disagree on LRW
FRAMES = {"grid": (75,), "grid_words": (29,), "lrw": (29, 30)}
WINDOWED = ("grid_words",)  # clips are windows of longer ones, whose mouths are found once


def corpus_root(settings: "GridRaw | LrwRaw | Lrw1000Raw", folder: Path) -> Path:
    """Where the corpus' files lie: inside the stage's own folder if generated, else where the user has them."""
    return folder / "corpus" if settings.source == "synthetic" else Path(settings.root)


def whole_clip(window: str) -> str:
    """The name of the clip that a window was cut from: "s1/bbaf2n/1-bin" -> "s1/bbaf2n"; a whole clip's is its own."""
    return "/".join(window.split("/")[:2])


def protocol(settings: "GridRaw | LrwRaw | Lrw1000Raw") -> str:
    """The name of the protocol of its tests, and whether the corpus is generated."""
    lists = getattr(settings, "lists", None)
    if lists:
        name = f"lists {Path(lists.train).name} and {Path(lists.test).name}"
    else:
        name = getattr(settings, "split", None) or getattr(settings, "protocol", "official")
    return f"{name}, generated corpus" if settings.source == "synthetic" else name
