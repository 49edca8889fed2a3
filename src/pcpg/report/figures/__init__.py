"""The paper's figures and ours, drawn from results, clips and weights."""

import logging
import os

# No figure needs a display. A notebook names a backend of its own to all that it starts, and matplotlib, which may not
# have it, then refuses to be imported; so this stands before any import of it.
os.environ["MPLBACKEND"] = "agg"
# Where the home folder cannot be written matplotlib keeps its list of fonts in a temporary one, and says so at length.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

WIDTH, COLUMN = 7.16, 3.5  # inches: both columns of a page, and one
