"""The active parameter file and the presets are valid, and every kind of mistake is named in one line."""

from copy import deepcopy
from datetime import date
from pathlib import Path

import pytest
import yaml

from pcpg import parameters
from pcpg.objectives import base
from pcpg.settings.load import from_mapping, load
from pcpg.settings.plan import Plan
from pcpg.settings.yaml_file import read_yaml
from pcpg.workspace.errors import InputError

ROOT = Path(__file__).parents[2]
MINI = read_yaml(ROOT / "params.yaml")
FILES = sorted([ROOT / "params.yaml", *ROOT.glob("presets/*.yaml"), *ROOT.glob("tests/*.params.yaml")])


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_committed_files_are_valid(file):
    parameters.read(file)


def test_the_active_preset_is_mini():
    assert load(ROOT / "params.yaml").preset == "mini"


def changed(path: str, value, mapping=MINI) -> dict:
    """A parameter file's content with the key `path` set, of one run and not of all that share an anchor; ...: deleted.

    path: keys with a full stop between them.
    """
    mapping = _plain(mapping)
    *parents, last = path.split(".") if path else [path]
    inner = mapping
    for key in parents:
        inner = inner[key]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return mapping


def _plain(value):
    """Without what two places share."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else deepcopy(value)


@pytest.fixture
def read(monkeypatch):
    """`parameters.read` of a mapping, as if mine.yaml held it."""

    def from_file(mapping):
        monkeypatch.setattr(parameters, "load", lambda path: from_mapping(mapping, path))
        return parameters.read("mine.yaml")

    return from_file


REWARD = {"weight": 0.1, "form": "reward"}
PG, CE = "runs.grid.k5s1.objective.pcpg", "runs.grid.ce.objective.cross_entropy"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("fewer_seeds", {"grid": {"k9s1": 1}}, r"fewer_seeds\.grid\.k9s1: is no run or classifier of this corpus"),
        ("fewer_seeds", {"grid": {"k5s1": 9}}, r"fewer_seeds\.grid\.k5s1: 9 is not fewer than the 3 seeds"),
        ("fewer_seeds", {"grid": {"ce": 2}}, r"fewer_seeds\.grid\.ce: has 2 seeds, but k1s1 starts from it and has 3"),
        ("fewer_seeds", {"grid": {"ce": 0}}, r"fewer_seeds\.grid\.ce: must be at least 1, got 0"),
        (f"{PG}.gama", 1.0, rf"{PG}\.gama: unknown key; did you mean {PG}\.gamma"),
        (f"{PG}.gamma", ..., rf"{PG}\.gamma: missing key"),
        (f"{PG}.gamma", "1e-3", rf"{PG}\.gamma: expected a number, got '1e-3'"),
        (f"{PG}.samples", True, rf"{PG}\.samples: expected a whole number"),
        (f"{PG}.kernel", ["1/5", "1/5"], rf"{PG}\.kernel: the weights sum to 2/5"),
        (f"{PG}.kernel", ["1/0"], rf"{PG}\.kernel\[0\]: expected a number such as"),
        (f"{PG}.kernel", ["1/41"] * 41, rf"{PG}\.kernel: 41 weights for texts of at most 40 characters"),
        (f"{PG}.stride", 6, rf"{PG}\.stride: 6 skips steps: the kernel has 5"),
        (f"{PG}.temperature", 1e-4, rf"{PG}\.temperature: must be at least 0.001, got 0.0001"),
        (f"{PG}.gamma", 0.0, rf"{PG}\.gamma: 0 counted from the end keeps"),
        (f"{PG}.kernel", ["1/3"] * 3, rf"{PG}\.kernel: not that of the paper's row k5s1, k=5, s=1; give the run another"),
        (f"{PG}.stride", 5, rf"{PG}\.kernel: not that of the paper's row k5s1, k=5, s=1; give the run another"),
        (f"{PG}.kernel", [], rf"{PG}\.kernel: must have at least 1 entries"),
        (f"{PG}.convolve", "none", rf"{PG}\.convolve: none needs kernel \[1\]"),
        (f"{PG}.padding", "full", rf"{PG}\.padding: 'full' is not one of same, valid"),
        ("runs.grid.k5s5.objective.pcpg.convolve", "return", r"runs.*\.pcpg\.stride: convolve: return needs stride 1"),
        (f"{PG}.sampling", "argmax", rf"{PG}\.sampling: argmax gives one sample"),
        (f"{PG}.lambda_pg", "4/3", rf"{PG}\.lambda_pg: must be at most 1, got '4/3'"),
        (f"{PG}.lambda_pg", 0, rf"{PG}\.lambda_pg: must be above 0, got 0"),
        (f"{PG}.lambda_pg", "1.2.3", rf"{PG}\.lambda_pg: expected a number such as"),
        (f"{PG}.lambda_pg", "1e999999999", rf"{PG}\.lambda_pg: expected a number such as"),
        (f"{PG}.cross_entropy.teacher_forcing", -0.1, rf"{PG}\.cross_entropy\.teacher_forcing: must be at least 0"),
        (f"{PG}.cross_entropy.smoothing", 0.1, rf"{PG}\.cross_entropy\.smoothing: unknown key; did you mean {PG}\.cross"),
        (f"{CE}.label_smoothing", 1.0, rf"{CE}\.label_smoothing: must be below 1"),
        ("runs.grid.ce.objective", {}, r"runs\.grid\.ce\.objective: must have at least 1 entries"),
        ("runs.grid.ce.objective", {"pcgp": {}}, r"runs\.grid\.ce\.objective: 'pcgp' is not one of a_lol, best_of_m"),
        ("runs.grid.ce.objective", {"ocd": {}, "mwer": {}}, r"runs\.grid\.ce\.objective: must have at most 1 entries"),
        ("runs.grid.ce.objective.cross_entropy", None, r"runs\.grid\.ce\.objective\.cross_entropy: expected a mapping"),
        ("runs.grid.ce.epochs", 3, r"runs\.grid\.ce\.epochs: unknown key; valid keys: start, optimisation, objective"),
        ("runs.grid.ce.optimisation.epoch", 3, r".*\.epoch: unknown key; did you mean runs\.grid\.ce\.optimisation\.ep"),
        ("runs.grid.ce.optimisation.learning_rate", 0.0, r".*\.learning_rate: must be above 0"),
        ("runs.grid.ce.optimisation.learning_rate", 10**400, r".*\.learning_rate: expected a number, got 1000"),
        ("runs.grid.ce.optimisation.learning_rate", float("inf"), r".*\.learning_rate: expected a number, got inf"),
        ("runs.grid.ce.optimisation.accumulate", 17, r".*\.accumulate: a batch of 16 has no 17 parts"),
        ("runs.grid.k1s1.start", "lrw", r"runs\.grid\.k1s1\.start: 'lrw' is not one of scratch, ce, k1s1"),
        ("runs.grid.k1s1.start", "k1s1", r"runs\.grid\.k1s1\.start: circular start: k1s1 leads back to itself"),
        ("runs.grid.ce.start", "k1s1", r"runs\.grid\.ce\.start: circular start: ce leads back"),
        ("runs.grid.scratch", {}, r"runs\.grid\.scratch\.start: missing key"),
        ("runs", {}, r"runs\.grid: missing key"),
        ("runs.lrw1000", ..., r"runs\.lrw1000: missing key"),
        ("corpora.lrw1000", ..., r"view\.lrw1000: corpora\.lrw1000 is missing"),
        ("classifiers", None, r"classifiers: expected a mapping \(\{\} where it has no entry\), got None"),
        ("corpora.lrw1000", None, r"corpora\.lrw1000: expected a mapping, got None"),
        ("corpora", {}, r"corpora: names none"),
        ("view.lrs2", {}, r"view \(name\): 'lrs2' is not one of grid, lrw, lrw1000"),
        ("view.grid.pool", 5, r"view\.grid\.pool: 5 does not divide"),
        ("view.grid.repeat", 1.5, r"view\.grid\.repeat: must be at most 1\.0, got 1\.5"),
        ("network.grid.widths", [4, 8], r"network\.grid\.widths: \[4\] channels before a stage of stride 2"),
        ("seeds", [1, 1], r"seeds: must be distinct"),
        ("seeds", 3, r"seeds: expected a list"),
        ("seeds", [date(2020, 1, 2)], r"seeds\[0\]: expected a whole number, got 2020-01-02"),
        (None, 1, r"the file: a key is a text, got None"),
        ("", 1, r"'': unknown key"),
        ("shards", ..., r"shards: missing key"),
        ("shards", [], r"shards: must be 0, 1, 2 and so on, at least \[0\]; found \[\]"),
        ("shards", [0, 2], r"shards: must be 0, 1, 2 and so on, at least \[0\]; found \[0, 2\]"),
        ("shards", [1, 0], r"shards: must be 0, 1, 2"),
        ("shards", 2, r"shards: expected a list"),
        ("shards", ["0"], r"shards\[0\]: expected a whole number"),
        ("corpora.grid.raw.source", "local", r"corpora\.grid\.raw\.root: missing"),
        ("corpora.grid.raw.root", "here", r"corpora\.grid\.raw\.root: does nothing for source: synthetic"),
        ("corpora.grid.raw.test_sentences", 3, r"corpora\.grid\.raw\.test_sentences: does nothing for split: unseen"),
        ("corpora.grid.raw.test_speakers", [], r"corpora\.grid\.raw\.test_speakers: names nobody"),
        ("corpora.grid.raw.speakers", ["x1"], r"corpora\.grid\.raw\.speakers\[0\]: 'x1' does not match \^s"),
        ("corpora.grid.raw.speakers", ["s3"], r"corpora\.grid\.raw\.test_speakers: s1 is not one of s3"),
        ("corpora.grid.clips.landmarks", "mediapipe", r"corpora\.grid\.clips\.landmark_model: missing"),
        ("corpora.grid.clips.landmark_model", "x", r"corpora\.grid\.clips\.landmark_model: does nothing without landm"),
        ("corpora.lrw.clips.landmark_folder", "x", r"corpora\.lrw\.clips\.landmark_folder: to be given for roi: landma"),
        ("corpora.grid.clips.landmark_folder", "clips/mini/grid/../grid/shards/0", r"corpora\.grid\.clips\.landmark_folder: clips/mini/grid/\.\./grid/shards/0 lies in clips/mini/grid/shards, which is deleted"),
        ("corpora.lrw.raw", {"source": "local", "root": "data/mini/lrw", "synthetic": None, "words": None}, r"corpora\.lrw\.raw\.root: data/mini/lrw lies in data/mini/lrw, which is deleted"),
        ("corpora.grid.raw.split", "lists", r"corpora\.grid\.raw\.lists: to be given for split: lists, and only there"),
        ("corpora.grid.raw.lists", {"train": "a", "test": "b"}, r"corpora\.grid\.raw\.lists: to be given for split: li"),
        ("corpora.grid.raw.lists", {"train": "a"}, r"corpora\.grid\.raw\.lists\.test: missing key"),
        ("corpora.grid.raw.lists", ..., r"corpora\.grid\.raw\.lists: missing key"),
        ("classifiers.lrw.scratch.start", "k9s9", r"classifiers\.lrw\.scratch\.start: 'k9s9' is not one of scratch, ce"),
        ("classifiers.lrw.scratch.optimisation.evaluations", 0, r"classifiers\.lrw.*\.evaluations: must be at least 1"),
        ("classifiers.lrw.k1s1", MINI["classifiers"]["lrw"]["scratch"], r"classifiers\.lrw\.k1s1: is the name of a run"),
        ("runs.grid.ce-te_tc", MINI["runs"]["grid"]["k1s1"], r"classifiers\.lrw\.ce-te_tc: is the name of a run"),
        ("classifiers.grid", MINI["classifiers"]["lrw"], r"classifiers\.grid: its clips are sentences"),
        ("nodes", 2, r"processes: 1 cannot be spread evenly over 2 nodes"),
        ("processes", 17, r"processes: 17 share batches of 16 clips in runs\.grid\.ce; some would have none"),
        ("processes", 0, r"processes: must be at least 1"),
        ("precision", "float16", r"precision: 'float16' is not one of float32, bfloat16"),
        ("numerics", "exact", r"numerics: 'exact' is not one of portable, fast"),
        ("resources", {}, r"resources: unknown key"),
        ("tables", ["table9"], r"tables: 'table9' is not one of table1, table2a"),
        ("figures", ["fig6_lrs2"], r"figures: 'fig6_lrs2' is not one of verdicts, fig5_coverage, sweep_k"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_mistake_is_named(read, path, value, message):
    with pytest.raises(InputError, match=rf"^mine\.yaml: ({message})") as caught:
        read(changed(path, value))
    assert "\n" not in str(caught.value)


def of_public_lists(train: str, test: str, mapping=MINI) -> dict:
    own = {"split": "lists", "test_speakers": [], "test_sentences": 0, "lists": {"train": train, "test": test}}
    raw = mapping["corpora"]["grid"]["raw"] | own
    return changed("corpora.grid.raw", raw, mapping)


def by_mediapipe(model: str) -> dict:
    clips = MINI["corpora"]["grid"]["clips"] | {"landmarks": "mediapipe", "landmark_model": model}
    return changed("corpora.grid.clips", clips)


@pytest.mark.parametrize(
    ("mapping", "key"),
    [
        (of_public_lists("data/mini/grid/train.txt", "test.txt"), "raw.lists.train"),
        (of_public_lists("train.txt", "clips/mini/grid/shards/test.txt"), "raw.lists.test"),
        (by_mediapipe("data/mini/grid/face_landmarker.task"), "clips.landmark_model"),
    ],
    ids=["train", "test", "model"],
)
def test_what_is_the_users_own_may_not_lie_where_folders_are_made_anew(read, mapping, key):
    with pytest.raises(InputError, match=rf"^mine\.yaml: corpora\.grid\.{key}: \S+ lies in \S+, which is deleted"):
        read(mapping)


def test_a_link_to_itself_is_no_traceback(read, tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    raw = {"source": "local", "root": str(loop), "synthetic": None, "words": None}
    assert read(changed("corpora.lrw.raw", raw)).corpora.lrw.raw.root == str(loop)


def test_every_process_has_a_clip_in_each_part(read):
    mapping = changed("processes", 2, changed("runs.grid.ce.optimisation.accumulate", 8))
    assert read(mapping).processes == 2
    with pytest.raises(InputError, match="processes: 2 share batches of 16 clips in runs.grid.ce, each in 9 parts"):
        read(changed("runs.grid.ce.optimisation.accumulate", 9, mapping))


def test_a_corpus_without_a_run_has_mouths_alone(read):
    assert read(changed("runs.grid", {})).trainings("grid") == {}


def test_a_name_with_a_full_stop_is_refused_whatever_it_names(read):
    """DVC would take k1.5 for key 5 of k1."""
    for path in (("runs", "grid"), ("classifiers", "lrw")):
        mapping = _plain(MINI)
        inner = mapping[path[0]][path[1]]
        inner["k1.5"] = next(iter(inner.values()))
        with pytest.raises(InputError) as caught:
            read(mapping)
        what = "is no name (up to 100 letters, digits, _ and -, first a letter), got 'k1.5'"
        assert str(caught.value) == f"mine.yaml: {'.'.join(path)} (name): {what}"


@pytest.mark.parametrize("content", [b"", b"[1, 2]", b"a: [", b"\xff\xfe\x00", b"preset: mini\n  x: 1"])
def test_a_file_that_is_no_parameter_file(tmp_path, content):
    file = tmp_path / "broken.yaml"
    file.write_bytes(content)
    with pytest.raises(InputError, match="broken.yaml"):
        load(file)
    with pytest.raises(InputError, match="absent.yaml"):
        load(tmp_path / "absent.yaml")


def test_a_training_in_parts_refuses_what_needs_the_whole_batch(read):
    mapping = changed("runs.grid.k5s1.optimisation.accumulate", 2)
    mapping = changed(f"{PG}.standardise", "batch", mapping)
    with pytest.raises(InputError, match=rf"^mine\.yaml: {PG}\.standardise: batch needs the whole batch at once"):
        read(mapping)


@pytest.mark.parametrize(
    ("run", "path", "value", "message"),
    [
        (
            "ppo",
            "optimisation",
            {"optimiser": "npg_igt", "momentum": 0.9, "weight_decay": 0},
            r"optimisation\.optimiser: npg_igt looks ahead",
        ),
        ("ipo", "objective.ipo.kl", REWARD, r"objective\.ipo\.kl\.form: must be exact"),
        ("dpo", "objective.dpo.kl", REWARD, r"objective\.dpo\.kl\.form: must be exact"),
        (
            "best_of_m",
            "objective.best_of_m.kl",
            REWARD,
            r"objective\.best_of_m\.kl\.form: must be exact: in the reward it would",
        ),
        ("best_of_m-stored", "objective.best_of_m.kl", REWARD, r".*\.kl\.form: must be exact for stored texts"),
        ("a_lol", "objective.a_lol.kl", REWARD, r"objective\.a_lol\.kl\.form: must be exact for stored texts"),
        ("copg", "objective.copg.kl", REWARD, r"objective\.copg\.kl\.form: must be exact for stored texts"),
        (
            "copg",
            "objective.copg",
            {"kl": REWARD, "texts": "fresh", "reference": False, "edited": None},
            r"objective\.copg\.kl\.form: must be exact: beta puts it",
        ),
        ("nlpo", "objective.nlpo", {"top_p": 1.0}, r"objective\.nlpo\.top_p: must be below 1; at 1 nothing is masked"),
        ("mixer", "objective.mixer", {"forced": 41}, r"objective\.mixer\.forced: 41 characters of texts of at most 40"),
    ],
)
def test_what_means_nothing_together_is_refused(run, path, value, message):
    mapping = read_yaml(ROOT / "presets" / "grid-s1-objectives.yaml")
    inner = mapping["runs"]["grid"][run]
    *parents, last = path.split(".")
    for key in parents:
        inner = inner[key]
    inner[last] = (inner[last] or {}) | value
    with pytest.raises(InputError, match=rf"runs\.grid\.{run}\.{message}"):
        base.check(from_mapping(mapping, "mine.yaml"), "mine.yaml")


def test_a_mask_that_counts_draws_refuses_a_training_in_parts():
    mapping = read_yaml(ROOT / "presets" / "grid-s1-objectives.yaml")
    mapping["runs"]["grid"]["nlpo"]["optimisation"]["accumulate"] = 2
    with pytest.raises(InputError, match=r"runs\.grid\.nlpo\.objective\.nlpo\.refresh: counts draws"):
        base.check(from_mapping(mapping, "mine.yaml"), "mine.yaml")


def test_lists_of_clips_are_known_by_what_they_hold(tmp_path):
    """A list that was edited under the same name makes another corpus."""
    mapping = read_yaml(ROOT / "presets" / "grid-s1-cpu.yaml")
    files = {name: str(tmp_path / f"{name}.txt") for name in ("train", "test")}
    mapping["corpora"]["grid"]["raw"] |= {"split": "lists", "lists": files, "test_sentences": 0}
    plan = Plan(from_mapping(mapping, "mine.yaml"))
    absent = plan.keys("raw", corpus="grid")
    for file in files.values():
        Path(file).write_text("s1/video/mpg_6000/bbaf2n\n")
    before = plan.keys("raw", corpus="grid")
    Path(files["test"]).write_text("s1/video/mpg_6000/bbaf3s\n")
    after = plan.keys("raw", corpus="grid")
    assert len({str(keys["lists.grid"]) for keys in (absent, before, after)}) == 3
    assert plan.as_mapping()["lists"] == {"grid": after["lists.grid"]}
    assert Plan(load(ROOT / "params.yaml")).as_mapping()["lists"] == {"grid": [], "lrw": [], "lrw1000": []}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a: 1\nb: 2\na: 3", r"line 3: not valid YAML: a: key given twice"),
        ("a: {b: 1, 'b': 2}", r"line 1: not valid YAML: b: key given twice"),
        ("a: 010", r"line 1: not valid YAML: 010 is not the same in YAML 1\.1 and 1\.2"),
        ("a: 1\nm: &m {b: 1}\nn:\n  <<: *m\n  <<: *m", r"line 5: not valid YAML: <<: key given twice"),
        ("n:\n  <<: {b: 1, b: 2}\n  c: 1", r"line 2: not valid YAML: b: key given twice"),
        ("a: 08", r"line 1: .*08 is not the same"),
        ("a: 1_0e5", r"line 1: .*1_0e5 is not the same"),
        ('a: !!int "010"', r"line 1: .*010 is not the same"),
        ("a: 0o17", r"line 1: .*0o17 is not the same"),
        ("a: 0b11", r"line 1: .*0b11 is not the same"),
        ("a: 1_000", r"line 1: .*1_000 is not the same"),
        ("a: 1:30", r"line 1: .*1:30 is not the same"),
        ("x: 1\na: [yes]", r"line 2: .*yes is not the same"),
        ("a: No", r"line 1: .*No is not the same"),
        ("no: 1", r"line 1: .*no is not the same"),
        ("a: OFF", r"line 1: .*OFF is not the same"),
    ],
)
def test_what_two_programs_would_read_differently_is_refused(tmp_path, line, message):
    file = tmp_path / "mine.yaml"
    file.write_text(line)
    with pytest.raises(InputError, match=rf"mine\.yaml, {message}"):
        read_yaml(file)


def test_what_is_read_is_what_dvc_reads(tmp_path):
    """Numbers in full, quoted words, merged anchors, over whose keys one's own may stand."""
    text = (
        "a: 1e-4\nb: 5e-05\nc: 1.0e-4\nd: -1E6\ne: '010'\nf: \"yes\"\ng: true\nh: 10\ni: 1.5\nj: .5\nk: null\nl: 0\n"
        "m: &m {x: 1, y: 2e-3}\nn: {<<: *m, x: 3}\no: 1/3\np: [1/5, 1/5]\nq: -.5\nr: 0.002\ns: 1e5-clips\n"
    )
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    found = read_yaml(file)
    assert (found["a"], found["b"], found["d"], found["e"], found["f"]) == (1e-4, 5e-5, -1e6, "010", "yes")
    assert found["n"] == {"x": 3, "y": 0.002}
    from dvc.utils.serialize import load_yaml

    theirs = load_yaml(str(file))
    assert found == theirs and [*map(type, found.values())] == [*map(type, theirs.values())]


def test_what_is_merged_may_itself_be_merged_and_overridden(tmp_path):
    """The parameter file of one who builds a run on a run: each has keys of its own over those of the other."""
    file = tmp_path / "mine.yaml"
    file.write_text(
        "a: &a {x: 1, y: 2}\nin: {there: {b: &b {<<: *a, x: 3}}}\nc: &c {<<: *b, x: 4, z: 5}\nd: {<<: [*c, *a]}\n"
    )
    from dvc.utils.serialize import load_yaml

    assert read_yaml(file) == load_yaml(str(file))
    assert read_yaml(file)["c"] == {"x": 4, "y": 2, "z": 5}
    file.write_text("b: {<<: &b {<<: &a {x: 1, y: 2}, x: 3}, x: 4}\n")
    assert read_yaml(file) == load_yaml(str(file)) == {"b": {"x": 4, "y": 2}}


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_every_reader_of_yaml_reads_the_same_in_our_files(file):
    """DVC's, of YAML 1.2; and Snakemake's, of 1.1, but for numbers such as 5e-05, which it takes for texts."""
    from dvc.utils.serialize import load_yaml

    def numbers(value):
        if isinstance(value, dict):
            return {key: numbers(each) for key, each in value.items()}
        if isinstance(value, list):
            return [numbers(each) for each in value]
        try:
            return float(value) if isinstance(value, str) else value
        except ValueError:
            return value

    ours = read_yaml(file)
    assert ours == load_yaml(str(file))
    assert numbers(ours) == numbers(yaml.safe_load(file.read_text()))


def test_a_run_of_another_corpus_is_named_with_the_corpus():
    """As by `snakemake results/mini/runs/grid/scratch/metrics.json`: the Snakefile knows names, not whose they are."""
    plan = Plan(load(ROOT / "params.yaml"))
    assert plan.weights("lrw", "scratch")
    for ask in (lambda: plan.weights("grid", "scratch"), lambda: plan.start("grid", "scratch", 1)):
        with pytest.raises(InputError, match=r"^grid scratch: no such run or classifier; grid has ce, k1s1, "):
            ask()
