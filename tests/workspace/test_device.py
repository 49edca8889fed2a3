"""A job says where it computes, and takes a GPU that no other job has."""

import fcntl
import tempfile
from contextlib import ExitStack

import pytest
import torch
from command import called

from pcpg.workspace import device
from pcpg.workspace.errors import SettingError


@pytest.fixture
def gpus(monkeypatch, tmp_path):
    """A machine with so many GPUs, of which nobody has chosen one; without CUDA."""

    def are(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("LOCAL_RANK", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as held:
        monkeypatch.setattr(device, "_HELD", held)
        yield are


def test_without_a_gpu_auto_is_the_processor_and_cuda_is_refused(gpus):
    gpus(0)
    assert device.choose_device("auto") == torch.device("cpu")
    with pytest.raises(SettingError, match=r"^device: cuda, but no GPU can be used here; cpu or auto$"):
        device.choose_device("cuda")


@pytest.mark.parametrize("stage", ["train grid ce --seed 1", "evaluate grid ce"])
def test_a_gpu_that_is_not_there_is_one_line_with_file_and_key(toy, gpus, stage):
    gpus(0)
    params = toy / "params.yaml"
    params.write_text(params.read_text().replace("device: cpu", "device: cuda"))
    done = called(*stage.split(), cwd=toy)
    wanted = "pcpg: params.yaml: device: cuda, but no GPU can be used here; cpu or auto\n"
    assert (done.returncode, done.stderr) == (2, wanted)


def test_a_training_and_an_evaluation_say_where_they_compute(toy, gpus):
    gpus(0)
    params = toy / "params.yaml"
    params.write_text(params.read_text().replace("device: cpu", "device: auto"))
    for stage in ("train grid ce --seed 1", "evaluate grid ce"):
        said = called(*stage.split(), cwd=toy).stderr.splitlines()
        assert said[0] == "device: cpu" and sum("device" in line for line in said) == 1


def test_each_job_takes_a_gpu_of_its_own_and_the_first_where_all_are_taken(gpus, capsys, tmp_path):
    """A lock is free again when its job has ended, whichever that was."""
    gpus(3)
    with open(tmp_path / "pcpg-gpu-1.lock", "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert [device.choose_device("auto").index, device.choose_device("cuda").index] == [0, 2]
        assert capsys.readouterr().err == ""
        assert device.choose_device("auto").index == 0
        said = "device: each of the 3 GPUs here is at work for another job; the first is shared\n"
        assert capsys.readouterr().err == said
    assert device.choose_device("auto").index == 1


@pytest.mark.parametrize(
    ("environment", "index"), [({"LOCAL_RANK": "2"}, 2), ({"CUDA_VISIBLE_DEVICES": "1,2,3"}, 0), ({}, 0)]
)
def test_a_gpu_that_was_chosen_is_taken_whoever_has_it(gpus, monkeypatch, environment, index):
    gpus(3 if environment else 1)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert [device.choose_device("auto").index for _ in range(2)] == [index, index]


def test_a_gpu_is_named(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda of: "NVIDIA H100")
    device.tell(torch.device("cuda", 1))
    assert capsys.readouterr().err == "device: cuda:1, NVIDIA H100\n"
