"""Sizes of the network against formulas worked out by hand, and of the paper's body against ResNet-18."""

import pytest
import torchvision

from pcpg.reader.network import LipReader
from pcpg.reader.sizes import describe, measure
from pcpg.settings.load import load
from pcpg.settings.training import Network, ViewKeys
from pcpg.workspace.errors import InputError

FRAMES, CHARACTERS, CLASSES = 20, 9, 40
SEEN = ViewKeys(crop=32, shift=0, pool=2, flip=True, repeat=0)
TINY = {
    "stem_channels": 3, "stem_kernel": [5, 3, 3], "stem_stride": [3, 2, 2],
    "stem_pool": False, "widths": [8, 6], "blocks": 1, "encoder_layers": 2, "encoder_hidden": 5,
    "directions": "concat", "decoder_layers": 2, "decoder_hidden": 12, "embedding": 7, "attention": 11, "dropout": 0.3,
}  # fmt: skip


@pytest.fixture
def tiny() -> Network:
    return Network(**TINY)


def gru(inputs: int, hidden: int) -> int:
    """One step in one direction: three gates, each a product with the input and one with the state."""
    return 2 * 3 * (inputs + hidden) * hidden


@pytest.mark.parametrize(
    ("changes", "side", "memory"),
    [({}, 8, 10), ({"stem_pool": True}, 4, 10), ({"directions": "sum"}, 8, 5)],
    ids=["plain", "max-pool", "directions summed"],
)
def test_flops_by_hand(tiny, changes, side, memory):
    """32 pixels, averaged to 16, are 8 behind the stem; 20 frames by stride 3 are 7 encoder steps."""
    sizes = measure(SEEN, tiny.model_copy(update=changes), FRAMES, CHARACTERS)
    steps, area = 7, side * side
    first = 2 * 3 * 8 * area + 2 * 9 * 3 * 8 * area + 2 * 9 * 8 * 8 * area  # 1x1 shortcut from 3 to 8, two 3x3
    second = (2 * 8 * 6 + 2 * 9 * 8 * 6 + 2 * 9 * 6 * 6) * (area // 4)
    assert {part: size.flops for part, size in sizes.items()} == {
        "stem": 2 * 5 * 3 * 3 * 1 * 3 * steps * 8 * 8,
        "residual body": steps * (first + second),
        "encoder GRU": steps * 2 * (gru(6, 5) + gru(10, 5)),
        "attention": 2 * steps * memory * 11 + CHARACTERS * (2 * 12 * 11 + 2 * steps * 11 + 2 * steps * memory),
        "decoder GRU": 2 * 10 * (2 * 12) + CHARACTERS * (gru(7 + memory, 12) + gru(12, 12)),
        "embedding and output": CHARACTERS * 2 * (12 + memory) * CLASSES,
    }


def test_parameters_by_hand(tiny):
    """Two biases a gate in torch's GRU; a scale and a shift behind each convolution, which has no bias."""
    sizes = measure(SEEN, tiny, FRAMES, CHARACTERS)
    first = 3 * 8 + 9 * 3 * 8 + 9 * 8 * 8 + 3 * 2 * 8
    second = 8 * 6 + 9 * 8 * 6 + 9 * 6 * 6 + 3 * 2 * 6
    assert {part: size.parameters for part, size in sizes.items()} == {
        "stem": 5 * 3 * 3 * 3 + 2 * 3,
        "residual body": first + second,
        "encoder GRU": 2 * 3 * ((6 + 5 + 2) * 5 + (10 + 5 + 2) * 5),
        "attention": 10 * 11 + (12 + 1) * 11 + 11,
        "decoder GRU": (10 + 1) * 24 + 3 * ((17 + 12 + 2) * 12 + (12 + 12 + 2) * 12),
        "embedding and output": CLASSES * 7 + (12 + 10 + 1) * CLASSES,
    }


@pytest.mark.parametrize("file", ["params.yaml", "presets/paper.yaml"])
def test_no_parameter_is_left_out(root, file):
    settings = load(root / file)
    sizes = measure(settings.view["grid"], settings.network["grid"], 1, 1)
    model = LipReader(**settings.network["grid"].model_dump())
    assert sum(size.parameters for size in sizes.values()) == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("corpus", ["grid", "lrw", "lrw1000"])
def test_the_body_of_the_paper_preset_is_resnet18(root, corpus):
    settings = load(root / "presets" / "paper.yaml")
    reference = torchvision.models.resnet18(weights=None)
    outside = [reference.conv1, reference.bn1, reference.fc]
    count = sum(p.numel() for p in reference.parameters()) - sum(p.numel() for m in outside for p in m.parameters())
    assert count == 11_166_976
    assert measure(settings.view[corpus], settings.network[corpus], 1, 1)["residual body"].parameters == count


def test_the_table_adds_up(tiny):
    sizes, rows = measure(SEEN, tiny, FRAMES, CHARACTERS), describe(SEEN, tiny, FRAMES, CHARACTERS).splitlines()
    total = rows[2 + len(sizes)]
    parameters = sum(size.parameters for size in sizes.values())
    flops = sum(size.flops for size in sizes.values())
    assert total == f"| total | {parameters:,} | {flops / 1e9:.3f} | 100.0% |"
    assert "20 frames of 16 x 16 pixels, 9 decoder steps" in rows[-2]


@pytest.mark.parametrize(("frames", "characters", "name"), [(0, 1, "frames"), (1, 0, "characters")])
def test_a_clip_of_nothing_is_refused(tiny, frames, characters, name):
    with pytest.raises(InputError, match=f"{name}: 0 is not at least 1"):
        measure(SEEN, tiny, frames, characters)
