"""What several processes of one training cost: rows of `make bench`, printed by the first of the processes.

python -m torch.distributed.run --standalone --nproc-per-node 2 -m tests.bench.processes grid-s1-cpu
"""

import sys
from functools import partial
from statistics import median

import torch
import torch.distributed as dist

from pcpg.objectives.base import of_run
from pcpg.settings.load import load
from pcpg.workspace import parallel
from pcpg.workspace.device import choose_device
from tests.bench.speeds import PRESETS, learner, line, made_up_batch, timed

ROUNDS = 20


def main(preset: str) -> None:
    settings = load(PRESETS / f"{preset}.yaml")
    device = choose_device(settings.device)
    torch.set_num_threads(1)
    run = settings.runs["grid"]["k5s1"]
    objective, clips = of_run(run), run.optimisation.batch
    whole = made_up_batch(clips, settings, device)
    make = partial(learner, settings, objective, whole.targets.shape[1], device)
    by_itself = make()  # before the processes know of each other
    parallel.begin(device)
    together = make()
    share = whole.parts(parallel.world())[parallel.rank()]
    times = []
    for _ in range(ROUNDS + 1):  # all processes at the same work at the same time, as in a training
        dist.barrier()
        alone = timed(partial(by_itself.learn, share, 0))
        dist.barrier()
        times.append((alone, timed(partial(together.learn, share, 0))))
    alone, shared = (median(column) for column in zip(*times[1:], strict=True))
    if parallel.rank() == 0:  # the others wait, so that a process has a whole core or card
        one = median(timed(partial(by_itself.learn, whole, 0)) for _ in range(ROUNDS))
        kind = "GPUs" if device.type == "cuda" else "processes of one thread"
        where = f"{preset}, {parallel.world()} {kind}, batch {clips}"
        line(
            f"update of M = {objective.samples}, exchange and waiting against the whole: {where}",
            shared - alone,
            shared,
        )
        line(f"the same update against one process': {where}", shared, one)
    dist.barrier()


if __name__ == "__main__":
    main(sys.argv[1])
