"""What an update of each objective takes against one of cross-entropy: `python -m tests.bench.objectives`.

The runs are those of presets/grid-s1-objectives.yaml, at that preset's network and at the paper's. An update is one
step: of several passes over a draw, the mean of them. Where there is a GPU it is timed, and no processor. With the word
`fast` behind it the libraries use what is fastest, as numerics: fast does.
"""

import sys
from functools import partial
from pathlib import Path

from pcpg.workspace import numerics

if "fast" in sys.argv:
    numerics.fast()  # before torch is imported

import torch

from pcpg.learning.loop import Learner
from pcpg.learning.session import Session
from pcpg.objectives.base import Context, of_run
from pcpg.objectives.mwer import minimum_risk
from pcpg.objectives.ocd import optimal_characters
from pcpg.objectives.rewards import prefix_edit_distances
from pcpg.objectives.stored import draw_texts
from pcpg.reader.network import LipReader, frozen
from pcpg.settings.load import load
from pcpg.settings.schema import Params
from tests.bench.speeds import PRESETS, fastest, made_up_batch


def learners(settings: Params, family: Params, size: int, device: torch.device):
    """(run, learner, batch) of one run of each kind; random weights, so every text is as long as it may be."""
    batch = made_up_batch(size, settings, device)
    steps = batch.targets.shape[1]
    precision = settings.precision if device.type == "cuda" else "float32"
    where = Session("bench", 0, device, precision, "", *[Path()] * 4)
    runs = {name: run for name, run in family.runs["grid"].items() if name != "ce"}  # ce-continued, the first, is it
    for name, run in runs.items():
        torch.manual_seed(0)
        network = LipReader(**settings.network["grid"].model_dump()).to(device)
        objective, anchor = of_run(run), frozen(network)
        texts = draw_texts(anchor, [batch], 1, steps, objective.stored, 1.0) if objective.stored else None
        context = Context(steps, anchor if objective.anchored else None, objective.own_parameters(network), texts)
        still = run.optimisation.model_copy(update={"learning_rate": 1e-6})  # random weights soon diverge
        yield name, objective, Learner(network, objective, context, still, 1000, where), batch


def table(settings: Params, family: Params, size: int, repeats: int, device: torch.device) -> None:
    on = torch.cuda.get_device_name() if device.type == "cuda" else "one thread"
    print(f"\n## {settings.preset}, batch {size}, {on}\n")
    print("| run | ms an update | clips a second | against ce-continued |\n| --- | ---: | ---: | ---: |")
    forced = None
    for name, objective, one, batch in learners(settings, family, size, device):  # one at a time: memory
        forced = forced or one
        ours, plain = fastest([partial(learner.learn, batch, 0) for learner in (one, forced)], repeats)
        seconds = ours / objective.passes
        print(f"| {name} | {1e3 * seconds:.0f} | {size / seconds:.0f} | {seconds / plain:.2f} |", flush=True)


def functions() -> None:
    """The pure functions of MWER and OCD beside pydrobert-pytorch's: 160 texts of 30 characters, references of 28."""
    try:
        from pydrobert.torch.layers import MinimumErrorRateLoss
        from pydrobert.torch.util import optimal_completion
    except ImportError:
        print("\npydrobert-pytorch is not installed: its functions were not timed")
        return
    hyp, ref = torch.randint(3, 40, (160, 30)), torch.randint(3, 40, (32, 28)).repeat_interleave(5, 0)
    log_probs, lengths = torch.randn(32, 5, requires_grad=True), torch.full((160,), 28)
    theirs = MinimumErrorRateLoss(batch_first=True, norm=False, reduction="none")

    def ours_mwer() -> None:
        errors = prefix_edit_distances(hyp, ref, lengths)[:, -1].view(32, 5)
        minimum_risk(log_probs, errors.float()).backward()

    def theirs_mwer() -> None:
        theirs(log_probs, ref.view(32, 5, 28)[:, 0], hyp.view(32, 5, 30)).sum().backward()

    actions = [
        ours_mwer, theirs_mwer, lambda: optimal_characters(hyp, ref, lengths),
        lambda: optimal_completion(ref, hyp, batch_first=True, exclude_last=True, warn=False),
    ]  # fmt: skip
    times = [1e3 * seconds for seconds in fastest(actions, 20)]
    print("\n| function | ours, ms | pydrobert, ms |\n| --- | ---: | ---: |")
    print(f"| minimum error rate, distances and gradient | {times[0]:.2f} | {times[1]:.2f} |")
    print(f"| optimal completions | {times[2]:.2f} | {times[3]:.2f} |")


def main(repeats: int) -> None:
    torch.set_num_threads(1)
    family, paper = load(PRESETS / "grid-s1-objectives.yaml"), load(PRESETS / "paper.yaml")
    if torch.cuda.is_available():
        table(paper, family, paper.runs["grid"]["ce"].optimisation.batch, repeats, torch.device("cuda"))
        return
    table(load(PRESETS / "grid-s1-cpu.yaml"), family, 8, repeats, torch.device("cpu"))
    table(paper, family, 2, max(1, repeats // 3), torch.device("cpu"))
    functions()


if __name__ == "__main__":
    main(next((int(word) for word in sys.argv[1:] if word.isdigit()), 6))
