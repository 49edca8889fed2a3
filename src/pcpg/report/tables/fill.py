"""Puts our results into a layout: what each column prints of a line, and which columns of the csv it fills."""

import math

from pcpg.report import formats
from pcpg.report.costs import updates
from pcpg.report.formats import NONE, decimals, signed
from pcpg.report.paper import DATASETS
from pcpg.report.results.quantities import OF_HISTORIES
from pcpg.report.results.results import Results, Summary, summarise
from pcpg.report.results.stats import Estimate
from pcpg.report.tables.table import DATASET, Entry, Layout, Line, Measure, Row, Table


def fill(layout: Layout, results: Results) -> Table:
    """The layout with our results in it; a run without results has numbers of no seed, and reads "not run"."""
    quantities = {row.shows(measure) for row in layout.rows for measure in layout.measures}
    beam, validation = any(name.startswith("beam_") for name in quantities), quantities <= OF_HISTORIES.keys()
    taken = updates(results.paths) if layout.timed else {}
    lines = []
    for row in layout.rows:
        key = row.corpus, row.run
        ours = [results.quantity(*key, row.shows(measure)) for measure in layout.measures]
        entries = _labels(layout, row)
        for measure, by_seed in zip(layout.measures, ours, strict=True):
            entries += _of_measure(layout, row, measure, by_seed, results)
        if layout.corrected:
            entries.append(_chance(layout, row, results))
        if layout.timed:
            entries += _took(row, results, *taken.get(key, (None, math.nan)))
        metrics, seeds = results.metrics(*key), len(ours[0])
        clips = metrics.clips if metrics and seeds and not validation else None
        lines.append(Line(row, entries, seeds, len(results.settings.seeds_of(*key)), clips))
    corpora = dict.fromkeys(row.corpus for row in layout.rows)
    kinds = {corpus: results.described(corpus, _runs(layout, corpus), beam, validation) for corpus in corpora}
    unit = "Error rates and rewards in percent, times in seconds" if layout.timed else "All values in percent"
    preset = results.settings.preset
    return Table(layout, lines, preset, f"{unit}. Ours: {formats.measured_on(kinds, preset, results.seeds)}.")


def _runs(layout: Layout, corpus: str) -> list[str]:
    return [row.run for row in layout.rows if row.corpus == corpus]


def _labels(layout: Layout, row: Row) -> list[Entry]:
    texts = (DATASETS[row.corpus], *row.labels) if layout.labels[0] == DATASET else row.labels
    keys = [heading.lower().replace(" ", "_") for heading in layout.labels]
    return [
        Entry(heading, text, {key: text.replace(formats.MINUS, "-")}, label=True)
        for heading, text, key in zip(layout.labels, texts, keys, strict=True)
    ]


def _of_measure(layout: Layout, row: Row, measure: Measure, ours: dict[int, float], results: Results) -> list[Entry]:
    """The paper's value and ours, and both differences where the table compares; without the paper's where it has none.

    In the csv _sd is the sample standard deviation over seeds, _low and _high are the ends of the 95 % interval.
    """
    corpus, run, name, found = row.corpus, row.run, measure.name, []
    quantity = row.shows(measure)
    if layout.published:
        paper = formats.number(row.paper.get(name, math.nan))
        found.append(Entry(f"{measure.label} paper", paper, {f"paper_{name}": "" if paper == NONE else paper}))
    summary, wanted = summarise(ours.values()), len(results.settings.seeds_of(corpus, run))
    text = formats.mean_and_spread(summary, wanted, len(results.seeds)) if run else NONE
    values = _spread(name, summary) | _interval(name, results.rate(corpus, run, quantity))
    rivals = [other.run for other in layout.rows if other.corpus == corpus and other.run and not other.group]
    best = not row.group and results.best(corpus, run, rivals, quantity)
    found.append(Entry(f"{measure.label} ours" if layout.published else measure.label, text, values, best))
    return found + (_differences(layout, row, measure, ours, results) if layout.baseline else [])


def _differences(layout: Layout, row: Row, measure: Measure, ours: dict[int, float], results: Results) -> list[Entry]:
    """To the baseline, which has none to itself: the paper's, where the table has the paper, and ours."""
    corpus, name, quantity = row.corpus, measure.name, row.shows(measure)
    paper, delta, interval, text = math.nan, summarise([]), None, NONE
    if row.run != layout.baseline:
        theirs = next((one.paper for one in layout.rows if (one.corpus, one.run) == (corpus, layout.baseline)), {})
        paper = row.paper.get(name, math.nan) - theirs.get(name, math.nan)
        baseline = results.quantity(corpus, layout.baseline, quantity)
        delta = summarise(ours[seed] - baseline[seed] for seed in ours if seed in baseline)
        interval = results.gap(corpus, row.run, layout.baseline, quantity)
        text = _difference(delta, interval, len(ours))
    values = _spread(f"{name}_delta", delta) | {f"{name}_delta_seeds": delta.n} | _interval(f"{name}_delta", interval)
    if not layout.published:
        return [Entry(f"Δ to {layout.against}", text, values)]
    return [Entry("Δ paper", signed(paper), {f"paper_{name}_delta": decimals(paper)}), Entry("Δ ours", text, values)]


def _difference(delta: Summary, interval: Estimate | None, seeds: int) -> str:
    """Minus 1.2 [minus 2.0, minus 0.4]; the number of pairs too, where they are fewer than the seeds."""
    if not delta.n:
        return "no pair" if seeds else formats.NOT_RUN
    pairs = f", {delta.n} of {seeds} seeds" if delta.n != seeds else ""
    return f"{signed(delta.mean)} {formats.interval(interval)}".strip() + pairs


def _spread(name: str, summary: Summary) -> dict[str, str]:
    return {f"{name}_mean": decimals(summary.mean), f"{name}_sd": decimals(summary.sd)}


def _interval(name: str, estimate: Estimate | None) -> dict[str, str]:
    low, high = estimate.interval() if estimate else (math.nan, math.nan)
    return {f"{name}_low": decimals(low), f"{name}_high": decimals(high)}


def _chance(layout: Layout, row: Row, results: Results) -> Entry:
    """p of the difference to the baseline, after Holm's correction over the rows of the corpus."""
    measure = next(one for one in layout.measures if one.name == layout.corrected)
    chances = results.apart(row.corpus, _runs(layout, row.corpus), layout.baseline, measure.quantity)
    p, key = chances.get(row.run, math.nan), f"{measure.name}_delta_p_holm"
    return Entry(f"p of Δ {measure.label} (Holm)", formats.chance(p), {key: formats.digits(p)})


def _took(row: Row, results: Results, taken: int | None, seconds: float) -> list[Entry]:
    """Epochs, updates, and seconds of each, of the committed trainings; dashes where costs.csv has none."""
    run = results.settings.runs.get(row.corpus, {}).get(row.run)
    epochs = run.optimisation.epochs if run and taken else None
    shown = NONE if math.isnan(seconds) else f"{seconds:.2f}"
    return [
        Entry("Epochs", str(epochs or NONE), {"epochs": epochs}),
        Entry("Updates", str(taken or NONE), {"updates": taken}),
        Entry("Seconds an update (shared machine)", shown, {"seconds_an_update": decimals(seconds)}),
    ]
