"""The command line, for tests that look at what it says and how it ends."""

import subprocess
import sys
import threading
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from io import StringIO
from unittest.mock import Mock

import pytest
import torch

from pcpg import cli
from pcpg.workspace import guard


def pcpg(*arguments: str, cwd) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "pcpg.cli", *arguments], cwd=cwd, capture_output=True, text=True)


def called(*arguments: str, cwd) -> subprocess.CompletedProcess:
    """As `pcpg`, in the tests' own process: a program each would take a second and a half of imports."""
    with (
        pytest.MonkeyPatch.context() as patch,
        ExitStack() as held,
        redirect_stdout(StringIO()) as output,
        redirect_stderr(StringIO()) as said,
    ):
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["pcpg", *arguments])
        patch.setattr(cli, "atexit", Mock())  # nothing of it outlives the test
        patch.setattr(threading, "excepthook", threading.excepthook)
        patch.setattr(guard, "_HELD", held)
        try:
            status = cli.main()
        except SystemExit as left:  # of argparse
            status = left.code
        finally:
            torch.set_deterministic_debug_mode("default")  # a training leaves another
    return subprocess.CompletedProcess(arguments, status, output.getvalue(), said.getvalue())
