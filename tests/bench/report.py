"""What the report takes: `python -m tests.bench.report` on committed results; with `full`, at the corpora's sizes."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pcpg.corpora.base import Clip
from pcpg.learning.evaluate import Rows, evaluate_seeds
from pcpg.reader.metrics import error_rates
from pcpg.settings.load import load
from pcpg.settings.schema import Params
from pcpg.workspace.paths import Paths
from tests.bench.full_size import clips

ROOT = Path(__file__).parents[2]
FILES = (ROOT / "params.yaml", ROOT / "presets/grid-s1-cpu.yaml", ROOT / "presets/grid-s1-early.yaml")
PAPER = ROOT / "presets/paper.yaml"
READ, CLASSIFIED = ("greedy", "beam"), ("classified",)  # columns of predictions
RIGHT = 0.7  # of the made-up words


def measured(command: list[str], file: Path, folder: Path) -> tuple[float, float, int]:
    """Seconds by the clock and of processor, peak bytes; in a folder of its own, so that no result here is touched."""
    started = time.perf_counter()
    process = subprocess.Popen(["pcpg", *command, "--params", str(file)], cwd=folder, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, 1024 * used.ru_maxrss


def committed() -> None:
    print("| preset | runs | seeds | pcpg claims, s | pcpg page, s |\n| --- | ---: | ---: | ---: | ---: |")
    for file in FILES:
        settings = load(file)
        with TemporaryDirectory() as temporary:
            folder = Path(temporary)
            for kind in ("results", "figures"):
                shutil.copytree(ROOT / kind / settings.preset, folder / kind / settings.preset)
            seconds = [measured([command], file, folder)[0] for command in ("claims", "page")]
        runs = sum(len(settings.trainings(corpus)) for corpus in settings.corpus_names)
        print(
            f"| {settings.preset} | {runs} | {len(settings.seeds)} | {seconds[0]:.1f} | {seconds[1]:.1f} |", flush=True
        )


def tests_of(corpus: str) -> list[Clip]:
    return [clip for clip in clips(corpus) if clip.split == "test"]


def misread(tests: list[Clip], draws: random.Random) -> Iterator[str]:
    """Texts of which each word is right with probability RIGHT, and else one of another clip."""
    words = sorted({word for clip in tests for word in clip.text.split()} | {"x"})
    for clip in tests:
        yield " ".join(word if draws.random() < RIGHT else draws.choice(words) for word in clip.text.split())


def predicted(tests: list[Clip], decoders: tuple[str, ...], draws: random.Random, _: Path) -> tuple[Rows, dict]:
    """Rows of predictions and scores of a seed, as the stages `evaluate` and `classify` have them of weights."""
    texts = {decoder: list(misread(tests, draws)) for decoder in decoders}
    references = [clip.text for clip in tests]
    rows = [{"clip": clip.clip, "speaker": clip.speaker, "reference": clip.text} for clip in tests]
    for decoder in decoders:
        rows = [row | {decoder: text} for row, text in zip(rows, texts[decoder], strict=True)]
    if decoders == CLASSIFIED:
        return rows, {"accuracy": sum(row["reference"] == row["classified"] for row in rows) / len(rows)}
    return rows, {decoder: error_rates(references, texts[decoder]) for decoder in decoders}


def make_up(settings: Params, folder: Path) -> None:
    """metrics.json and predictions.csv of every run, with as many test clips as the corpora have."""
    paths, draws = Paths(settings.preset, folder), random.Random(0)
    for corpus in settings.corpus_names:
        tests = tests_of(corpus)
        for run in settings.trainings(corpus):
            decoders = READ if run in settings.runs[corpus] else CLASSIFIED
            identity = {"corpus": corpus, "run": run, "protocol": "made up"}
            identity |= {"beam_size": settings.decoding.beam} if decoders == READ else {}
            weights = dict.fromkeys(settings.seeds_of(corpus, run), Path())
            files = paths.metrics(corpus, run), paths.predictions(corpus, run)
            evaluate_seeds(weights, partial(predicted, tests, decoders, draws), identity, *files)


def full() -> None:
    settings = load(PAPER)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_up(settings, folder)
        size = sum(path.stat().st_size for path in folder.rglob("*.*") if path.is_file())
        counts = ", ".join(f"{len(tests_of(corpus)):,} of {corpus}" for corpus in settings.corpus_names)
        print(f"Test clips: {counts}; metrics and predictions take {size / 1e6:.0f} MB.\n")
        print("| what | seconds | of processor | peak MB |\n| --- | ---: | ---: | ---: |")
        for command in (["tables", "table1"], ["claims"], ["page"]):
            seconds, processor, peak = measured(command, PAPER, folder)
            print(f"| `pcpg {' '.join(command)}` | {seconds:.0f} | {processor:.0f} | {peak / 1e6:,.0f} |", flush=True)


if __name__ == "__main__":
    full() if sys.argv[1:] == ["full"] else committed()
