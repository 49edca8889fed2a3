"""One training in several processes: torchrun starts them, on several machines through Slurm's srun."""

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

from pcpg.workspace.errors import SettingError

MEETING = "PCPG_MEETING"  # host:port where the machines of one training find each other


def spread(processes: int, nodes: int) -> int | None:
    """Run this command line in `processes` processes and return their exit status; None in each of them, and for one.

    `torchrun -m pcpg.cli ...` by hand does without this.
    """
    if processes == 1 or "LOCAL_RANK" in os.environ:
        return None
    if nodes > 1 and MEETING not in os.environ:
        return _on_each(nodes)
    return _on_this_machine(processes // nodes, nodes)


def wait_for_turn() -> None:
    """All processes of a machine meet the same error: the first prints it, the others wait until torchrun ends them."""
    if os.environ.get("LOCAL_RANK", "0") != "0":
        time.sleep(5)


def _on_each(nodes: int) -> int:
    """This command line again, once on each machine of the Slurm job."""
    if shutil.which("srun") is None:
        raise SettingError("nodes", f"{nodes} machines are for jobs of Slurm, and there is no srun here")
    with socket.socket() as free:
        free.bind(("", 0))
        meeting = f"{socket.gethostname()}:{free.getsockname()[1]}"
    command = ["srun", f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1", "--kill-on-bad-exit"]
    again = [sys.executable, "-m", "pcpg.cli", *sys.argv[1:]]
    return subprocess.run([*command, *again], env=os.environ | {MEETING: meeting}).returncode


def _on_this_machine(processes: int, nodes: int) -> int:
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as torchrun

    logging.disable()  # in this process; those that it starts have their own logs
    meet = ["--standalone"]
    if nodes > 1:
        meet = [f"--nnodes={nodes}", "--rdzv-backend=c10d", f"--rdzv-endpoint={os.environ[MEETING]}"]
    try:
        torchrun([*meet, f"--nproc-per-node={processes}", "--module", "pcpg.cli", *sys.argv[1:]])
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode >= 0:
            return failure.exitcode
        name = signal.Signals(-failure.exitcode).name
        print(f"pcpg: process {rank} of this training was ended by {name}; run it again", file=sys.stderr)
        return 3
    except SignalException as error:
        return 128 + error.sigval
    return 0
