"""The same bytes on every x86-64 processor with AVX2, docs/reproducibility.md. On emulated ones: make test-portable."""

import os
import platform
import subprocess
import sys

import pytest
import torch

from pcpg.workspace import numerics
from pcpg.workspace.errors import InputError
from tests.portable import PROMISED


def run_python(root, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=root, env=os.environ | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def checksums(text: str) -> dict[str, str]:
    return {line[18:]: line[:16] for line in text.splitlines()}


@pytest.fixture(scope="module")
def native(root) -> dict[str, str]:
    return checksums(run_python(root, "-m", "tests.portable"))


@pytest.mark.skipif(not numerics.x86(), reason=f"bytes are promised on x86-64; this is {platform.machine()}")
@pytest.mark.skipif(
    not torch.__version__.startswith("2.14."), reason=f"the checksums are of torch 2.14, not {torch.__version__}"
)
@pytest.mark.parametrize("kind", PROMISED)
def test_a_few_updates_have_the_promised_bytes(native, kind):
    assert native[kind] == PROMISED[kind]


def test_fast_takes_the_variables_back(root):
    code = (
        "import os, pcpg; from pcpg.workspace import numerics as n; print(all(k in os.environ for k in n.PORTABLE)); "
    )
    code += "n.fast(); print(any(k in os.environ for k in n.PORTABLE))"
    assert run_python(root, "-c", code).split() == (["True", "False"] if numerics.x86() else ["False", "False"])


def test_what_cannot_be_kept_is_said_in_one_line(root, capsys, monkeypatch):
    numerics.settle("fast", "cpu")
    assert capsys.readouterr().err == ""
    numerics.settle("portable", "cuda")
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    numerics.settle("portable", "cpu")
    assert "on aarch64" in capsys.readouterr().err
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(numerics, "_late", [])
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    with pytest.raises(InputError, match="numerics: portable needs a processor with AVX2"):
        numerics.settle("portable", "cpu")


def test_an_import_that_comes_too_late_is_told(root):
    code = "import torch, pcpg; from pcpg.workspace import numerics; print(numerics._late)"
    assert "torch" in run_python(root, "-c", code)
