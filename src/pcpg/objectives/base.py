"""What an objective is: the keys of its section in a parameter file, and the losses of a batch.

An objective is a file in this folder with a subclass of Objective of the same name, as best_of_m.py has BestOfM; the
file's name is its name in the parameter file. Other files hold what several objectives share.
"""

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from pcpg.reader.batches import Batch
from pcpg.reader.network import LipReader
from pcpg.settings.keys import Keys, build
from pcpg.settings.training import Run
from pcpg.workspace.errors import InputError

if TYPE_CHECKING:
    from pcpg.settings.schema import Params

Losses = dict[str, torch.Tensor]  # scalars, "loss" the one to minimise; the others are logged in the history
FOLDER = Path(__file__).parent
CLASS = re.compile(r"^class (\w+)\((?!NamedTuple)", re.M)


@dataclass(frozen=True)
class Context:
    """What an objective is given beside the network and the batch."""

    max_length: int  # decoder steps of a sampled text, at most
    anchor: LipReader | None = None  # frozen copy of the run's first weights, in eval mode; only if `anchored`
    own: nn.Module | None = None  # what `own_parameters` returned
    stored: dict[int, torch.Tensor] | None = None  # by row of the clip store, (M, U) texts drawn before training
    done: float = 0.0  # share of the training's batches that are done


class Objective(Keys):
    """Settings with a pure function of network and batch: the same settings, weights and clips give the same losses."""

    anchored: ClassVar[bool] = False  # whether it needs `Context.anchor`; dropout is off then
    stored: ClassVar[int] = 0  # texts of each training clip that are drawn once, before training, at its `temperature`

    @property
    def passes(self) -> int:
        """Updates on one batch and one `draw`."""
        return 1

    def own_parameters(self, model: LipReader) -> nn.Module | None:
        """Parameters beside the network's that learn with them, such as a value head."""
        return None

    def draw(self, model: LipReader, batch: Batch, context: Context) -> Any:
        """What all passes over a batch share, such as sampled texts and their probabilities; without gradient.

        Called only if there are several passes.
        """
        return None

    def losses(self, model: LipReader, batch: Batch, context: Context, drawn: Any) -> Losses:
        """Scalars by name: "loss", summed over steps, mean over clips, is minimised; all are logged as train_NAME.

        Curves show "ce" where there is one: cross_entropy.per_character.

        drawn: what `draw` returned; None if there is one pass.
        """
        raise NotImplementedError

    def refuse_combinations(self, run: Run, max_length: int) -> Iterator[tuple[str, str]]:
        """(key of this objective or "", problem) for each setting that means nothing with the run's others."""
        return iter(())


@cache
def names() -> list[str]:
    """All objectives, without importing them."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if _class_name(path))


def _class_name(path: Path) -> str:
    """Name of the class that is named as its file; "" if there is none."""
    named = CLASS.findall(path.read_text("utf-8"))
    return next((name for name in named if name.lower() == path.stem.replace("_", "")), "")


def of_run(run: Run, file: object = "the parameter file", key: str = "objective") -> Objective:
    """A run's objective; InputError that names `file` and, below `key`, the key that is wrong."""
    [(name, keys)] = run.objective.items()
    if name not in names():
        raise InputError(file, f"{key}: {name!r} is not one of {', '.join(names())}")
    return build(kind(name), keys, file, f"{key}.{name}")


def kind(name: str) -> type[Objective]:
    """The class of an objective of this name, one of `names()`."""
    module = importlib.import_module(f"pcpg.objectives.{name}")
    return getattr(module, _class_name(Path(module.__file__)))


def check(params: "Params", file: str) -> None:
    """InputError for the first objective of `params` whose keys are wrong, alone or with the run's other settings."""
    for corpus, runs in params.runs.items():
        for name, run in runs.items():
            key = f"runs.{corpus}.{name}"
            objective = of_run(run, file, f"{key}.objective")
            where = f"{key}.objective.{run.objective_name}"
            if (objective.anchored or objective.stored) and run.from_scratch:
                raise InputError(file, f"{key}.start: {run.objective_name} compares with trained weights, not scratch")
            if objective.passes > 1 and run.optimisation.optimiser == "npg_igt":
                what = f"npg_igt looks ahead of the weights that drew, so {run.objective_name} takes one update a draw"
                raise InputError(file, f"{key}.optimisation.optimiser: {what}")
            for part, problem in objective.refuse_combinations(run, params.max_length):
                raise InputError(file, f"{'.'.join(filter(None, (where, part)))}: {problem}")
