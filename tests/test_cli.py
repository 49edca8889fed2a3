"""A user's mistake is one line on stderr, with exit status 2 and no traceback."""

import gc
import os
import re
import shutil
import subprocess
import sys
import threading
from unittest.mock import Mock

import pytest
from command import called, pcpg

from pcpg import cli
from pcpg.workspace.errors import refusal


@pytest.fixture
def folder(root, tmp_path):
    shutil.copy(root / "tests" / "smoke.params.yaml", tmp_path / "params.yaml")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("params", "check", "absent.yaml"), "absent.yaml: No such file"),
        (("tables", "table9"), "table9: not a table"),
        (("figures", "fig9"), "fig9: not a figure"),
        (("raw", "lrs2"), "corpus lrs2: is not one of grid, lrw, lrw1000"),
        (("clips", "shard", "grid", "0"), "data/smoke/grid/manifest.csv: no such file"),
        (("clips", "shard", "grid", "2"), "shard 2: is not one of 0 to 1"),
        (("clips", "store", "grid"), "data/smoke/grid/manifest.csv: no such file"),
        (("clips", "info", "clips"), "clips/store.json: no such file"),
        (("train", "grid", "ce", "--seed", "1"), "clips/smoke/grid/store.json: no such file"),
        (("train", "grid", "k9s9", "--seed", "1"), "runs.grid.k9s9: is not one of ce, k1s1, k5s5, k5s1"),
        (("train", "lrw", "ce-fe_tc", "--seed", "1"), "runs.lrw.ce-fe_tc: is not one of ce, k1s1"),
        (("evaluate", "grid", "ce"), "clips/smoke/grid/store.json: no such file"),
        (("evaluate", "grid", "k9s9"), "runs.grid.k9s9: is not one of ce, k1s1"),
        (("probe", "lrw", "xx", "--seed", "1"), "classifiers.lrw.xx: is not one of scratch, k5s1-fe_tc"),
        (("probe", "grid", "scratch", "--seed", "1"), "classifiers.grid.scratch: is not one of "),
        (("classify", "lrw", "ce"), "classifiers.lrw.ce: is not one of scratch, k5s1-fe_tc"),
        (("network", "lrs2"), "corpus lrs2: is not one of grid, lrw, lrw1000"),
        (("network", "grid", "--frames", "0"), "frames: 0 is not at least 1"),
        (("train", "grid", "ce", "--seed", str(2**32)), "--seed: 4294967296 is not within 0 and 4294967295"),
        (("train", "grid", "ce", "--seed", "x"), "argument --seed: invalid int value: 'x'; pcpg train --help"),
        (("transcribe", "-a.yaml", "--checkpoint", "x"), "VIDEO; write ./-a.yaml for the file"),
        (("transcribe", "no\nfile.mp4", "--checkpoint", "x" * 300), "x: File name too long"),
        (("params", "check", "no\nfile.yaml"), "no\\nfile.yaml: No such file"),
        (("readme", "absent.md"), "absent.md: No such file"),
        (("readme", "picture.png"), "picture.png: is no text in UTF-8"),
    ],
)
def test_a_mistake_is_one_line(folder, arguments, message):
    (folder / "-a.yaml").touch()
    (folder / "picture.png").write_bytes(b"\x89PNG")
    done = called(*arguments, cwd=folder)
    assert done.returncode == 2 and gc.isenabled()
    said = done.stderr
    assert said.count("\n") == 1
    assert said.startswith("pcpg: ")
    assert message in said


def test_what_a_terminal_cannot_show_is_written_out(folder, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    (folder / "params.yaml").rename(folder / "\u53e3.yaml")
    done = pcpg("params", "check", "\u53e3.yaml", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("\\u53e3.yaml: preset smoke")


def test_without_an_output_the_work_is_done(folder):
    """As of a daemon: `pcpg ... >&-`."""
    command = f"{sys.executable} -m pcpg.cli params check params.yaml >&-"
    done = subprocess.run(command, shell=True, cwd=folder, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_where_a_folder_belongs_is_named(folder):
    (folder / "data").mkdir()
    (folder / "data/smoke").touch()
    done = called("raw", "lrw", "--params", "params.yaml", cwd=folder)
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith("pcpg: data/smoke: ")


def test_a_reader_that_has_seen_enough_is_no_error(folder):
    """As `pcpg ... | head`: the output is shut before anything is written."""
    command = [sys.executable, "-m", "pcpg.cli", "params", "check", "params.yaml"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, cwd=folder, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_another_pipe_that_breaks_is_an_error(monkeypatch, capsys):
    """Such as that to a process of a job, which must not end in silence."""
    monkeypatch.setattr(cli, "_run", Mock(side_effect=BrokenPipeError))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "argv", ["pcpg", "params", "check", "params.yaml"])
    with pytest.raises(BrokenPipeError):
        cli.main()


def test_a_wrong_parameter_names_file_and_key(folder):
    text = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(text.replace("length_normalisation", "length_normalization"))
    done = called("params", "check", "params.yaml", cwd=folder)
    assert done.returncode == 2
    key = "decoding.length_normali{}ation"
    wanted = f"pcpg: params.yaml: {key.format('z')}: unknown key; did you mean {key.format('s')}?\n"
    assert done.stderr == wanted


def test_a_command_that_fails_by_a_key_of_an_objective_names_it(root, tmp_path):
    """It does not check them first: to import torch for it takes longer than the work."""
    text = (root / "presets/grid-s1-early.yaml").read_text()
    changed, count = re.subn(r"\n +stride: 1\b.*", "", text)
    assert count == 1
    (tmp_path / "params.yaml").write_text(changed)
    done = called("tables", "ablation", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("pcpg: params.yaml: runs.grid.k1s1.objective.pcpg.stride: ")


def test_the_code_of_another_clone_is_not_run_in_silence(folder):
    """As with that clone's .venv: an edit of the code here would do nothing."""
    for made in (".git", "src/pcpg"):
        (folder / made).mkdir(parents=True)
    done = called("plan", cwd=folder)
    assert done.returncode == 2 and done.stderr.startswith("pcpg: src/pcpg: is not the code that runs, which is /")


def test_a_damaged_checkpoint_is_named(folder):
    from pcpg.reader import checkpoint
    from pcpg.settings.load import load
    from pcpg.workspace.errors import InputError

    def refused(content, message: str) -> None:
        checkpoint.save(folder / "model.pt", content)
        with pytest.raises(InputError, match=rf"model\.pt: {message}"):
            checkpoint.load(folder / "model.pt")

    for content in (b"", b"not a checkpoint", b"PK\x03\x04 half a zip"):
        (folder / "model.pt").write_bytes(content)
        with pytest.raises(InputError, match=r"model\.pt: not a readable checkpoint"):
            checkpoint.load(folder / "model.pt")
    for content in (1, ["a list"], {"model": {}}):
        refused(content, "is not a checkpoint of a lip-reader")
    content = dict.fromkeys(["settings", "model", "mean", "std", "iteration"])
    refused(content, "does not say its network, region, view, words: of an earlier pcpg; train it anew")
    params = load(folder / "params.yaml")
    content |= {"view": params.view["grid"].model_dump(), "network": params.network["grid"].model_dump(), "words": []}
    refused(content, "does not say its region")
    content["region"] = {"kind": "landmarks", "landmarks": None, "size": 96}
    refused(content | {"view": None}, "view: expected a mapping, got None")
    refused(content | {"network": content["network"] | {"depth": 3}}, r"network\.depth: unknown key")
    refused(content | {"view": content["view"] | {"crop": 0}}, r"view\.crop: must be at least 1, got 0")
    kind = {"kind": "circle", "landmarks": None, "size": 96}
    refused(content | {"region": kind}, r"region\.kind: 'circle' is not one of landmarks, box, frame")


def test_onednns_words_for_too_little_memory_are_told_from_those_for_what_it_cannot_do():
    assert refusal(RuntimeError("could not create a primitive")) == "out of memory: could not create a primitive"
    assert refusal(RuntimeError("could not create a primitive descriptor for a matmul primitive")) is None
