"""The page results/<preset>/report.html: verdicts, tables, figures and every prediction in one file.

It needs no other file and no network, and the same inputs give the same bytes.
"""

import base64
import hashlib
import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pcpg.report.claims.judge import judge
from pcpg.report.formats import preset_and_seeds
from pcpg.report.page import accounts, figures, mouths, predictions, tables
from pcpg.report.page.claims import claims_part
from pcpg.report.paper import DATASETS
from pcpg.report.results.results import Results
from pcpg.report.tables.fill import fill
from pcpg.report.tables.layouts import layout_of
from pcpg.settings.schema import Params
from pcpg.workspace.files import write_text
from pcpg.workspace.paths import Paths

HERE = Path(__file__).parent
TEMPLATES = ("page.html", "macros.html")  # the second, which the first imports, is named for pcpg.workspace.code to see
PAGE = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def write_page(settings: Params, paths: Paths, parameter_file: Path) -> None:
    """Write results/<preset>/report.html from what lies under `paths`; parameter_file: that of `settings`.

    What is absent (figures, clips, weights, runs) is named as absent or left out; InputError for malformed results.
    """
    write_text(paths.results / "report.html", render_page(settings, paths, parameter_file))


def render_page(settings: Params, paths: Paths, parameter_file: Path) -> str:
    results = Results(paths, settings)
    content = predictions.collect_predictions(results)
    for corpus in content["corpora"]:
        corpus |= mouths.media(settings, paths, corpus, content)
    script = (HERE / "page.js").read_text(encoding="utf-8")
    filled = [fill(layout_of(name, settings), results) for name in settings.tables]
    name = parameter_file.name if parameter_file.is_absolute() else parameter_file.as_posix()  # no path of this machine
    kind, sentence = origin(settings)
    return PAGE.get_template(TEMPLATES[0]).render(
        preset=settings.preset,
        kind=kind,
        sentence=sentence,
        claims=claims_part(judge(results)),
        tables=tables.tables_part(filled),
        figures=[figures.figure_part(figure, paths.figures) for figure in settings.figures],
        coverage=predictions.coverage_lines(content),
        quality=accounts.quality_part(settings, paths),
        sizes=accounts.sizes_part(settings, paths, predictions.references(content)),
        costs=accounts.costs_part(settings, paths),
        again=accounts.again_part(name, parameter_file),
        parameter_file=name,
        parameters=parameter_file.read_text(encoding="utf-8"),
        css=Markup((HERE / "page.css").read_text(encoding="utf-8")),
        script=Markup(script),
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        content=as_script(content),
    )


def origin(settings: Params) -> tuple[str, str]:
    """On which data: in two words, and in a sentence."""
    sources = {DATASETS[corpus]: getattr(settings.corpora, corpus).raw.source for corpus in settings.corpus_names}
    made = _listed([corpus for corpus, source in sources.items() if source == "synthetic"])
    real = _listed([corpus for corpus, source in sources.items() if source != "synthetic"])
    ran = preset_and_seeds(settings.preset, settings.seeds)
    rendered = f"rendered faces in the formats of {made}, in which nobody speaks"
    if not real:
        return "generated corpora", f"Every number of ours is from generated corpora: {rendered}; {ran}."
    if not made:
        return "real recordings", f"Every number of ours is from real recordings of {real}; {ran}."
    both = f"Our numbers on {real} are from real recordings, those on {made} from generated corpora: {rendered}; {ran}."
    return "real and generated", both


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def as_script(content: dict) -> Markup:
    """JSON that may stand in a <script>: no character in it can end the element."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))
