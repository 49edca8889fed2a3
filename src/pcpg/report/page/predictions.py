"""Every prediction of a preset as compact JSON: each text, and each pair of reference and hypothesis, stands once."""

from dataclasses import dataclass, field
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from pcpg.report.paper import CORPORA
from pcpg.report.results.predictions import FACTS, read
from pcpg.settings.schema import Params
from pcpg.workspace.errors import InputError

LIMIT = 30_000  # predictions on the page: of more, test clips spread evenly over the split are shown
SIGNS = {"equal": "=", "replace": "s", "delete": "d", "insert": "i"}


@dataclass
class Pairs:
    """Numbers for texts, and for pairs of texts with what turns the reference into the hypothesis."""

    texts: dict[str, int] = field(default_factory=dict)
    pairs: dict[tuple[int, int], int] = field(default_factory=dict)
    edits: list[list] = field(default_factory=list)  # [reference, hypothesis, steps]

    def number(self, reference: str, hypothesis: str) -> int:
        pair = tuple(self.texts.setdefault(text, len(self.texts)) for text in (reference, hypothesis))
        if pair not in self.pairs:
            self.pairs[pair] = len(self.pairs)
            self.edits.append([*pair, steps(reference, hypothesis)])
        return self.pairs[pair]


def steps(reference: str, hypothesis: str) -> str:
    """Levenshtein's alignment by characters: "3=1s2=1d" keeps 3, replaces 1, keeps 2, lacks 1; "" where they agree."""
    if reference == hypothesis:
        return ""
    found = Levenshtein.opcodes(reference, hypothesis)
    lengths = (max(step.src_end - step.src_start, step.dest_end - step.dest_start) for step in found)
    return "".join(f"{length}{SIGNS[step.tag]}" for step, length in zip(found, lengths, strict=True))


def run_names(settings: Params, corpus: str) -> list[str]:
    """The runs of a corpus in the order of the parameter file: baseline, policy gradient and controls, probes."""
    runs = ["ce", *getattr(settings.runs, corpus)]
    if corpus not in settings.probe_from:
        return runs
    return [*runs, "scratch", *(f"{run}-{probe}" for run in settings.probe_from[corpus] for probe in settings.probes)]


def collect(settings: Params, results: Path) -> dict:
    """texts, pairs and corpora -> runs -> seeds -> one pair a clip and decoder; runs without predictions are absent."""
    found = {corpus: _files(settings, results, corpus) for corpus in settings.corpus_names}
    found = {corpus: files for corpus, files in found.items() if files}
    known, corpora = Pairs(), []
    for corpus, files in found.items():
        clips = max(LIMIT // len(found) // len(files), 1)
        corpora.append(_corpus(corpus, files, clips, known))
    return {"texts": list(known.texts), "pairs": known.edits, "corpora": corpora}


def _files(settings: Params, results: Path, corpus: str) -> list[tuple[str, int, Path]]:
    folder = results / "runs" / corpus
    places = [
        (run, seed, folder / run / f"seed{seed}" / "predictions.csv")
        for run in run_names(settings, corpus)
        for seed in settings.seeds
    ]
    return [place for place in places if place[2].is_file()]


def _corpus(corpus: str, files: list[tuple[str, int, Path]], limit: int, known: Pairs) -> dict:
    facts, runs = None, {}
    for run, seed, path in files:
        rows = read(path)
        found = [[row[key] for key in FACTS] for row in rows]
        if facts is not None and found != facts:
            raise InputError(path, f"its clips or references are not those of {files[0][2]}")
        facts, shown = found, _spread(len(rows), limit)
        columns = [key for key in rows[0] if key not in FACTS]
        pairs = {key: [known.number(rows[i]["reference"], rows[i][key]) for i in shown] for key in columns}
        runs.setdefault(run, []).append({"seed": seed, "decoders": pairs})
    clips, speakers = ([facts[i][column] for i in shown] for column in (0, 1))
    return {
        "name": corpus,
        "label": CORPORA[corpus],
        "clips": clips,
        "speakers": speakers if any(speakers) else [],
        "total": len(facts),
        "runs": [{"name": run, "seeds": seeds} for run, seeds in runs.items()],
    }


def _spread(total: int, most: int) -> list[int]:
    """At most `most` numbers below `total`, evenly spread; all of them where that is enough."""
    return list(range(total)) if total <= most else [i * total // most for i in range(most)]


def references(found: dict, corpus: str) -> list[str]:
    """The reference texts of a corpus' clips, from what `collect` found; [] where there is no prediction."""
    for each in found["corpora"]:
        if each["name"] == corpus:
            pairs = next(iter(each["runs"][0]["seeds"][0]["decoders"].values()))
            return [found["texts"][found["pairs"][pair][0]] for pair in pairs]
    return []
