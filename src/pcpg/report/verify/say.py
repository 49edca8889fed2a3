"""A comparison in words: lines for a terminal, and a page that needs no other file.

One line where all bytes are identical. Else: which cells differ and by how much, whether runs differ by more than
seeds explain, which verdicts changed, and which figures.
"""

import math
from functools import partial

from jinja2 import Template

from pcpg.corpora import base
from pcpg.report.results.stats import Estimate
from pcpg.report.verify.compare import Verification, unknown

some = partial(base.some, most=12)  # names in a line
WORDS = {None: "one seed or utterance tells nothing", True: "", False: "more than seeds explain"}  # chance explains it


def report_lines(result: Verification, preset: str) -> list[str]:
    """What `pcpg verify` prints."""
    heading = _heading(result, preset)
    return [heading] if result.identical else [heading, *_files(result), *_runs(result), *_verdicts(result)]


def _heading(result: Verification, preset: str) -> str:
    if result.identical:
        return f"identical: all {result.files} results and figures of {preset} have the bytes of {result.against}"
    changed = f"{len(result.changed)} of {result.files} files"
    return f"different: {changed} of {preset} have other bytes than {result.against}"


def _files(result: Verification) -> list[str]:
    """Files and runs that one side lacks or that do not belong together, and tables."""
    named = (
        ("missing here", result.missing),
        ("only here", result.extra),
        ("not comparable, of other seeds or utterances", result.others),
        ("compared in part, for seeds, utterances or decoders are missing here", result.partly),
        ("rates that are not those of the predictions", result.edited),
    )
    lines = [f"{what}: {some(names)}" for what, names in named if names]
    if result.timed:
        lines.append(f"tables: in {some(result.timed)} only the seconds of an update differ, which are the machine's")
    if result.differing:
        worst = max(result.differing, key=lambda one: math.inf if math.isnan(one[1]) else one[1])
        size = "a text or a row" if math.isnan(worst[1]) else f"{worst[1]:.3g}"
        names = some([name for name, _ in result.differing])
        lines.append(f"tables: {result.cells:,} cells compared; {names} differ, by {size} at most ({worst[0]})")
    return lines


def _runs(result: Verification) -> list[str]:
    lines = [f"{'run':28} {'measure':16} {'ours - theirs':>13} {'chance':>8}  "]
    for run, measure, gap in _told(result):
        chance = f"+-{gap.reach():.2f}" if gap.known else ""
        line = f"{run:28} {measure:16} {gap.value:>+13.2f} {chance:>8}  {WORDS[gap.explained()]}"
        lines.append(line.rstrip())
    return lines if len(lines) > 1 else []


def _told(result: Verification) -> list[tuple[str, str, Estimate]]:
    """The runs that differ, or of which it is unknown whether they do."""
    return [one for one in result.runs if one[2].value or unknown(one[2])]


def _verdicts(result: Verification) -> list[str]:
    """Verdicts, texts and figures that changed, and the conclusion."""
    lines = [f"verdict on {claim}: {before} there, {after} here" for claim, before, after in result.verdicts]
    lines += [
        f"{what}: {some(names)}" for what, names in (("texts", result.texts), ("figures", result.figures)) if names
    ]
    return [*lines, _conclusion(result)]


def _conclusion(result: Verification) -> str:
    if result.unexplained:
        return f"{len(result.unexplained)} of {len(result.runs)} differences are larger than seeds explain"
    if result.status == 2:
        return "what differs is not explained by trainings that came out differently"
    return "nothing differs by more than seeds explain"


PAGE = Template(
    """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>pcpg verify: {{ preset }}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  table { border-collapse: collapse } td, th { padding: .2rem .8rem; text-align: left; border-bottom: 1px solid #ccc }
  td.n { text-align: right; font-variant-numeric: tabular-nums } .no { color: #b00; font-weight: 600 }
</style>
<h1>{{ heading[0] }}</h1>
<p>{{ heading[2] }}.</p>
{% if told %}
<h2>Runs</h2>
<table>
<tr><th>Run</th><th>Measure</th><th>Ours minus theirs, points</th><th>Chance</th><th></th></tr>
{% for run, measure, difference in told %}
<tr><td>{{ run }}</td><td>{{ measure }}</td><td class="n">{{ "%+.2f"|format(difference.value) }}</td>
<td class="n">{% if difference.explained() is not none %}&plusmn;{{ "%.2f"|format(difference.reach()) }}{% endif %}</td>
<td{% if difference.explained() is false %} class="no"{% endif %}>{{ words[difference.explained()] }}</td></tr>
{% endfor %}
</table>
{% endif %}
{% if not result.identical %}
<h2>Everything else</h2>
<ul>{% for line in others %}<li>{{ line }}</li>{% endfor %}</ul>
{% endif %}
</html>
""",
    autoescape=True,
)


def to_html(result: Verification, preset: str) -> str:
    """The same as a page that needs no other file; it has a table of the runs in place of their lines."""
    heading = _heading(result, preset).partition(": ")
    others = [*_files(result), *_verdicts(result)]
    return PAGE.render(result=result, preset=preset, heading=heading, told=_told(result), words=WORDS, others=others)
