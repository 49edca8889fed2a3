"""The look of all figures, and what a picture says of its making: nothing, so that equal figures have equal bytes."""

from functools import partial
from pathlib import Path

import matplotlib.style

STYLE = Path(__file__).with_name("pcpg.mplstyle")
METADATA = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
# figures that are drawn and saved within house_style() have the project's look, whatever a user's own settings are
house_style = partial(matplotlib.style.context, STYLE, after_reset=True)
