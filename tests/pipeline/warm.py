"""The commands of a clone, in a process that has imported everything: what a job takes is its work.

To import torch takes most jobs of the smoke preset longer than what they do, and there are a hundred. So one process of
a clone imports it, with the clone's own sources, and forks for each call of `pcpg`, `snakemake` or `dvc`. Only tests do
this; that each command starts on its own, and how fast, others test by plain calls.
"""

import atexit
import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from functools import cache, partial
from importlib.metadata import entry_points
from pathlib import Path

COMMANDS = ("pcpg", "snakemake", "dvc")
LATE = ("snakemake.workflow", "snakemake.dag", "dvc.repo", "dvc.commands.status", "dvc.commands.commit")
CALL = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as place:
    place.connect("{folder}/socket")
    socket.send_fds(place, [b"."], [0, 1, 2])
    place.sendall(json.dumps([os.path.basename(sys.argv[0]), sys.argv[1:], os.getcwd(), dict(os.environ)]).encode())
    place.shutdown(socket.SHUT_WR)
    sys.exit(int(place.recv(9) or 1))
"""


@cache
def commands(clone: Path) -> Path:
    """-> the folder of a clone's commands, to stand first in PATH; both are gone when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="warm"))  # the name of a socket may have 107 bytes
    for name in COMMANDS:
        call = folder / name
        call.write_text(CALL.format(python=sys.executable, folder=folder))
        call.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/socket")
        listener.listen(64)
        number, environment = listener.fileno(), os.environ | {"PYTHONPATH": str(clone / "src")}
        command = [sys.executable, "-P", __file__, str(number)]
        server = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, pass_fds=[number])

    def end() -> None:
        server.communicate()  # closes its input, at which it ends
        shutil.rmtree(folder)

    atexit.register(end)
    return folder


def remember_code(replace: Callable = setattr) -> None:
    """What is known of a source file holds until it is written again: no call reads the whole package anew."""
    from pcpg.workspace import code

    for name in ("_text", "_tree", "_imports", "_content"):
        replace(code, name, KNOWN.setdefault(name, remembering(getattr(code, name).__wrapped__)))
    replace(code, "_data", code._data.__wrapped__)
    replace(code, "of_stage", code.of_stage.__wrapped__)


KNOWN: dict[str, Callable] = {}


def remembering(function: Callable) -> Callable:
    results: dict = {}

    def remembered(path: Path):
        key = path, path.stat().st_mtime_ns
        if key not in results:
            results[key] = function(path)
        return results[key]

    return remembered


def serve(number: int) -> None:
    with socket.socket(fileno=number) as listener:
        pcpg = importlib.import_module("pcpg")  # before torch and NumPy
        for module in pkgutil.walk_packages(pcpg.__path__, "pcpg."):
            importlib.import_module(module.name)
        called = {one.name: one.load() for one in entry_points(group="console_scripts") if one.name in COMMANDS}
        for name in LATE:
            importlib.import_module(name)
        remember_code()
        code, plan = (importlib.import_module(f"pcpg.{name}") for name in ("workspace.code", "settings.plan"))
        for stage in plan.KEYS:
            code.of_stage(stage)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            place, _ = listener.accept()
            with place:
                if os.fork() == 0:
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    answer(place, called)


def answer(place: socket.socket, called: dict) -> None:
    """Be the process that was asked for: its arguments, folder, environment, input and outputs."""
    from pcpg.workspace import numerics

    _, given, *_ = socket.recv_fds(place, 1, 3)
    name, arguments, folder, environment = json.loads(b"".join(iter(partial(place.recv, 65536), b"")))
    for number, descriptor in enumerate(given):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    numerics.portable()
    sys.argv = [name, *arguments]
    status = 1
    try:
        status = called[name]() or 0
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    place.sendall(str(status).encode())
    os._exit(0)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
