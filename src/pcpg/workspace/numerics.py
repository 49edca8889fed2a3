"""The same bytes on every x86-64 processor with AVX2: which instructions libraries may use (docs/reproducibility.md).

The libraries read these variables when they are loaded, so they must be set before torch or NumPy is imported. The
package sets them when it is imported itself.
"""

import os
import platform
import sys

from pcpg.workspace.errors import SettingError

PORTABLE = {
    "ATEN_CPU_CAPABILITY": "avx2",  # torch's own kernels
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # convolutions
    "MKL_CBWR": "COMPATIBLE",  # matrix products; the only mode that MKL promises across makers
    "OPENBLAS_CORETYPE": "Haswell",  # NumPy's matrix products
    "NPY_DISABLE_CPU_FEATURES": "X86_V4,AVX512_ICL,AVX512_SPR",  # NumPy's exponentials and logarithms
}
LOADED = ("torch", "numpy")  # libraries that read the variables
_late = [name for name in LOADED if name in sys.modules]


def x86() -> bool:
    return platform.machine().lower() in ("x86_64", "amd64")


def portable() -> None:
    """Set the variables, for this process and those that it starts."""
    if x86():
        os.environ.update(PORTABLE)


def fast() -> None:
    """Unset the variables, also those that a parent process set."""
    for name, value in PORTABLE.items():
        if os.environ.get(name) == value:
            del os.environ[name]


def in_use() -> tuple[str | None, ...]:
    """The values of the variables; with others the bytes of results may be others."""
    return tuple(map(os.environ.get, PORTABLE))


def settle(choice: str, device: str) -> None:
    """Apply `numerics` of the parameter file in a stage that computes; a line on stderr where it cannot be kept.

    SettingError where the processor lacks what "portable" needs.
    """
    if choice == "fast":
        return
    import torch

    if not x86() or device != "cpu":
        where = "on a GPU" if device != "cpu" else f"on {platform.machine()}"
        print(f"numerics: portable {where}: the bytes of results are those of this kind of machine", file=sys.stderr)
    elif _late:
        print(f"numerics: {_late[0]} was imported before pcpg: bytes may be those of this machine", file=sys.stderr)
    elif torch.backends.cpu.get_cpu_capability() != "AVX2":
        raise SettingError("numerics", "portable needs a processor with AVX2, and this one has none; set it to fast")
