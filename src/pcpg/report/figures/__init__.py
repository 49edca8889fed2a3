"""The paper's figures and ours, drawn from results, clips and weights."""

import logging
import os

# No figure needs a display. A notebook sets its own backend for every process that it starts; where that one is not
# installed, matplotlib cannot be imported. So this is set before any import of it.
os.environ["MPLBACKEND"] = "agg"
# Where the home folder cannot be written matplotlib keeps its list of fonts in a temporary one, and warns of it.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

WIDTH, COLUMN = 7.16, 3.5  # inches: both columns of a page, and one
