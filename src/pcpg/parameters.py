"""The one reader of parameter files, for the command line and both engines, so that all give the same errors."""

from pathlib import Path

from pcpg.report.names import figure_names, table_names
from pcpg.report.paper import KERNELS
from pcpg.settings.load import load
from pcpg.settings.schema import Params
from pcpg.workspace import code, numerics
from pcpg.workspace.errors import InputError


def read(path: str | Path, objectives: bool = True) -> Params:
    """Settings of a parameter file; InputError that names file and key.

    objectives: check the keys of each run's objective too, which takes the seconds that torch takes to import.
    """
    code.refuse_other_clone()
    params = load(path)
    if params.numerics == "fast":
        numerics.fast()
    for key, known in (("tables", table_names()), ("figures", figure_names(params.corpus_names))):
        names = getattr(params, key)
        for number, name in enumerate(names):
            if name in names[:number]:
                raise InputError(path, f"{key}: names {name} twice")
            if name not in known:
                raise InputError(path, f"{key}: {name!r} is not one of {', '.join(known)}")
    if objectives:
        check_objectives(params, path)
    return params


def check_objectives(params: Params, path: str | Path) -> None:
    """InputError that names the file and the first key that an objective does not take.

    A run with the name of a row of the paper has the kernel of that row: tables print the paper's label.
    """
    from pcpg.objectives import base

    base.check(params, str(path))
    trained = [(corpus, name, run) for corpus, runs in params.runs.items() for name, run in runs.items()]
    for corpus, name, run in trained:
        if run.objective_name != "pcpg" or name not in KERNELS:
            continue
        objective, (kernel, stride) = base.of_run(run), KERNELS[name]
        if (tuple(objective.kernel), objective.stride) != (kernel, stride):
            what = f"not that of the paper's row {name}, k={len(kernel)}, s={stride}; give the run another name"
            raise InputError(path, f"runs.{corpus}.{name}.objective.pcpg.kernel: {what}")
