"""Generated talking faces, written in each corpus' own format on disk."""

from pcpg.corpora.synthetic.grid import generate_grid
from pcpg.corpora.synthetic.lrw import generate_lrw
from pcpg.corpora.synthetic.lrw1000 import generate_lrw1000

__all__ = ["generate_grid", "generate_lrw", "generate_lrw1000"]
