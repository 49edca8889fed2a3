"""The contact sheet shows the worst clips as such, and each clip once."""

import math

import numpy as np

from pcpg.corpora.base import Clip
from pcpg.mouths.store import Quality, Region
from pcpg.report.figures import contact
from tests.conftest import store_of


def store(folder, repaired: dict[int, int], jitter: dict[int, float], count: int = 30):
    clips = [Clip(f"s1/{k}", "", "s1", "train", "now", -1, 0, 0) for k in range(count)]
    frames = [np.full((5, 8, 8), k, np.uint8) for k in range(count)]
    quality = [Quality(f"s1/{k}", 5, 0, repaired.get(k, 0), 0, jitter.get(k, 0.1), 1.0) for k in range(count)]
    return store_of(folder, clips, frames, 2, quality, Region(kind="landmarks", landmarks="sidecar", size=8))


def test_the_worst_are_the_most_repaired_then_the_most_unsteady(tmp_path):
    folder = store(tmp_path / "grid", {7: 2, 3: 4}, {20: 5.0, 21: 4.0, 3: math.nan})
    chance, worst = contact.pick_clips(folder)
    assert [caption.split(":")[0] for caption, _ in worst[:4]] == ["s1/3", "s1/7", "s1/20", "s1/21"]
    assert worst[0][0] == "s1/3: “now”, 5 frames, 4 repaired"
    assert worst[2][0] == "s1/20: “now”, 5 frames, jitter 5.00 px"
    assert len(chance) == len(worst) == contact.EACH
    names = [caption.split(":")[0] for caption, _ in chance + worst]
    assert len(set(names)) == 2 * contact.EACH
    for caption, frames in chance + worst:  # its own frames
        assert (frames == int(caption.split(":")[0][3:])).all()
    assert [caption for caption, _ in contact.pick_clips(folder)[0]] == [caption for caption, _ in chance]


def test_a_small_store_is_shown_whole(tmp_path):
    store(tmp_path / "grid", {}, {}, count=3)
    figure = contact.draw_contact_sheet("grid", tmp_path / "grid")
    assert len(figure.axes) == 3
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        f"s1/{k}: “now”, 5 frames, jitter 0.10 px" for k in range(3)
    ]
