"""The look of all figures, and what a picture says of its making: nothing, so that equal figures have equal bytes."""

from pathlib import Path

STYLE = Path(__file__).with_name("pcpg.mplstyle")
METADATA = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
