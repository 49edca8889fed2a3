"""Which rows a preset has beside the paper's, and what sets each run apart, by the settings of its runs."""

from fractions import Fraction

from pcpg.report import paper
from pcpg.report.formats import MINUS, kernel_label
from pcpg.settings.schema import Params
from pcpg.settings.training import Classifier, Run

REFERENCES = ("k1s1", "k5s1")  # the runs that an ablation starts from
CONTINUED = "ce-continued"  # cross-entropy for as many further updates: what fine-tuned runs are to be compared with
# labels in Table I of controls that the paper lacks
CONTROLS = {
    CONTINUED: ("cross-entropy, continued", "/"),
    "k1s1-scaled": (f"{MINUS}RF {MINUS}OP, 1/5 as strong", "k=1, s=1"),
}
KERNEL = {"kernel", "stride"}
NAMES = {
    "lambda_pg": "λ", "gamma": "γ", "samples": "samples M", "discount_from": "discount",
    "convolve": "pseudo-convolution", "standardise": "standardised returns", "kernel": "w", "stride": "s",
}  # fmt: skip
VALUES = {
    ("discount_from", "step"): "from the step", ("discount_from", "end"): "from the end",
    ("convolve", "loss"): "of the loss", ("convolve", "return"): "of the return",
    ("baseline", "mean"): "mean of the other samples", ("baseline", "greedy"): "greedy transcription",
    ("standardise", "sequence"): "by sequence", ("standardise", "batch"): "by batch",
}  # fmt: skip


def other_runs(settings: Params, corpus: str) -> list[str]:
    """Runs of a corpus that no row of the paper, no control and no other table of the preset shows."""
    shown = {*paper.TABLE1["grid"], *CONTROLS}
    tables = {"objectives": objective_runs(settings, corpus)}
    if corpus == "grid":
        tables |= {
            "table2a": paper.TABLE2A, "table2b": paper.TABLE2B, "table5a": [paper.TABLE5A_RUN],
            "ablation": ablation_runs(settings), "scratch": scratch_runs(settings, corpus),
        }  # fmt: skip
    shown.update(run for name, runs in tables.items() if name in settings.tables for run in runs)
    return [run for run in settings.runs.get(corpus, {}) if run not in shown]


def drawn_runs(settings: Params, corpus: str) -> list[str]:
    """What curves show beside the paper's runs: cross-entropy continued, and what no table but Table I has."""
    continued = [CONTINUED] if CONTINUED in settings.runs.get(corpus, {}) else []
    return continued + other_runs(settings, corpus)


def ablation_runs(settings: Params) -> list[str]:
    """GRID's runs of policy gradient that differ from k1s1 or k5s1 in more of the objective than kernel and stride."""
    runs = settings.runs.get("grid", {})
    near = {name: runs[nearest(runs, name)] for name in runs if name not in CONTROLS and nearest(runs, name)}
    alike = {name: ref for name, ref in near.items() if not training_changes(runs[name], ref)}
    return [name for name, reference in alike.items() if changes(runs[name], reference).keys() - KERNEL]


def nearest(runs: dict[str, Run], name: str) -> str | None:
    """The reference with the same objective from which the run differs least; None where there is none."""
    like = [ref for ref in REFERENCES if ref in runs and runs[ref].objective_name == runs[name].objective_name]
    return min(like, key=lambda ref: len(changes(runs[name], runs[ref])), default=None)


def scratch_runs(settings: Params, corpus: str) -> list[str]:
    """Runs of a corpus from random weights."""
    return [name for name, run in settings.runs.get(corpus, {}).items() if run.from_scratch]


def objective_runs(settings: Params, corpus: str) -> dict[str, Run]:
    """Fine-tuned runs of other objectives than policy gradient, and k1s1 and k5s1 of the paper.

    {} where there is no other objective than the paper's two.
    """
    tuned = {name: run for name, run in settings.runs.get(corpus, {}).items() if not run.from_scratch}
    if {run.objective_name for run in tuned.values()} <= {"cross_entropy", "pcpg"}:
        return {}
    return {name: run for name, run in tuned.items() if run.objective_name != "pcpg" or name in REFERENCES}


def told_apart(runs: dict[str, Run]) -> dict[str, str]:
    """Each run by its objective, and by what differs from the first of them with the same one."""
    first: dict[str, Run] = {}
    labels = {}
    for name, run in runs.items():
        reference = first.setdefault(run.objective_name, run)
        differing = {key: new for key, (new, _) in changes(run, reference).items()} | training_changes(run, reference)
        parts = [f"{NAMES.get(key, key)} {text}" for key, text in differing.items()]
        labels[name] = ", ".join([run.objective_name.replace("_", " "), *parts])
    return labels


def changes(run: Run, reference: Run) -> dict[str, tuple[str, str]]:
    """Settings of the objective that differ: name -> what it is, and what that of the reference is."""
    ours, theirs = (_flat(one.objective[one.objective_name]) for one in (run, reference))
    sections = {key.partition(".")[0] for key in ours | theirs if "." in key}  # which one may lack
    differing = (key for key in ours | theirs if key not in sections and ours.get(key) != theirs.get(key))
    return {key: (ours.get(key, "none"), theirs.get(key, "none")) for key in differing}


def training_changes(run: Run, reference: Run) -> dict[str, str]:
    """Settings of start and optimisation that differ from those of the reference."""
    ours, theirs = ({"start": one.start, **one.optimisation.model_dump()} for one in (run, reference))
    return {key: _printed(value) for key, value in ours.items() if value != theirs[key]}


def _flat(keys: dict) -> dict[str, str]:
    flat = {}
    for key, value in keys.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{part}": text for part, text in _flat(value).items()}
        else:
            flat[key] = VALUES[key, value] if isinstance(value, str) and (key, value) in VALUES else _printed(value)
    return flat


def _printed(value: object) -> str:
    """A setting as text; equal numbers, such as 0.5 and 1/2, have the same text."""
    if value is None:
        return "none"
    if isinstance(value, list):
        return " ".join(map(_printed, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    try:
        number = Fraction(str(value))
    except ValueError:
        return str(value)
    short = f"{float(number):g}"
    return short if Fraction(short) == number else str(number)


def ablation_labels(runs: dict[str, Run], name: str) -> tuple[str, str]:
    """What was changed, and to what: "λ", "0.1 for 0.5"."""
    reference = nearest(runs, name)
    differing = changes(runs[name], runs[reference])
    to = "; ".join(f"{new}{',' if ' ' in new else ''} for {old}" for new, old in differing.values())
    where = "" if reference == REFERENCES[0] else f" ({case(runs[name])})"
    return "; ".join(NAMES.get(key, key) for key in differing), to + where


def case(run: Run) -> str:
    """k=5, s=1, and w where it is not uniform; "/" for an objective without windows."""
    keys = run.objective[run.objective_name]
    if "kernel" not in keys:
        return "/"
    return kernel_label([_printed(weight) for weight in keys["kernel"]], keys["stride"])


def describe(runs: dict[str, Run], name: str) -> str:
    """A run in a few words: its objective, and what differs from the reference run where there is one."""
    run, reference = runs[name], nearest(runs, name)
    control = runs.get(CONTINUED)
    if control is not None and control.objective_name == run.objective_name:
        reference = CONTINUED
    if reference == name:
        return case(run)
    keys = _flat(run.objective[run.objective_name])
    if reference is not None:
        keys = {key: new for key, (new, _) in changes(run, runs[reference]).items()}
    parts = [f"{NAMES.get(key, key)} {text}" for key, text in keys.items() if key not in KERNEL]
    parts = [case(run), *parts] if KERNEL & keys.keys() else parts
    if REFERENCES[0] in runs:
        parts += [f"{key} {text}" for key, text in training_changes(run, runs[REFERENCES[0]]).items()]
    like = f"{run.objective_name} as {reference} but" if reference else f"{run.objective_name}:"
    return f"{like} {', '.join(parts)}" if parts else f"{run.objective_name} as {reference}"


def describe_classifier(classifier: Classifier) -> str:
    encoder = "random weights" if classifier.from_scratch else f"the encoder of {classifier.start}"
    return f"from {encoder}, {classifier.encoder}"
