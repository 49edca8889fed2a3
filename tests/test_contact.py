"""The contact sheet shows the worst clips as such, and each clip once."""

import math

import numpy as np

from pcpg.clips import Quality
from pcpg.corpora.base import write_rows
from pcpg.report import contact
from pcpg.store import IndexRow


def store(folder, repaired: dict[int, int], jitter: dict[int, float], count: int = 30):
    folder.mkdir()
    index = [IndexRow(f"s1/{k}", "s1", "train", "now", -1, 5 * k, 5) for k in range(count)]
    frames = np.arange(count, dtype=np.uint8).repeat(5)[:, None, None].repeat(8, 1).repeat(8, 2)
    np.save(folder / "frames.npy", frames)
    write_rows(folder / "index.csv", IndexRow, index)
    quality = [Quality(f"s1/{k}", 5, 0, repaired.get(k, 0), 0, jitter.get(k, 0.1), 1.0) for k in range(count)]
    write_rows(folder / "quality.csv", Quality, quality)
    return folder


def test_the_worst_are_the_most_repaired_then_the_most_unsteady(tmp_path):
    folder = store(tmp_path / "grid", {7: 2, 3: 4}, {20: 5.0, 21: 4.0, 3: math.nan})
    chance, worst = contact.read(folder)
    assert [shown.caption.split(":")[0] for shown in worst[:4]] == ["s1/3", "s1/7", "s1/20", "s1/21"]
    assert worst[0].caption == "s1/3: “now”, 5 frames, 4 repaired"
    assert worst[2].caption == "s1/20: “now”, 5 frames, jitter 5.00 px"
    assert len(chance) == len(worst) == contact.EACH
    names = [shown.caption.split(":")[0] for shown in chance + worst]
    assert len(set(names)) == 2 * contact.EACH
    for shown in chance + worst:  # its own frames
        assert (shown.frames == int(shown.caption.split(":")[0][3:])).all()
    assert [shown.caption for shown in contact.read(folder)[0]] == [shown.caption for shown in chance]


def test_a_small_store_is_shown_whole(tmp_path):
    store(tmp_path / "grid", {}, {}, count=3)
    figure = contact.draw("grid", tmp_path)
    assert len(figure.axes) == 3
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        f"s1/{k}: “now”, 5 frames, jitter 0.10 px" for k in range(3)
    ]
