"""On a GPU: the same numbers as on the processor, the same bytes twice, and bfloat16 near float32."""

from pathlib import Path

import pytest
import torch
from torch.nn.utils import parameters_to_vector

from pcpg.learning.epochs import Training
from pcpg.learning.loop import Learner
from pcpg.learning.session import Session
from pcpg.mouths.store import ClipStore
from pcpg.objectives.base import Context, of_run
from pcpg.reader.decode import beam_search, greedy
from pcpg.reader.network import LipReader
from pcpg.reader.view import View
from pcpg.settings.load import load
from pcpg.workspace.seeding import seed_process
from tests.bench.objectives import learners

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
SIZES = dict(
    stem_channels=8, stem_kernel=[5, 5, 5], stem_stride=[1, 2, 2], stem_pool=True, widths=[8, 16], blocks=1,
    encoder_layers=2, encoder_hidden=16, directions="concat", decoder_layers=2, decoder_hidden=16, embedding=8,
    attention=16, dropout=0.0,
)  # fmt: skip


def batches_on(toy, device: torch.device) -> list:
    store = ClipStore(toy / "clips/smoke/grid")
    view = View(crop=64, shift=4, pool=2, flip=True, repeat=0.1, mean=0.5, std=0.2)
    return list(Training(store, store.select("train"), 4, view, device, 1).epoch(0))


@pytest.fixture(autouse=True)
def deterministic():
    seed_process(1, torch.get_num_threads())
    yield
    torch.use_deterministic_algorithms(False)


def learn(toy, device: str, precision: str = "float32", run: str = "k5s1", **sizes) -> tuple[list[float], torch.Tensor]:
    """Losses of three updates of a run of the smoke preset, and the weights after them."""
    device = torch.device(device)
    torch.manual_seed(1)
    model = LipReader(**SIZES | sizes).to(device)
    run = load(Path(__file__).parents[1] / "smoke.params.yaml").runs["grid"][run]
    settings = run.optimisation.model_copy(update={"learning_rate": 0.001})
    where = Session("test", 1, device, precision, "", *[Path()] * 4)
    learner = Learner(model, of_run(run), Context(30), settings, 10, where)
    losses = [float(learner.learn(batch, number)["ce"]) for number, batch in enumerate(batches_on(toy, device))]
    return losses, parameters_to_vector(model.parameters()).detach().cpu()


def test_batches_are_those_of_the_processor(toy):
    for ours, theirs in zip(batches_on(toy, torch.device("cpu")), batches_on(toy, torch.device("cuda")), strict=True):
        assert torch.allclose(ours.frames, theirs.frames.cpu(), atol=1e-5)
        assert torch.equal(ours.targets, theirs.targets.cpu())


def test_the_first_losses_are_those_of_the_processor(toy):
    ours, theirs = learn(toy, "cpu")[0], learn(toy, "cuda")[0]
    assert theirs == pytest.approx(ours, rel=1e-3)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_objective_twice_gives_the_same_bytes(root, precision):
    """Torch warns, which fails a test, where it knows no fixed order."""
    family, smoke = load(root / "presets/grid-s1-objectives.yaml"), load(root / "tests/smoke.params.yaml")
    smoke = smoke.model_copy(update={"precision": precision})

    def three_updates() -> dict[str, tuple]:
        torch.manual_seed(1)  # of the made-up clips
        return {
            name: ([one.learn(batch, number) for number in range(3)], parameters_to_vector(one.model.parameters()))
            for name, _, one, batch in learners(smoke, family, 4, torch.device("cuda"))
        }

    for (name, (losses, weights)), (again, same) in zip(three_updates().items(), three_updates().values(), strict=True):
        assert losses == again and torch.equal(weights, same), name


def test_bfloat16_is_near_float32(toy):
    assert learn(toy, "cuda", "bfloat16")[0] == pytest.approx(learn(toy, "cuda")[0], rel=0.02)


def test_decoding_is_that_of_the_processor(toy):
    found = []
    for name in ("cpu", "cuda"):
        torch.manual_seed(1)
        model = LipReader(**SIZES).to(name).eval()
        batch = batches_on(toy, torch.device(name))[0]
        with torch.no_grad():
            memory = model.encode(batch.frames, batch.lengths)
            ranked, scores = beam_search(model.decoder, memory, 5, 20, 1.0)
            found.append((greedy(model.decoder, memory, 20).cpu(), ranked.cpu(), scores.cpu()))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1][:, 0], found[1][1][:, 0])
    assert torch.allclose(found[0][2], found[1][2], atol=1e-3)
