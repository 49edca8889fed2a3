"""Every prediction of a preset as compact JSON: each text, and each pair of reference and hypothesis, stands once."""

from rapidfuzz.distance import Levenshtein

from pcpg.report.formats import plural
from pcpg.report.paper import DATASETS
from pcpg.report.results.files import FACTS
from pcpg.report.results.results import Results
from pcpg.workspace.errors import InputError

LIMIT = 30_000  # predictions on the page: of more, test clips spread evenly over the split are shown
SIGNS = {"equal": "=", "replace": "s", "delete": "d", "insert": "i"}


def steps(reference: str, hypothesis: str) -> str:
    """Levenshtein's alignment by characters: "3=1s2=1d" keeps 3, replaces 1, keeps 2, lacks 1; "" where they agree."""
    if reference == hypothesis:
        return ""
    codes = Levenshtein.opcodes(reference, hypothesis)
    lengths = (max(step.src_end - step.src_start, step.dest_end - step.dest_start) for step in codes)
    return "".join(f"{length}{SIGNS[step.tag]}" for step, length in zip(codes, lengths, strict=True))


def collect_predictions(results: Results) -> dict:
    """texts, pairs and corpora -> runs -> seeds -> one pair a clip and decoder; runs without predictions are absent."""
    names, trainings = results.settings.corpus_names, results.settings.trainings
    runs = {corpus: {run: results.predictions(corpus, run) for run in trainings(corpus)} for corpus in names}
    runs = {corpus: {run: by_seed for run, by_seed in of.items() if by_seed} for corpus, of in runs.items()}
    runs = {corpus: of_corpus for corpus, of_corpus in runs.items() if of_corpus}
    texts: dict[str, int] = {}
    pairs: dict[tuple[int, int], int] = {}
    corpora = []
    for corpus, of_corpus in runs.items():
        columns = sum(map(len, of_corpus.values()))
        corpora.append(_corpus(results, corpus, of_corpus, max(LIMIT // len(runs) // columns, 1), texts, pairs))
    by_number = list(texts)
    told = [[one, other, steps(by_number[one], by_number[other])] for one, other in pairs]
    return {"texts": by_number, "pairs": told, "corpora": corpora}


def _corpus(results: Results, corpus: str, runs: dict, limit: int, texts: dict, pairs: dict) -> dict:
    facts: list[tuple] = []
    for run, by_seed in runs.items():
        of_run = [tuple(row[key] for key in FACTS) for row in next(iter(by_seed.values()))]
        facts = facts or of_run
        if of_run != facts:
            path = results.paths.predictions(corpus, run)
            raise InputError(path, f"its clips or references are not those of {corpus}/{next(iter(runs))}")
    shown, entries = _spread(len(facts), limit), []
    for run, by_seed in runs.items():
        seeds = []
        for seed, rows in by_seed.items():
            columns = [key for key in rows[0] if key not in ("seed", *FACTS)]
            decoders = {key: [] for key in columns}
            for key, numbers in decoders.items():
                for row in (rows[i] for i in shown):
                    pair = tuple(_number(texts, text) for text in (row["reference"], row[key]))
                    numbers.append(_number(pairs, pair))
            seeds.append({"seed": seed, "decoders": decoders})
        entries.append({"name": run, "seeds": seeds})
    clips, speakers = ([facts[i][column] for i in shown] for column in (0, 1))
    return {
        "name": corpus,
        "label": DATASETS[corpus],
        "clips": clips,
        "speakers": speakers if any(speakers) else [],
        "total": len(facts),
        "runs": entries,
    }


def _number(known: dict, item: object) -> int:
    """The number of an item; a new one gets the next."""
    return known.setdefault(item, len(known))


def _spread(total: int, most: int) -> list[int]:
    """At most `most` numbers below `total`, evenly spread; all of them where that is enough."""
    return list(range(total)) if total <= most else [i * total // most for i in range(most)]


def references(content: dict) -> dict[str, list[str]]:
    """The reference texts of each corpus that has predictions, of what collect_predictions made."""
    texts, pairs = content["texts"], content["pairs"]
    first = {each["name"]: each["runs"][0]["seeds"][0]["decoders"] for each in content["corpora"]}
    return {name: [texts[pairs[pair][0]] for pair in next(iter(of.values()))] for name, of in first.items()}


def coverage_lines(content: dict) -> list[str]:
    """Of which test clips the page holds the predictions."""
    lines = []
    for corpus in content["corpora"]:
        shown, total = len(corpus["clips"]), corpus["total"]
        models = sum(len(run["seeds"]) for run in corpus["runs"])
        which = f"all {total:,} test clips" if shown == total else f"{shown:,} of {total:,} test clips, evenly spread"
        lines.append(f"{corpus['label']}: {which}, of {plural(models, 'trained model')}")
    return lines
