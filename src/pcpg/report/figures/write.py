"""Writes one figure as .png and .svg: the same input gives the same bytes."""

from matplotlib.figure import Figure

from pcpg.report.figures.contact import draw_contact_sheet
from pcpg.report.figures.course import draw_course
from pcpg.report.figures.coverage import draw_coverage
from pcpg.report.figures.learning import draw_learning_curves
from pcpg.report.figures.objectives import draw_objectives
from pcpg.report.figures.policy import draw_policy
from pcpg.report.figures.strip import draw_strips
from pcpg.report.figures.style import METADATA, house_style
from pcpg.report.figures.sweeps import draw_sweep
from pcpg.report.figures.verdicts import draw_verdicts
from pcpg.report.names import figure_names, figure_parts
from pcpg.report.results.results import Results
from pcpg.settings.schema import Params
from pcpg.workspace.errors import InputError
from pcpg.workspace.files import atomic_file
from pcpg.workspace.paths import Paths


def write_figure(name: str, settings: Params, paths: Paths) -> None:
    """Write figures/<preset>/{name}.png and .svg from results, clips and weights, as the figure needs them."""
    known = figure_names(settings.corpus_names)
    if name not in known:
        raise InputError(name, f"not a figure; there are {', '.join(known)}")
    with house_style():
        figure = draw_figure(name, settings, paths)
        freeze_layout(figure)
        for suffix, metadata in METADATA.items():
            with atomic_file(paths.figures / f"{name}.{suffix}") as temporary:
                figure.savefig(temporary, format=suffix, metadata=metadata)


def freeze_layout(figure: Figure) -> None:
    """Lay out now, once for both formats, and round: the layout's last bits depend on where objects lie in memory,
    and SVG names clip paths by them."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position([round(share, 9) for share in axes.get_position(original=True).bounds])


def draw_figure(name: str, settings: Params, paths: Paths) -> Figure:
    """To be called within house_style()."""
    results = Results(paths, settings)
    kind, corpus, scratch = figure_parts(name)
    match kind:
        case "verdicts":
            return draw_verdicts(results)
        case "fig5":
            return draw_coverage()
        case "sweep":
            return draw_sweep(name, results)
        case "strip":
            return draw_strips({each: paths.clips(each) for each in settings.corpus_names})
        case "fig6":
            return draw_learning_curves(corpus, results, scratch)
        case "course":
            return draw_course(corpus, results)
        case "policy":
            return draw_policy(corpus, results)
        case "objectives":
            return draw_objectives(corpus, results)
        case "contact":
            return draw_contact_sheet(corpus, paths.clips(corpus))
        case "attention":
            from pcpg.report.figures.attention_maps import draw_attention_maps  # slow to start, and alone needs it

            return draw_attention_maps(corpus, settings, paths)
        case _:
            raise InputError(name, f"is in report/names.py, but draw_figure has no case {kind!r}")
