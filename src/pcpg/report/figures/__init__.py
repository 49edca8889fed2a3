"""The paper's figures and ours, drawn from results, clips and weights."""

import os

# No figure needs a display. A notebook names a backend of its own to all that it starts, and matplotlib, which may not
# have it, then refuses to be imported; so this stands before any import of it.
os.environ["MPLBACKEND"] = "agg"
