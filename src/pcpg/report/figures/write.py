"""Writes one figure as .png and .svg: the same input gives the same bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib.style
from matplotlib.figure import Figure

from pcpg.report.figures import contact, policy, strip, sweeps
from pcpg.report.figures import coverage as fig5
from pcpg.report.figures import learning as fig6
from pcpg.report.figures.style import METADATA, STYLE
from pcpg.report.paper import CORPORA
from pcpg.workspace.errors import InputError
from pcpg.workspace.files import atomic_file


@dataclass(frozen=True)
class Sources:
    """What figures are drawn from; None: not at hand."""

    results: Path
    seeds: list[int]
    clips: Path | None  # folder of the clip stores, one a corpus
    weights: Path | None  # folder of the trainings, as corpus/run/seedN/model.pt


def _attention(corpus: str, of: Sources) -> Figure:
    from pcpg.report.figures import attention_maps  # what decodes video is slow to start; no other figure needs it

    return attention_maps.draw(corpus, of.weights, of.clips, of.seeds)


def _of_corpus(corpus: str) -> dict[str, Callable[[Sources], Figure]]:
    return {
        f"fig6_{corpus}": lambda of: fig6.draw(corpus, of.results, of.seeds),
        f"fig6_{corpus}_scratch": lambda of: fig6.draw(corpus, of.results, of.seeds, scratch=True),
        f"policy_{corpus}": lambda of: policy.draw(corpus, of.results, of.seeds),
        f"attention_{corpus}": lambda of: _attention(corpus, of),
        f"contact_{corpus}": lambda of: contact.draw(corpus, of.clips),
    }


FIGURES: dict[str, Callable[[Sources], Figure]] = {
    "fig5_coverage": lambda of: fig5.draw(),
    "sweep_k": lambda of: sweeps.draw("sweep_k", of.results, of.seeds),
    "sweep_w": lambda of: sweeps.draw("sweep_w", of.results, of.seeds),
    "strip": lambda of: strip.draw(of.clips),
} | {name: draw for corpus in CORPORA for name, draw in _of_corpus(corpus).items()}
NAMES = tuple(FIGURES)


def write(
    name: str, results: Path, out: Path, seeds: list[int], clips: Path | None = None, weights: Path | None = None
) -> None:
    """Write out/{name}.png, .svg; strip, contact and attention need `clips`, attention `weights` too: see Sources."""
    if name not in FIGURES:
        raise InputError(name, f"not a figure; there are {', '.join(NAMES)}")
    kind = name.partition("_")[0]
    if clips is None and kind in ("strip", "contact", "attention"):
        raise InputError(name, "this figure needs the folder of the clip stores")
    if weights is None and kind == "attention":
        raise InputError(name, "this figure needs the folder of the trained weights")
    with matplotlib.style.context(STYLE, after_reset=True):
        figure = FIGURES[name](Sources(results, seeds, clips, weights))
        for suffix, metadata in METADATA.items():
            with atomic_file(out / f"{name}.{suffix}") as temporary:
                figure.savefig(temporary, format=suffix, metadata=metadata)
