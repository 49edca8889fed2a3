"""What a change of code or of a parameter reruns: only what imports the one or reads the other, in both engines."""

import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from dvc.repo import Repo
from smoke_clone import planned
from warm import remember_code

from pcpg import parameters
from pcpg.settings.plan import KEYS, Plan
from pcpg.workspace import code

# Checksums, of a copy of the package


@pytest.fixture(scope="module")
def package(root, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("src") / "pcpg"
    return Path(shutil.copytree(root / "src" / "pcpg", folder, ignore=shutil.ignore_patterns("__pycache__")))


@pytest.fixture(autouse=True)
def attentive(monkeypatch):
    remember_code(monkeypatch.setattr)


@pytest.fixture
def sums(package, monkeypatch):
    """A function -> stage, or objective, and checksum, of the copy as it stands."""
    monkeypatch.setattr(code, "PACKAGE", package)

    def of_all() -> dict[str, str]:
        plain = {stage: code.of_stage(stage) for stage in KEYS if stage not in code.CHOSEN}
        raw = {f"raw {corpus}": code.of_stage("raw", corpus) for corpus in CORPORA}
        return plain | raw | {name: code.of_stage("train", name) for name in sorted(TRAININGS)}

    return of_all


@contextmanager
def changed(path: Path, old: str, new: str):
    text = path.read_text()
    assert old in text, (path, old)
    path.write_text(text.replace(old, new, 1))
    try:
        yield
    finally:
        path.write_text(text)


def differing(one: dict, other: dict) -> set[str]:
    assert one.keys() == other.keys()
    return {key for key, value in one.items() if other[key] != value}


CORPORA = ("grid", "lrw", "lrw1000", "grid_words")
RAW = {f"raw {corpus}" for corpus in CORPORA}
TRAININGS = {"cross_entropy", "mwer", "ocd", "pcpg"}
REPORT = {"tables", "claims", "figures", "page"}
PG = "objectives/pcpg.py"
SAME = {
    "a comment": (PG, "from collections", "# a comment\nfrom collections"),
    "a comment behind code": (PG, "stride: Count  # s\n", "stride: Count  # another word, and a 'quote'\n"),
    "a comment taken away": (PG, "stride: Count  # s\n", "stride: Count\n"),
    "the docstring of a module": (PG, '"""Pseudo-convolutional', '"""Some\nlines: pseudo-convolutional'),
    "the docstring of a function": (PG, '"""Eq. 8: loss', '"""Anything, ä ü: loss'),
    "a docstring taken away": ("workspace/seeding.py",
                               '    """Seed torch (initial weights) and fix its threads."""\n', ""),
    "blank lines": (PG, "class PCPG", "\n\n\nclass PCPG"),
    "a comment in a command": ("commands.py", "    from pcpg.corpora.raw import prepare_corpus\n",
                               "    # here\n\n    from pcpg.corpora.raw import prepare_corpus\n"),
    "another command": ("commands.py", "def readme(", "def unheard_of(args) -> None:\n    print(1)\n\n\ndef readme("),
}  # fmt: skip
OTHER = {  # file, old, new, the stages that import it
    "a statement": (PG, "share = float(self.lambda_pg)", "share = 1.0 * float(self.lambda_pg)", {"pcpg"}),
    "a hash in a text": (PG, "argmax gives one sample", "# argmax gives one sample", {"pcpg"}),
    "another objective": ("objectives/mwer.py", '"reward": expected', '"reward": expected * 1', {"mwer"}),
    "what all runs share": ("learning/train.py", '"epoch": 0', '"epoch": 0 * 1', TRAININGS),
    "what all trainings share": ("learning/loop.py", "SAVE_SECONDS = 120", "SAVE_SECONDS = 9", TRAININGS | {"probe"}),
    "what objectives share": ("objectives/policy_gradient.py", 'if over == "none"', 'if over == "nothing"', {"pcpg"}),
    "what every run is seen to do": ("objectives/rollout.py", "count, longest =", "count = 0\n    count, longest =",
                                     TRAININGS),
    "a command": ("commands.py", "    prepare_corpus(args", "    prepare_corpus(1 and args", RAW),
    "a function that commands call": ("commands.py", 'f"is not one of {\', \'.join(mapping)}"', '"is none"',
                                      TRAININGS | {"probe", "evaluate", "classify"}),
    "what computes the checksums": ("workspace/code.py", "[:16]", "[:17]", set()),
    "a reader": ("corpora/lrw.py", "WORDS = 500", "WORDS = 501", {"raw lrw"}),
    "a reader that another one uses": ("corpora/grid.py", "SILENT = 21", "SILENT = 22", {"raw grid", "raw grid_words"}),
    "a generator": ("corpora/synthetic/lrw1000.py", "_SIZE = 112", "_SIZE = 111", {"raw lrw1000"}),
    "what all readers share": ("corpora/raw.py", "lines.insert(1,", "lines.insert(2,", RAW),
    "a new key of a corpus": ("settings/corpus.py", "    words: list", "    more: Text\n    words: list", REPORT),
    "a new key of all trainings": ("settings/training.py", "    batch: Count", "    more: Count\n    batch: Count",
                                   TRAININGS | {"probe", "evaluate", "classify"} | REPORT),
    "what is known of all corpora": ("corpora/about.py", "(29, 30)", "(29,)",
                                     RAW | {"shard", "store", "evaluate", "classify"} | REPORT),
    "test": ("learning/evaluate.py", '"split": "test"', '"split": "tests"', {"evaluate", "classify"}),
    "beam search": ("reader/decode.py", "scores[:, 0] = 0.0", "scores[:, 0] = 0.0 * 1", None),
    "a style sheet": ("report/figures/pcpg.mplstyle", "\n", "\n# x\n", {"figures"}),
    "the style of the page": ("report/page/page.css", "\n", "\n/* x */\n", {"page"}),
}  # fmt: skip


@pytest.mark.parametrize("case", SAME)
def test_what_changes_no_statement_changes_no_checksum(package, sums, case):
    name, old, new = SAME[case]
    before = sums()
    with changed(package / name, old, new):
        assert differing(before, sums()) == set()


@pytest.mark.parametrize("case", OTHER)
def test_what_changes_a_statement_changes_the_stages_that_import_it_and_no_others(package, sums, case):
    name, old, new, stages = OTHER[case]
    before = sums()
    with changed(package / name, old, new):
        found = differing(before, sums())
    assert found == (importers(package / name) if stages is None else stages)


def importers(path: Path) -> set[str]:
    """Those whose files it is among."""
    found = {stage for stage in KEYS if stage not in code.CHOSEN and path in code._sources(stage)[1]}
    chosen = [(name, code._sources("train", name)[1]) for name in TRAININGS]
    chosen += [(f"raw {corpus}", code._sources("raw", corpus)[1]) for corpus in CORPORA]
    return found | {name for name, files in chosen if path in files}


def test_a_new_data_file_counts_for_who_names_it(package, sums):
    before, data = sums(), package / "reader" / "letters.txt"
    data.write_text("abc")
    try:
        assert differing(before, sums()) == set()
        with changed(package / "reader/text.py", "PAD, BEGIN", 'NAME = "letters.txt"\nPAD, BEGIN'):
            named = sums()
            assert differing(before, named) >= TRAININGS
            data.write_text("abd")
            assert differing(named, sums()) >= TRAININGS
    finally:
        data.unlink()


def test_what_is_imported_for_types_alone_does_not_count(package, sums):
    """The lines themselves do; a change of what they name does not."""
    lines = "if TYPE_CHECKING:\n    from pcpg.report import formats\n"
    for imports, wanted in ((f"from typing import TYPE_CHECKING\n{lines}", set()), (lines.split("    ")[1], {"pcpg"})):
        with changed(package / PG, "import torch\n", f"import torch\n{imports}"):
            before = sums()
            with changed(package / "report/formats.py", "import", "CHANGED = 1\nimport"):
                assert differing(before, sums()) & TRAININGS == wanted


# The contract, in a clone that has run everything: what both engines would do

MEMBERS = {  # room -> one of its modules
    "workspace": "workspace/rows.py", "settings": "settings/keys.py", "corpora": "corpora/synthetic/film.py",
    "mouths": "mouths/roi.py", "reader": "reader/metrics.py", "objectives": "objectives/ocd.py",
    "learning": "learning/probe.py", "report": "report/figures/strip.py",
}  # fmt: skip
FIRST = re.compile(r"^(import|from) ", re.M)  # a new statement before the first import
KEYS_OF = {  # section of the parameter file -> old, new, stages of DVC that read it
    "decoding": ("length_normalisation: 1.0", "length_normalisation: 0.5", {"evaluate"}),
    "view": ("shift: 4", "shift: 3", {"train", "probe"}),
    "tables": ("tables: [table1, table2a, table2b,", "tables: [table1, table2b,", {"tables", "figures"}),
    "max_length": ("max_length: 32", "max_length: 33", {"train", "evaluate", "figures"}),
    "network": ("dropout: 0.2", "dropout: 0.1", {"train", "probe"}),
    "classifiers": ("k5s1-te_tc: {<<: *classifier,", "k5s1-te_tc: {<<: *classifier, label_smoothing: 0.0,",
                    {"probe", "tables", "claims", "figures"}),
    "corpora": ("{seed: 2, words: 3,", "{seed: 4, words: 3,",
                {"raw", "shard", "store", "evaluate", "classify", "tables", "claims", "figures"}),
    "workers": ("workers: 2", "workers: 1", set()),
}  # fmt: skip


def dvc_stages(folder: Path) -> set[str]:
    """Groups of stages whose own dependencies changed, as `dvc status` says once the plan is made anew."""
    (folder / "plan.json").write_text(Plan(parameters.read(folder / "params.yaml", objectives=False)).text())
    with Repo(str(folder)) as repo:
        return {name.rpartition(":")[2].partition("@")[0].split("_from_")[0] for name in repo.status()}


def with_all_behind(stages: set[str]) -> set[str]:
    """The rules that run where these do: what is behind a stage, for Snakemake says all that will run."""
    after = {
        "raw": {"shard", "store"}, "shard": {"store"}, 
        "store": {"train", "probe", "evaluate", "classify", "figures", "page"},
        "train": {"evaluate", "probe", "figures", "page"}, "probe": {"classify", "figures", "page", "claims"},
        "evaluate": {"tables", "claims", "figures", "page"}, "classify": {"tables", "claims", "figures", "page"},
        "figures": {"page"}, "tables": set(), "claims": set(), "page": set(),
    }  # fmt: skip
    found: set[str] = set()
    waiting = set(stages)
    while waiting:
        one = waiting.pop()
        found.add(one)
        waiting |= after[one] - found
    return found | ({"all"} if found else set())


@pytest.mark.parametrize("room", MEMBERS)
def test_a_changed_function_plans_the_stages_that_import_it(smoke, monkeypatch, room):
    path = smoke / "src/pcpg" / MEMBERS[room]
    text = path.read_text()
    new = FIRST.sub(r"CHANGED = 1\n\1 ", text, count=1)
    assert new != text
    plan = smoke / "plan.json"
    before = plan.read_bytes()
    monkeypatch.setattr(code, "PACKAGE", smoke / "src/pcpg")
    stages = {"train" if stage in TRAININGS else stage.split()[0] for stage in importers(path)}
    path.write_text(new)
    try:
        jobs, status = planned(smoke), dvc_stages(smoke)
    finally:
        path.write_text(text)
        plan.write_bytes(before)
    behind = with_all_behind(stages)
    if room == "objectives":  # no classifier begins with that run
        behind -= {"probe", "classify"}
    assert stages and jobs.keys() == behind
    assert status == stages | {"plan"}
    if room == "objectives":  # its own run alone
        assert (jobs["train"], jobs["evaluate"]) == (1, 1)


def test_a_corpus_that_grew_is_read_again_where_it_is_asked_for(smoke):
    """The command of docs/using.md: no engine looks into a user's corpus."""
    assert planned(smoke) == {}
    assert planned(smoke, "--forcerun", "raw").keys() == with_all_behind({"raw"})


@pytest.mark.parametrize("section", KEYS_OF)
def test_a_changed_key_plans_the_stages_that_read_it(smoke, monkeypatch, section):
    monkeypatch.setattr(code, "PACKAGE", smoke / "src/pcpg")
    old, new, stages = KEYS_OF[section]
    params = smoke / "params.yaml"
    text, plan = params.read_text(), (smoke / "plan.json").read_bytes()
    assert old in text
    plans = [Plan(parameters.read(params, objectives=False))]
    params.write_text(text.replace(old, new, 1))
    plans.append(Plan(parameters.read(params, objectives=False)))
    try:
        jobs, status = planned(smoke), dvc_stages(smoke)
    finally:
        params.write_text(text)
        (smoke / "plan.json").write_bytes(plan)
    read_by = {
        stage for stage in KEYS for corpus, name in plans[0].trained
        if name in plans[0].params.trainings(corpus)
        and plans[0].keys(stage, corpus=corpus, run=name) != plans[1].keys(stage, corpus=corpus, run=name)
    }  # fmt: skip
    assert stages <= read_by
    assert status == stages | {"plan", "page"}  # the page shows the whole file
    assert jobs.keys() == with_all_behind(stages | {"page"})
