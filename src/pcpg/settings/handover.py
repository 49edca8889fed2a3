"""What DVC made, and with which keys and code: Snakemake takes a file of which it has no record for right.

A stage that DVC runs leaves a note; run otherwise, the same stage removes it. The Snakefile stops where a note says
otherwise than the parameter file and the code say now.
"""

import json
import os
import shutil

from pcpg.settings.plan import KEYS, Plan, checksum
from pcpg.workspace.errors import InputError
from pcpg.workspace.files import write_text

BY_DVC = "DVC_STAGE"  # which DVC sets for the commands that it runs
NAMES = ("corpus", "run", "seed", "shard", "name")  # that tell jobs of a stage apart
SHOWN = 3  # stages in a line


def note(plan: Plan, stage: str, names: dict[str, str]) -> None:
    """To be called when a stage has ended well; names: those of NAMES that it has."""
    if stage not in KEYS:
        return
    file = plan.paths.made_by_dvc / f"{'-'.join([stage, *names.values()])}.json"
    if BY_DVC in os.environ:
        write_text(file, json.dumps({"stage": stage, "names": names, "made_with": _wanted(plan, stage, names)}) + "\n")
    else:
        file.unlink(missing_ok=True)


def refuse_stale(plan: Plan, file: str) -> None:
    """InputError that names stages which DVC ran with other keys or code; file: the parameter file."""
    notes = [json.loads(one.read_text(encoding="utf-8")) for one in sorted(plan.paths.made_by_dvc.glob("*.json"))]
    stale = [
        " ".join([one["stage"], *one["names"].values()])
        for one in notes
        if _known(plan, one["names"]) and one["made_with"] != _wanted(plan, one["stage"], one["names"])
    ]
    if stale:
        more = f" and {len(stale) - SHOWN} more" if len(stale) > SHOWN else ""
        what = f"DVC ran {', '.join(stale[:SHOWN])}{more} with other values or code, which Snakemake would not notice"
        raise InputError(file, f"{what}; run dvc repro, then snakemake --touch --forceall")


def forget(plan: Plan) -> None:
    """Snakemake has records of its own now."""
    shutil.rmtree(plan.paths.made_by_dvc, ignore_errors=True)


def _wanted(plan: Plan, stage: str, names: dict[str, str]) -> str:
    """A checksum of what the stage reads and runs."""
    return checksum([plan.keys(stage, **names), plan.code(stage, **names)])


def _known(plan: Plan, names: dict[str, str]) -> bool:
    """Whether the parameter file still has the corpus and the run."""
    corpus, run = names.get("corpus"), names.get("run")
    if corpus is None:
        return True
    return corpus in plan.params.corpus_names and (run is None or run in plan.params.trainings(corpus))
