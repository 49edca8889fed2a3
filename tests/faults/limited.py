"""`python limited.py MB pcpg-arguments...`: a stage that may take so much more memory than its libraries took."""

import importlib
import pkgutil
import re
import resource
import sys

import pcpg

if __name__ == "__main__":
    importlib.import_module("torch.utils.tensorboard")
    for module in pkgutil.walk_packages(pcpg.__path__, "pcpg."):
        importlib.import_module(module.name)
    with open("/proc/self/status") as status:
        size = int(re.search(r"VmSize:\s+(\d+)", status.read())[1]) * 1024
    room = size + int(sys.argv[1]) * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    sys.argv[:2] = ["pcpg"]
    sys.exit(importlib.import_module("pcpg.cli").main())
