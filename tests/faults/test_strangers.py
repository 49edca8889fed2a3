"""Files and texts from strangers are data: none runs, none leaves its place, and nobody is asked over the network.

Archives that lead out of their folder, links, devices: tests/test_download.py; texts on the page: tests/test_page.py.
"""

import io
import os
import pickle
import re
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from common import ENGINES, digests, only_line, pcpg, said, shell

from pcpg.mouths import sidecar
from pcpg.reader import checkpoint
from pcpg.settings.load import load
from pcpg.workspace.errors import InputError

STAGES = (
    "raw grid", "clips shard grid 0", "clips store grid",
    "train grid ce --seed 1", "train lrw k5s1 --seed 1", "evaluate lrw k5s1",
    "probe lrw ce-fe_tc --seed 1", "classify lrw ce-fe_tc", "tables table1", "claims", "figures strip", "page",
)  # fmt: skip
NAMES = ("$(touch mark)", "a; touch mark", "../up", "a/b", "a b", "'", "{wildcards}", "-x", "")
PLACES = ("preset: smoke", "    ce-continued: {start: ce", "    ce-te_tc: {", "tables: [table1", "figures: [strip")
GENERATOR = re.compile(r"synthetic: \{.*\}")  # settings that a corpus of files must not have


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch '{self.mark}'",)


def test_the_evil_object_works(tmp_path):
    """Else the tests below could not fail."""
    pickle.loads(pickle.dumps(Evil(tmp_path / "mark")))
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize("form", ["torch", "torch, old format", "pickle", "pickle in a zip"])
def test_no_code_of_a_checkpoint_runs(form, tmp_path):
    mark, path = tmp_path / "mark", tmp_path / "model.pt"
    content = {"view": {}, "network": {}, "model": Evil(mark), "mean": 0.0, "std": 1.0, "iteration": 1}
    if form.startswith("torch"):
        torch.save(content, path, _use_new_zipfile_serialization=form == "torch")
    elif form == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps(content))
            archive.writestr("archive/version", "3\n")
    with pytest.raises(InputError, match=str(path)):
        checkpoint.load(path)
    assert not mark.exists()


def test_no_code_of_an_array_runs(tmp_path):
    """Of landmarks beside a video; numpy pickles arrays of objects."""
    mark, path, raw = tmp_path / "mark", tmp_path / "points.npy", io.BytesIO()
    np.save(raw, np.array([Evil(mark)], dtype=object), allow_pickle=True)
    path.write_bytes(raw.getvalue())
    with pytest.raises(InputError, match=str(path)):
        sidecar.read_landmarks(path, 1)
    assert not mark.exists()


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system ['touch mark']", "!!python/name:os.system", "!evil x"]
)
def test_no_code_of_a_parameter_file_runs(tag, root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (root / "tests" / "smoke.params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("preset: smoke", f"preset: {tag}"))
    with pytest.raises(InputError, match=r"params.yaml, line 2: not valid YAML"):
        load("params.yaml")
    assert not Path("mark").exists()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", PLACES)
def test_names_are_names(name, place, root, tmp_path):
    """What becomes part of paths and of shell commands is letters, digits and few signs."""
    text = (root / "tests" / "smoke.params.yaml").read_text().replace("figures: [verdicts", "figures: [strip")
    old = re.search(r"smoke|ce-continued|ce-te_tc|table1|strip", place)[0]
    quoted = "'" + name.replace("'", "''") + "'"
    changed = text.replace(place, place.replace(old, quoted), 1)
    assert changed != text
    (tmp_path / "params.yaml").write_text(changed)
    with pytest.raises(InputError, match=r"is no name \(up to 100 letters, digits"):
        load(tmp_path / "params.yaml")


def test_a_parameter_file_and_a_corpus_with_names_for_a_shell(project, unbroken, tmp_path):
    """Both engines' shells get the name of the one; the path of the other stands in it."""
    corpus = tmp_path / "my 'corpus'; $(touch mark) & \"x\""
    shutil.copytree(unbroken / "data/smoke/lrw/corpus", corpus)
    text = (project / "params.yaml").read_text()
    lrw = text.index("  lrw:\n")
    local = text[lrw:].replace("source: synthetic", "source: local", 1)
    local = GENERATOR.sub("synthetic: null", local, count=1)
    local = local.replace("root: null", "root: '" + str(corpus).replace("'", "''") + "'", 1)
    name = "my params; touch mark $(touch mark) 'x'.yaml"
    (project / name).write_text(text[:lrw] + local)
    goal = "clips/smoke/lrw/store.json"
    done = shell("snakemake", "--cores", "2", goal, "--configfile", name, cwd=project)
    assert done.returncode == 0, said(done)
    assert not list(project.rglob("mark")) and not (tmp_path / "mark").exists()
    found, wanted = (
        {key: value for key, value in digests(folder).items() if key.startswith("clips/smoke/lrw/")}
        for folder in (project, unbroken)
    )
    assert wanted and found == wanted


def test_a_transcript_for_a_shell_is_a_text(project, unbroken, tmp_path):
    """In an .align file: the clip is left out with the reason, and nothing happens."""
    corpus = tmp_path / "corpus"
    shutil.copytree(unbroken / "data/smoke/grid/corpus", corpus)
    align = sorted(corpus.rglob("*.align"))[0]
    align.write_text("0 1000 sil\n1000 20000 $(touch${IFS}mark);touch${IFS}mark\n20000 30000 <script>\n")
    file = project / "params.yaml"
    grid = file.read_text().replace("source: synthetic", "source: local", 1)
    grid = GENERATOR.sub("synthetic: null", grid, count=1)
    file.write_text(grid.replace("root: null", f"root: {corpus}", 1))
    done = pcpg("raw", "grid", cwd=project)
    assert done.returncode == 0, said(done)
    listed = (project / "data/smoke/grid/excluded.csv").read_text()
    kept = (project / "data/smoke/grid/manifest.csv").read_text()
    assert align.stem in listed and "touch" not in kept
    assert not list(project.rglob("mark")) and not list(tmp_path.rglob("mark"))


@pytest.fixture
def watched(tmp_path) -> tuple[str, Path]:
    """A PYTHONPATH under which every try to reach another machine fails and is noted, and the file of notes."""
    notes = tmp_path / "connections"
    folder = tmp_path / "watch"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import os, socket, sys\n"
        "def audit(event, args):\n"
        "    unix = event == 'socket.connect' and args[0].family == socket.AF_UNIX\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.gethostbyname') and not unix:\n"
        f"        open({str(notes)!r}, 'a').write(f'{{sys.argv}} {{event}} {{args[1:]}}\\n')\n"
        "        raise OSError('no network in this test')\n"
        "sys.addaudithook(audit)\n"
    )
    return f"{folder}:{os.environ.get('PYTHONPATH', '')}", notes


def test_the_watch_sees_a_connection(watched):
    path, notes = watched
    code = "import requests; requests.get('http://localhost:9')"
    shell("env", f"PYTHONPATH={path}", sys.executable, "-c", code, cwd=notes.parent)
    assert "getaddrinfo" in notes.read_text()


def test_no_stage_and_no_engine_asks_the_network(watched, finished):
    """But for `source: download` and `landmark_model: download`, which say so."""
    path, notes = watched
    for command in STAGES:
        done = shell("env", f"PYTHONPATH={path}", sys.executable, "-m", "pcpg.cli", *command.split(), cwd=finished)
        assert done.returncode == 0, said(done)
    shutil.rmtree(finished / "data/smoke/lrw")
    goals = {"snakemake": "data/smoke/lrw", "dvc": "raw@lrw"}
    for engine, command in ENGINES.items():
        done = shell("env", f"PYTHONPATH={path}", *command, goals[engine], cwd=finished)
        assert done.returncode == 0, said(done)
    assert not notes.exists(), notes.read_text()


def test_a_checkpoint_that_is_something_else_is_one_line(finished):
    path = finished / "runs/smoke/lrw/ce/seed1/model.pt"
    for content in (
        ["a list"],
        {"view": [], "network": [], "region": {}, "model": {}, "mean": 0, "std": 1, "words": [], "iteration": 1},
        1,
    ):
        torch.save(content, path)
        line = only_line(pcpg("evaluate", "lrw", "ce", cwd=finished))
        assert "runs/smoke/lrw/ce/seed1/model.pt" in line
