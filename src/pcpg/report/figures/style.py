"""The look of all figures, and what a picture says of its making: nothing, so that equal figures have equal bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib.style

STYLE = Path(__file__).with_name("pcpg.mplstyle")
METADATA = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}


@contextmanager
def house_style() -> Iterator[None]:
    """Figures that are drawn and saved meanwhile have the project's look, whatever a user's own settings are."""
    with matplotlib.style.context(STYLE, after_reset=True):
        yield
