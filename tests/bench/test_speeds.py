"""The comparisons of `make bench` compare what they say, and their lines can be printed."""

import json

import pytest
import torch

from pcpg.settings.load import load
from tests.bench.stages import seconds_of_jobs


def test_one_pass_gives_the_gradient_of_the_authors_many(root, capsys):
    bench = pytest.importorskip("tests.bench.speeds", exc_type=ImportError)  # OpenCV wants libGL
    mini = load(root / "params.yaml")
    assert bench.check_same_gradient(mini) < 1e-5
    bench.updates(mini, 2, 1, torch.device("cpu"))
    assert capsys.readouterr().out.count("| update of M = 5 against") == 2


def test_the_bench_asks_a_made_up_gpu(root, monkeypatch):
    """A step is as long as its FLOPs say, 0.031 GFLOP a clip forwards, or as its batch takes to come."""
    bench = pytest.importorskip("tests.bench.stand_in", exc_type=ImportError)
    monkeypatch.setattr(bench, "STEPS", 2)
    monkeypatch.setattr(bench, "RATES", (1, 1000))  # TFLOP/s
    found = {}
    bench.beside(
        lambda what, waited, each, limit: found.update({what.split(": ")[1]: (waited, each)}),
        load(root / "params.yaml"),
    )
    assert len(found) == 10 and all(0 <= waited <= each for waited, each in found.values())
    slow, fast = (found[f"grid, cross-entropy, batch 16, {rate} TFLOP/s"] for rate in (1, 1000))
    assert slow[1] > 3 * 16 * 0.030e9 / 1e12 and fast[0] > 0.5 * fast[1]


def test_the_seconds_of_a_stage_count_each_job_once(tmp_path):
    """A job that wrote two files is noted twice; one that was broken off has no end."""
    for name, rule, log, end in (("a", "page", "1", 3.0), ("b", "train", "2", 5.0), ("c", "train", "2", 5.0),
                                 ("d", "train", "3", 4.0), ("e", "train", "4", None)):  # fmt: skip
        note = {"rule": rule, "log": [log], "starttime": 1.0, "endtime": end}
        (tmp_path / name).write_text(json.dumps(note))
    assert {rule: sorted(taken) for rule, taken in seconds_of_jobs(tmp_path).items()} == {
        "train": [3.0, 4.0], "page": [2.0],
    }  # fmt: skip
    assert list(seconds_of_jobs(tmp_path)) == ["train", "page"]
