"""The page results/<preset>/report.html: verdicts, tables, figures and every prediction in one file.

It needs no other file and no network, and the same inputs give the same bytes.
"""

import base64
import hashlib
import json
from pathlib import Path
from string import Template

from pcpg.report.page import accounts, figures, mouths, predictions, tables, trainings, verdicts
from pcpg.report.page.markup import Markup, fold, join, tag
from pcpg.report.paper import CORPORA
from pcpg.settings.schema import Params
from pcpg.workspace.files import write_text
from pcpg.workspace.paths import Paths

HERE = Path(__file__).parent


def write(settings: Params, paths: Paths, file: Path) -> None:
    """Write results/<preset>/report.html from what lies under `paths`; `file` is the parameter file of `settings`.

    What is absent (claims, figures, clips, weights, runs) is named as absent, or left out where nobody would miss it.
    """
    write_text(paths.results / "report.html", render(settings, paths, file))


def render(settings: Params, paths: Paths, file: Path) -> str:
    found = predictions.collect(settings, paths.results)
    texts = {corpus: predictions.references(found, corpus) for corpus in settings.corpus_names}
    for corpus in found["corpora"]:
        corpus |= mouths.media(paths, corpus, found["texts"], found["pairs"], settings.model[corpus["name"]])
    script = (HERE / "page.js").read_text(encoding="utf-8")
    kind, sentence = origin(settings)
    records = trainings.recorded(settings, paths)
    parts = {
        "preset": join(settings.preset),
        "kind": join(kind),
        "sentence": join(sentence),
        "claims": verdicts.section(paths.results / "claims.csv"),
        "tables": tables.section(tables.filled(settings.tables, paths.results, settings.seeds, settings.preset)),
        "figures": figures.section(settings.figures, paths.figures),
        "coverage": coverage(found),
        "quality": accounts.quality(settings, paths),
        "cost": join(accounts.cost(settings, paths, texts), trainings.cost(records)),
        "again": join(accounts.again(_name(file)), trainings.commits(records), accounts.digests(file)),
        "parameters": parameters(file),
        "css": Markup((HERE / "page.css").read_text(encoding="utf-8")),
        "script": Markup(script),
        "digest": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "data": as_script(found),
    }
    return Template((HERE / "template.html").read_text(encoding="utf-8")).substitute(parts)


def _name(file: Path) -> str:
    """The parameter file as a command names it; of a path of this machine alone, the last part."""
    return file.name if file.is_absolute() else file.as_posix()


def origin(settings: Params) -> tuple[str, str]:
    """On which data: in two words, and in a sentence."""
    sources = {CORPORA[corpus]: getattr(settings.corpora, corpus).raw.source for corpus in settings.corpus_names}
    made = _listed([corpus for corpus, source in sources.items() if source == "synthetic"])
    real = _listed([corpus for corpus, source in sources.items() if source != "synthetic"])
    seeds = f"seed{'s'[: len(settings.seeds) != 1]} {', '.join(map(str, settings.seeds))}"
    ran = f"preset {settings.preset}, {seeds}"
    rendered = f"rendered faces in the formats of {made}, in which nobody speaks"
    if not real:
        return "generated corpora", f"Every number of ours is from generated corpora: {rendered}; {ran}."
    if not made:
        return "real recordings", f"Every number of ours is from real recordings of {real}; {ran}."
    both = f"Our numbers on {real} are from real recordings, those on {made} from generated corpora: {rendered}; {ran}."
    return "real and generated", both


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def coverage(found: dict) -> Markup:
    """Of which test clips the page holds the predictions."""
    lines = []
    for corpus in found["corpora"]:
        shown, total = len(corpus["clips"]), corpus["total"]
        runs = sum(len(run["seeds"]) for run in corpus["runs"])
        which = f"all {total:,} test clips" if shown == total else f"{shown:,} of {total:,} test clips, evenly spread"
        lines.append(tag("li", f"{corpus['label']}: {which}, of {runs} trained models"))
    return tag("ul", lines, class_="key") if lines else tag("p", "No run has predictions yet.", class_="empty")


def parameters(file: Path) -> Markup:
    text = file.read_text(encoding="utf-8")
    return fold(f"{_name(file)}, complete", tag("pre", tag("code", text), tabindex="0"))


def as_script(found: dict) -> Markup:
    """JSON that may stand in a <script>: no character in it can end the element."""
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))
