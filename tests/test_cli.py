"""A user's mistake is one line on stderr, with exit status 2 and no traceback."""

import shutil
import subprocess
import sys

import pytest

from pcpg.workspace.errors import refusal


def pcpg(*arguments: str, cwd) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "pcpg.cli", *arguments], cwd=cwd, capture_output=True, text=True)


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
        (("train", "grid", "--seed", "1"), "clips/smoke/grid/store.json: no such file"),
        (("finetune", "grid", "k9s9", "--seed", "1"), "runs.grid.k9s9: is not one of k1s1, k5s5, k5s1"),
        (("evaluate", "grid", "ce", "--seed", "1"), "smoke/grid"),
        (("probe", "lrw", "ce", "xx", "--seed", "1"), "probes.xx: is not one of fe_tc, te_tc"),
        (("scratch", "grid", "--seed", "1"), "classifiers.grid: is not one of lrw, lrw1000"),
    ],
)
def test_a_mistake_is_one_line(folder, arguments, message):
    done = pcpg(*arguments, cwd=folder)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("pcpg: ")
    assert message in done.stderr


def test_a_wrong_parameter_names_file_and_key(folder):
    text = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(text.replace("length_normalisation", "length_normalization"))
    done = pcpg("params", "check", "params.yaml", cwd=folder)
    assert done.returncode == 2
    key = "decoding.length_normali{}ation"
    wanted = f"pcpg: params.yaml: {key.format('z')}: unknown key; did you mean {key.format('s')}?\n"
    assert done.stderr == wanted


def test_a_damaged_checkpoint_is_named(folder):
    from pcpg.reader import checkpoint
    from pcpg.settings import load as params
    from pcpg.settings.schema import to_plain
    from pcpg.workspace.errors import InputError

    for content in (b"", b"not a checkpoint", b"PK\x03\x04 half a zip"):
        (folder / "model.pt").write_bytes(content)
        with pytest.raises(InputError, match=r"model\.pt: not a readable checkpoint"):
            checkpoint.load(folder / "model.pt")
    checkpoint.save(folder / "model.pt", {"model": {}})
    with pytest.raises(InputError, match=r"model\.pt: is not a checkpoint of a lip-reader"):
        checkpoint.load(folder / "model.pt")
    content = dict.fromkeys(["settings", "model", "mean", "std", "iteration"])
    checkpoint.save(folder / "model.pt", content)
    with pytest.raises(InputError, match=r"model\.pt: its settings are not those of a lip-reader"):
        checkpoint.load(folder / "model.pt")
    content["settings"] = to_plain(params.load(folder / "params.yaml").model["grid"])
    checkpoint.save(folder / "model.pt", content)
    with pytest.raises(InputError, match=r"model\.pt: does not say which mouth clips it was trained on"):
        checkpoint.load(folder / "model.pt")
    checkpoint.save(folder / "model.pt", content | {"region": {"kind": "circle", "landmarks": None, "size": 96}})
    with pytest.raises(InputError, match=r"model\.pt: region\.kind: 'circle' is not one of landmarks, box, frame"):
        checkpoint.load(folder / "model.pt")


def test_onednns_words_for_too_little_memory_are_told_from_those_for_what_it_cannot_do():
    assert refusal(RuntimeError("could not create a primitive")) == "out of memory: could not create a primitive"
    assert refusal(RuntimeError("could not create a primitive descriptor for a matmul primitive")) is None
