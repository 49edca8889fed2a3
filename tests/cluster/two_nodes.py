"""A Slurm of two nodes on loopback, for tests: munge, controller and node daemons, all in a temporary folder.

    python tests/cluster/two_nodes.py COMMAND ...   # runs the command while the cluster is up, then takes it down

Needs Debian's slurm-wlm and munge, no service of theirs, and no root: daemons and jobs belong to whoever starts this.
Both nodes are this machine, each with all its cores and half its memory. Nothing is limited or measured (task/none),
there is no accounting, and a GPU is a name without a device behind it.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ("munged", "mungekey", "slurmctld", "slurmd", "sbatch", "sinfo", "squeue", "srun", "scancel", "scontrol")
SBIN = "/usr/sbin:/sbin"  # where Debian puts daemons, not on every user's path
USER = pwd.getpwuid(os.getuid()).pw_name
GPUS = ("/dev/null", "/dev/zero")  # Slurm counts devices and looks no further
NODES = ("pcpg1", "pcpg2")

NODE = (
    "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} Sockets=1 CoresPerSocket={cpus} "
    "ThreadsPerCore=1 RealMemory={memory} Gres=gpu:{gpus}"
)

SLURM_CONF = """
ClusterName=pcpg
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={controller}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
KillWait=5
MinJobAge=86400
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=10000
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """The programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=f"{os.environ['PATH']}:{SBIN}") is None]


@contextmanager
def slurm() -> Iterator[dict[str, str]]:
    """The cluster while the block runs, as the environment variables that point Slurm's commands to it."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)  # munge's socket must be within everybody's reach
    path = f"{folder}/bin:{os.environ['PATH']}:{SBIN}"
    environment = os.environ | {"PATH": path, "SLURM_CONF": str(folder / "slurm.conf")}
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        _configure(folder, environment)
        daemons: list[subprocess.Popen] = []
        for command in (
            ["munged", "--foreground", f"--socket={folder}/munge.socket", f"--key-file={folder}/munge.key",
             f"--pid-file={folder}/munge.pid", f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed"],
            ["slurmctld", "-D", "-c"],
            *(["slurmd", "-D", "-c", "-N", node] for node in NODES),
        ):  # fmt: skip
            log = stack.enter_context((folder / f"{len(daemons)}-{command[0]}.out").open("wb"))
            daemons.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True))
            stack.callback(_end, daemons[-1])
        _await_node(folder, environment, daemons)
        stack.callback(_cancel_all, environment)
        yield environment


def _configure(folder: Path, environment: dict[str, str]) -> None:
    ports = []
    with ExitStack() as stack:
        for _ in ("controller", *NODES):
            free = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            ports.append(free.getsockname()[1])
    machine = {
        "host": socket.gethostname(), "gpus": len(GPUS), "cpus": os.cpu_count(),
        "memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 9 // 10 // 2**20 // len(NODES),
    }  # fmt: skip
    nodes = "\n".join(NODE.format(name=name, port=port, **machine) for name, port in zip(NODES, ports[1:], strict=True))
    values = {"host": machine["host"], "user": USER, "folder": folder, "controller": ports[0], "nodes": nodes}
    (folder / "slurm.conf").write_text(SLURM_CONF.format(**values))
    (folder / "gres.conf").write_text("".join(f"Name=gpu File={device}\n" for device in GPUS))
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    (folder / "state").mkdir()
    for name in NODES:
        (folder / f"spool-{name}").mkdir()
    srun = folder / "bin" / "srun"  # the plugin's job step takes SLURM_CONF away from the srun that it calls
    srun.parent.mkdir()
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
    srun.chmod(0o755)
    subprocess.run(["mungekey", "--create", f"--keyfile={folder}/munge.key"], env=environment, check=True)


def _await_node(folder: Path, environment: dict[str, str], daemons: list[subprocess.Popen]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and all(daemon.poll() is None for daemon in daemons):
        ask = ["sinfo", "--noheader", "--Node", "--format=%T"]
        states = subprocess.run(ask, env=environment, capture_output=True, text=True)
        if states.stdout.split() == ["idle"] * len(NODES):
            return
        time.sleep(0.2)
    said = sorted([*folder.glob("*.log"), *folder.glob("*.out")])
    logs = "\n".join(f"{path}:\n{path.read_text()[-2000:]}" for path in said)
    raise RuntimeError(f"the cluster does not come up\n{logs}")


def _cancel_all(environment: dict[str, str], seconds: float = 20) -> None:
    """Jobs would outlive the daemons."""
    subprocess.run(["scancel", "--user", USER], env=environment, capture_output=True)
    until = time.monotonic() + seconds
    queue = ["squeue", "--noheader"]
    while time.monotonic() < until and subprocess.run(queue, env=environment, capture_output=True).stdout:
        time.sleep(0.5)


def _end(daemon: subprocess.Popen) -> None:
    daemon.terminate()
    try:
        daemon.wait(timeout=10)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the cluster goes down with its script
    if missing():
        sys.exit(f"not installed: {', '.join(missing())} (Debian: apt install slurm-wlm munge)")
    with slurm() as environment, subprocess.Popen(sys.argv[1:], env=environment) as command:
        try:
            sys.exit(command.wait())
        finally:
            command.terminate()
