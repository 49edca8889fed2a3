"""What was tried before a preset was written: each run's settings and its best score on validation."""

import pandas as pd

from pcpg.report.results.histories import chosen
from pcpg.report.results.results import Results
from pcpg.settings.schema import Params
from pcpg.settings.training import Run
from pcpg.workspace.paths import Paths


def tuning_table(settings: Params, paths: Paths, corpus: str) -> str:
    """csv: one row a run and seed with the evaluation that validation chose, CER in percent, and the settings that
    differ between the runs. A run without history has no row.
    """
    results = Results(paths, settings)
    keys = {name: _keys(run) for name, run in settings.runs[corpus].items()}
    names = dict.fromkeys(key for values in keys.values() for key in values)
    varied = [key for key in names if len({values[key] for values in keys.values() if key in values}) > 1]
    rows = []
    for name, values in keys.items():
        for seed, history in results.histories(corpus, name).items():
            best = chosen(history)
            scores = f"{100 * best['val_cer']:.3f}", f"{best['val_ce']:.4f}", f"{best['iteration']:.0f}"
            rows.append([corpus, name, seed, *(values.get(key) for key in varied), *scores])
    columns = ["corpus", "run", "seed", *varied, "val_cer", "val_ce", "iteration"]
    return pd.DataFrame(rows, columns=columns).to_csv(index=False)


def _keys(run: Run) -> dict[str, str]:
    """Every setting of a run by its last key; by "section.key" where the last key was there before."""
    flat = {"start": run.start, "objective": run.objective_name}
    parts = [("", run.optimisation.model_dump()), ("", run.objective[run.objective_name])]
    while parts:
        section, keys = parts.pop(0)
        for key, value in keys.items():
            if isinstance(value, dict):
                parts.append((key, value))
            else:
                text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
                flat[f"{section}.{key}" if key in flat else key] = text
    return flat
