"""Every parameter file in the project is valid, and every kind of mistake is named."""

from pathlib import Path

import pytest
import yaml

from pcpg.settings.load import from_mapping, load
from pcpg.workspace.errors import InputError

ROOT = Path(__file__).parents[2]
MINI = ROOT / "presets" / "mini.yaml"


@pytest.mark.parametrize("file", sorted([*ROOT.glob("presets/*.yaml"), *ROOT.glob("tests/*.params.yaml")]), ids=str)
def test_committed_files_are_valid(file):
    load(file)


def test_the_active_preset_is_mini():
    assert (ROOT / "params.yaml").read_bytes() == MINI.read_bytes()


def changed(path: str, value) -> dict:
    """presets/mini.yaml with the key `path` set; value ...: deleted."""
    mapping = yaml.load(MINI.read_text(), Loader=yaml.SafeLoader)
    mapping = yaml.safe_load(yaml.dump(mapping, Dumper=_Plain))
    *parents, last = path.split(".")
    inner = mapping
    for key in parents:
        inner = inner[key]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return mapping


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data):  # so that a change touches one run and not all that share an anchor
        return True


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("runs.grid.k5s1.gama", 1.0, r"runs\.grid\.k5s1\.gama: unknown key; did you mean runs\.grid\.k5s1\.gamma"),
        ("runs.grid.k5s1.gamma", ..., r"runs\.grid\.k5s1\.gamma: missing key"),
        ("runs.grid.k5s1.gamma", "1e-3", r"runs\.grid\.k5s1\.gamma: expected a number, got '1e-3'"),
        ("runs.grid.k5s1.samples", True, r"runs\.grid\.k5s1\.samples: expected a whole number"),
        ("runs.grid.k5s1.kernel", ["1/5", "1/5"], r"runs\.grid\.k5s1\.kernel: the weights sum to 2/5"),
        ("runs.grid.k5s1.kernel", ["1/0"], r"runs\.grid\.k5s1\.kernel\[0\]: expected a number such as"),
        ("runs.grid.k5s5.convolve", "return", r"runs\.grid\.k5s5\.stride: convolve: return needs stride 1"),
        ("runs.grid.k5s1.padding", "full", r"runs\.grid\.k5s1\.padding: 'full' is not one of same, valid"),
        ("seeds", [1, 1], r"seeds: must be distinct"),
        ("seeds", 3, r"seeds: expected a list"),
        ("shards", ..., r"shards: missing key"),
        ("shards", [], r"shards: must be 0, 1, 2 and so on, at least \[0\]; found \[\]"),
        ("shards", [0, 2], r"shards: must be 0, 1, 2 and so on, at least \[0\]; found \[0, 2\]"),
        ("shards", [1, 0], r"shards: must be 0, 1, 2"),
        ("shards", 2, r"shards: expected a list"),
        ("shards", ["0"], r"shards\[0\]: expected a whole number"),
        ("corpora.grid.raw.source", "local", r"corpora\.grid\.raw\.root: missing"),
        ("corpora.grid.clips.landmarks", "mediapipe", r"corpora\.grid\.clips\.landmark_model: missing"),
        ("model.grid.pool", 3, r"model\.grid\.pool: 3 does not divide"),
        ("model.lrs2", {}, r"model \(name\): 'lrs2' is not one of grid, lrw, lrw1000"),
        ("probe_from.lrw", ["k9s9"], r"probe_from\.lrw: 'k9s9' is not one of ce, ce-continued, k1s1"),
        ("model.grid.repeat", 1.5, r"model\.grid\.repeat: 1\.5 is not within 0 and 1"),
        ("baselines.lrw.teacher_forcing", -0.1, r"baselines\.lrw\.teacher_forcing: -0\.1 is not within 0 and 1"),
        ("baselines.grid.learning_rate", 0.0, r"baselines\.grid\.learning_rate: must be above 0"),
        ("classifiers.lrw.evaluations", 0, r"classifiers\.lrw\.evaluations: must be at least 1"),
        ("runs.grid.scratch", {}, r"runs\.grid\.scratch\.epochs: missing key"),
        ("runs.grid.k1s1.lambda_pg", "4/3", r"runs\.grid\.k1s1\.lambda_pg: 4/3 is not within 0 and 1"),
        ("runs.grid.k1s1.kernel", [], r"runs\.grid\.k1s1\.kernel: has no weight"),
        ("runs.grid.k5s1.convolve", "none", r"runs\.grid\.k5s1\.convolve: none needs kernel \[1\]"),
        ("runs.grid.k1s1.temperature", 0, r"runs\.grid\.k1s1\.temperature: must be above 0"),
        ("runs.grid.k1s1.entropy", -1.0, r"runs\.grid\.k1s1\.entropy: must not be negative"),
        ("runs.grid.k1s1.sampling", "argmax", r"runs\.grid\.k1s1\.sampling: argmax gives one sample"),
        ("runs.grid.k1s1.init", "lrw", r"runs\.grid\.k1s1\.init: 'lrw' is not one of ce, scratch"),
        ("runs.grid.k1s1.lambda_pg", "1.2.3", r"runs\.grid\.k1s1\.lambda_pg: expected a number such as"),
        (
            "corpora.lrw.clips.landmark_folder",
            "x",
            r"corpora\.lrw\.clips\.landmark_folder: to be given for roi: landmarks",
        ),
        ("corpora.grid.raw.split", "lists", r"corpora\.grid\.raw\.lists: to be given for split: lists, and only there"),
        (
            "corpora.grid.raw.lists",
            {"train": "a", "test": "b"},
            r"corpora\.grid\.raw\.lists: to be given for split: lists",
        ),
        ("corpora.grid.raw.lists", {"train": "a"}, r"corpora\.grid\.raw\.lists\.test: missing key"),
        ("corpora.grid.raw.lists", ..., r"corpora\.grid\.raw\.lists: missing key"),
        ("runs.grid.k1s1.lambda_pg", "1e999999999", r"runs\.grid\.k1s1\.lambda_pg: expected a number such as"),
        ("baselines.grid.learning_rate", 10**400, r"baselines\.grid\.learning_rate: expected a number, got 1000"),
        ("baselines.grid.learning_rate", float("inf"), r"baselines\.grid\.learning_rate: expected a number, got inf"),
        ("resources.train.gpu", -1, r"resources\.train\.gpu: must not be negative"),
        ("nodes", 2, r"processes: 1 cannot be spread evenly over 2 nodes"),
        ("processes", 0, r"processes: must be at least 1"),
        ("runs.grid.k5s1.accumulate", 0, r"runs\.grid\.k5s1\.accumulate: must be at least 1"),
        ("resources.probe.runtime", 0, r"resources\.probe\.runtime: must be at least 1"),
        ("resources.report.mem", 1, r"resources\.report\.mem: unknown key; did you mean resources\.report\.mem_mb"),
        ("resources.shard", ..., r"resources\.shard: missing key"),
        ("precision", "float16", r"precision: 'float16' is not one of float32, bfloat16"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_mistake_is_named(path, value, message):
    with pytest.raises(InputError, match=rf"^mine\.yaml: {message}"):
        from_mapping(changed(path, value), "mine.yaml")


@pytest.mark.parametrize("content", [b"", b"[1, 2]", b"a: [", b"\xff\xfe\x00", b"preset: mini\n  x: 1"])
def test_a_file_that_is_no_parameter_file(tmp_path, content):
    file = tmp_path / "broken.yaml"
    file.write_bytes(content)
    with pytest.raises(InputError, match="broken.yaml"):
        load(file)
    with pytest.raises(InputError, match="absent.yaml"):
        load(tmp_path / "absent.yaml")


def test_what_a_training_in_parts_or_over_machines_refuses():
    mapping = changed("runs.grid.k5s1.accumulate", 2)
    mapping["runs"]["grid"]["k5s1"]["standardise"] = "batch"
    with pytest.raises(InputError, match=r"k5s1\.accumulate: standardise: batch needs the whole batch"):
        from_mapping(mapping, "my.yaml")
    mapping = changed("resources.train.gpu", 3) | {"processes": 2, "nodes": 2}
    with pytest.raises(InputError, match=r"resources\.train\.gpu: 3 cannot be spread evenly over 2 nodes"):
        from_mapping(mapping, "my.yaml")
