"""The promised bytes on processors of two makers, emulated: make test-portable."""

import shutil
import subprocess
import sys

import pytest

from tests.portable import PROMISED

EMULATOR = shutil.which("qemu-x86_64")
PROCESSORS = {  # less what the emulator lacks, which it would say in many lines
    "intel": "Haswell,-pcid,-x2apic,-tsc-deadline,-hle,-invpcid,-rtm",
    "amd": "EPYC-Rome",
}


@pytest.mark.skipif(EMULATOR is None, reason="no qemu-x86_64: apt-get install qemu-user")
@pytest.mark.parametrize("maker", PROCESSORS)
def test_the_same_bytes_on_an_emulated_processor(root, maker):
    command = [EMULATOR, "-cpu", PROCESSORS[maker], sys.executable, "-m", "tests.portable"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {line[18:]: line[:16] for line in done.stdout.splitlines()} == PROMISED
