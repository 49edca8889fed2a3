"""Every key of the schema, with values just inside its range and just outside.

The table below is complete: a key that is added, or loses its range, fails here.
"""

import typing

import pytest
from test_params import ROOT, changed, read  # noqa: F401, a fixture

from pcpg.objectives import base
from pcpg.settings.keys import Keys
from pcpg.settings.schema import Params
from pcpg.settings.yaml_file import read_yaml
from pcpg.workspace.errors import InputError

SMOKE = read_yaml(ROOT / "tests" / "smoke.params.yaml")
for _run in read_yaml(ROOT / "presets" / "grid-s1-objectives.yaml")["runs"]["grid"].values():
    [_name] = _run["objective"]  # one run of each objective, by its name
    SMOKE["runs"]["grid"].setdefault(_name, _run | {"start": "ce"})
TINY, BELOW_ONE, ABOVE_ONE = 5e-324, 1 - 2**-53, 1 + 2**-52
COUNT = ([1, 10**6], [0, 10**6 + 1, 1.5, True, "1", None])
CROWD = ([1, 1024], [0, 1025, 10**20, True])
SEED = ([0, 2**32 - 1], [-1, 2**32, 1.0, "1"])
TEMPERATURE = ([1e-3, 1, 1e300], [9.9e-4, 0, float("inf"), "1", True])
POSITIVE = ([TINY, 1, 1e300], [0, -TINY, float("inf"), float("nan"), "1", True])
NOT_NEGATIVE = ([0, TINY, 1e300], [-TINY, float("inf"), "0"])
SHARE = ([0, 1, 0.5], [-TINY, ABOVE_ONE, "0.5", None])
PARTIAL = ([0, BELOW_ONE], [-TINY, 1, "0"])
BOOL = ([True, False], [0, 1, "true", None])
TEXT = (["a", "../b c"], [1, None, ["a"]])
SECTION = ([], [None, [], 1])
BEST = {"epochs": 1, "batch": 1, "accumulate": 1, "augment": True, "stop": None, "optimiser": "adam", "momentum": None, "learning_rate": 1, "schedule": "cosine",
        "weight_decay": 0, "clip_norm": 1, "evaluations": 1}  # fmt: skip
RUN = {"start": "scratch", "optimisation": BEST, "objective": {"ocd": {"samples": 1}}}


MOMENTUM = {"momentum": 0.9, "weight_decay": 0}
SGD = {"optimiser": "sgd"}


def one_of(*names: str) -> tuple[list, list]:
    return list(names), ["other", names[0].upper(), None, 1]


class With(typing.NamedTuple):
    """A value that is right, or wrong, where other keys of the file are changed too; beside it: in its own section."""

    value: object
    beside: dict = {}  # noqa: RUF012
    elsewhere: dict = {}  # noqa: RUF012


RAW = "corpora.grid.raw"
MADE = {"root": "x", "synthetic": None}
LOCAL = {"source": "local", **MADE}
OVERLAPPED = {"split": "overlapped", "test_speakers": []}
LISTED = {"split": "lists", "test_speakers": []}
FILES = {"train": "a", "test": "b"}
SMALL = {"view.grid": {"crop": 8, "shift": 0, "pool": 1, "flip": True, "repeat": 0}}
ONE_RUN = {"runs": {corpus: {"ce": RUN} for corpus in ("grid", "lrw", "lrw1000")}, "classifiers": {}}

EXACT = ([None, {"weight": 0.1, "form": "exact"}], [[], 1, {"weight": 0.1, "form": "reward"}])  # the only form
ORIGIN = (["fresh"], ["other", None, "stored"])  # stored beside augmentation
TEXTS = {
    "cross_entropy": SECTION, "lambda_pg": ([1, "1/6"], [0, 1.5, "7/6"]), "samples": ([2, 100], [1, 101, 2.0]),
    "temperature": TEMPERATURE, "top_p": ([TINY, 1, 0.5], [0, ABOVE_ONE, "1"]),
    "kl": ([None, {"weight": 0.1, "form": "reward"}], [[], 1, {"weight": 0, "form": "exact"}]),
    "entropy": NOT_NEGATIVE,
}  # fmt: skip

# place of a section -> key -> (values just inside, values just outside)
PLACES = {
    "": {
        "preset": (["a", "Z9_-", "a" * 100], ["", "a" * 101, "08", "1e5", "a.b", "-a", "a b", "a/b", 1, None]),
        "seeds": ([[0], [2**32 - 1]], [[], [-1], [2**32], [1, 1], [True], [1.0], 1]),
        "workers": CROWD,
        "shards": ([[0], [0, 1, 2]], [[], [1], [0, 2], [0, 0], [0.0], 0]),
        "threads": CROWD,
        "processes": ([1, 16], [0, 17, 1025, 10**20, True]),
        "nodes": ([1, With(2, {"processes": 4})], [0, 1025, True]),
        "device": one_of("auto", "cpu", "cuda"),
        "precision": one_of("float32", "bfloat16"),
        "numerics": one_of("portable", "fast"),
        "corpora": ([], [None, [], {}, {"lrs2": {}}]),
        "view": ([], [None, [], {}, {"lrs2": {}}]),
        "network": ([], [None, [], {}, {"lrs2": {}}]),
        "max_length": ([With(5, {}, {"runs.grid.mixer.objective.mixer.forced": 5}), 1000, With(1, {}, ONE_RUN)],
                       [0, 1001, 12.0]),
        "runs": ([], [None, [], {}, {"lrs2": {}}]),
        "templates": ([{}, {"view": 1}], [None, [], 1, "a"]),
        "fewer_seeds": ([{}, {"grid": {}}], [None, [], {"lrs2": {}}, {"grid": {"ce": 0}}, {"grid": {"ce": 1.0}}]),
        "classifiers": ([{}], [None, [], {"lrs2": {}}]),
        "decoding": SECTION,
        "tables": ([[], ["table1", "scratch"]], [["table9"], ["table1", "table1"], ["a.b"], [1], "table1", None]),
        "figures": ([[], ["strip", "fig6_lrw"]], [["fig9"], ["strip", "strip"], ["fig6_lrs2"], [1], "strip", None]),
    },
    "corpora": {"grid": SECTION, "lrw": SECTION, "lrw1000": SECTION, "grid_words": SECTION},
    "corpora.grid": {"raw": SECTION, "clips": SECTION},
    "corpora.lrw": {"raw": SECTION, "clips": SECTION},
    "corpora.lrw1000": {"raw": SECTION, "clips": SECTION},
    RAW: {
        "source": (["synthetic", With("local", MADE), With("download", MADE)], ["web", None]),
        "root": ([None, With("x", {"source": "local", "synthetic": None})],
                 ["x", 1, "", With(" ", {"source": "local", "synthetic": None}), With(None, {"source": "local", "synthetic": None})]),
        "synthetic": ([With(None, {"source": "local", "root": "x"})], [None, [], With({"seed": 1, "speakers": 3,
                      "sentences": 4}, {"source": "local", "root": "x"})]),
        "speakers": ([None, ["s1", "s2"], With(["s1", "s34"], LOCAL)], [[], ["s1", "s4"], With(["s1", "s21"], LOCAL | {
                     "source": "download"}), ["s0"], ["s01"], ["S1"], ["s1", "s1"], "s1"]),
        "split": (["unseen", With("overlapped", {"test_speakers": [], "test_sentences": 1}),
                   With("lists", {"test_speakers": [], "lists": FILES})], ["random", None]),
        "test_speakers": ([["s1"], ["s1", "s2"], With(["s99"], LOCAL)], [[], ["s4"], ["s1", "s2", "s3"],
                          With(["s1"], {"speakers": ["s1"], **LOCAL}), ["1"], ["s1", "s1"], None,
                          With(["s1"], {"split": "overlapped"})]),
        "test_sentences": ([0, With(1, OVERLAPPED)], [-1, 1, 0.0, With(0, OVERLAPPED), With(4, OVERLAPPED),
                           With(64_001, OVERLAPPED | LOCAL)]),
        "lists": ([None, With(FILES, LISTED)], [FILES, With(None, LISTED), []]),
        "validation": ([0.25, With(TINY, LOCAL), With(BELOW_ONE, LOCAL)], [0, 1, "0.1", TINY, BELOW_ONE]),
        "split_seed": SEED,
    },
    f"{RAW}.lists": {  # where the file has none
        "train": ([With("a", {}, {RAW: {**SMOKE["corpora"]["grid"]["raw"], **LISTED, "lists": FILES}})],
                  [With(1, {}, {RAW: {**SMOKE["corpora"]["grid"]["raw"], **LISTED, "lists": FILES}})]),
        "test": ([With("b", {}, {RAW: {**SMOKE["corpora"]["grid"]["raw"], **LISTED, "lists": FILES}})],
                 [With(None, {}, {RAW: {**SMOKE["corpora"]["grid"]["raw"], **LISTED, "lists": FILES}}),
                  With("a", {}, {RAW: {**SMOKE["corpora"]["grid"]["raw"], **LISTED, "lists": FILES}})]),
    },
    f"{RAW}.synthetic": {
        "seed": SEED, "speakers": ([2, 200], [0, 201, 1.0]), "sentences": ([3, 64_000], [0, 64_001])},
    "corpora.lrw.raw": {
        "source": (["synthetic", With("local", MADE)], ["download", None]),
        "root": ([None, With("x", {"source": "local", "synthetic": None})], ["x", 1]),
        "synthetic": ([With(None, {"source": "local", "root": "x"})], [None, []]),
        "words": ([None, ["ABOUT"]], ["ABOUT", [1], [], [""], ["about", "ABOUT"]]),
    },
    "corpora.lrw.raw.synthetic": {
        "seed": SEED, "words": ([1, 40], [0, 41]), "train": COUNT, "val": COUNT, "test": COUNT},
    "corpora.lrw1000.raw": {
        "source": (["synthetic", With("local", MADE)], ["download", None]),
        "root": ([None, With("x", {"source": "local", "synthetic": None})], ["x", 1]),
        "synthetic": ([With(None, {"source": "local", "root": "x"})], [None, []]),
        "protocol": one_of("cut30", "centred40"),
    },
    "corpora.grid.clips": {
        "roi": (["landmarks", With("box", {"landmarks": None}), With("frame", {"landmarks": None})], ["circle", None]),
        "landmarks": (["sidecar", With("mediapipe", {"landmark_model": "x"}), With(None, {"roi": "box"})],
                      ["dlib", None, With("sidecar", {"roi": "box"})]),
        "landmark_model": ([None, With("x", {"landmarks": "mediapipe"})], ["x", 1,
                           With(None, {"landmarks": "mediapipe"})]),
        "landmark_folder": ([None, "x"], [1, "", "a\0b", With("x", {"roi": "box", "landmarks": None})]),
        "size": ([72, 512, With(8, {}, SMALL)], [7, 513, 96.0]),
    },
    "view.grid": {
        "crop": ([2, With(96, {"shift": 0})], [0, With(98, {"shift": 0}), 64.0]),
        "shift": ([0, 16], [-1, 17, 4.0]),
        "pool": ([1, 64], [0, 3, 128]),
        "flip": BOOL,
        "repeat": SHARE,
    },
    "network.grid": {
        "stem_channels": COUNT,
        "stem_kernel": ([[1, 1, 1], [3, 7, 5]], [[2, 1, 1], [0, 1, 1], [-1, 1, 1], [1, 1], [1, 1, 1, 1], 3]),
        "stem_stride": ([[1, 1, 1], [2, 3, 4]], [[0, 1, 1], [1, 1], [1, 1, 1, 1], 1]),
        "stem_pool": BOOL,
        "widths": ([[1], [8, 1]], [[], [0], [7, 16], 8]),
        "blocks": COUNT, "encoder_layers": COUNT, "encoder_hidden": COUNT,
        "directions": one_of("concat", "sum"),
        "decoder_layers": COUNT, "decoder_hidden": COUNT, "embedding": COUNT, "attention": COUNT,
        "dropout": PARTIAL,
    },
    "runs.grid.k1s1": {
        "start": (["scratch", "ce", "k5s1"], ["k1s1", "k9s9", "a.b", "", None]),
        "optimisation": SECTION,
        "objective": ([{"ocd": {"samples": 1}}], [{}, {"other": {}}, {"ocd": {"samples": 1}, "mwer": {}}, None, "ocd"]),
    },
    "runs.grid.ce.optimisation": {
        "epochs": COUNT, "batch": COUNT, "accumulate": ([1, 16], [0, 17, 1.0]),
        "augment": BOOL, "stop": ([None, 0, BELOW_ONE], [1, -TINY, "0"]),
        "optimiser": (["adam", "adamw", *(With(name, MOMENTUM) for name in ("sgd", "nsgdm", "npg_igt"))],
                      ["other", "ADAM", 1]),
        "momentum": ([None, With(0, SGD), With(BELOW_ONE, SGD)], [0.5, With(None, SGD), With(1, SGD), With(-TINY, SGD)]),
        "learning_rate": POSITIVE,
        "schedule": one_of("constant", "cosine", "one_cycle"), "weight_decay": NOT_NEGATIVE, "clip_norm": POSITIVE,
        "evaluations": COUNT,
    },
    "classifiers.lrw.scratch": {
        "start": (["scratch", "ce", "k5s1"], ["scratch2", "ce-fe_tc", "a.b", None]),
        "encoder": one_of("fixed", "trained"), "optimisation": SECTION, "label_smoothing": PARTIAL,
    },
    "decoding": {"beam": ([1, 100], [0, 101, 5.0]), "length_normalisation": NOT_NEGATIVE},
    "runs.grid.ce.objective.cross_entropy": {
        "label_smoothing": PARTIAL, "teacher_forcing": SHARE, "mask_padding": BOOL},
    "runs.grid.k1s1-scaled.objective.pcpg": {
        "cross_entropy": SECTION,
        "lambda_pg": ([1, "1/1000000", 0.5, "1e-9"], [0, "1000001/1000000", -1, "x", True, None]),
        "kernel": ([[1], ["1/2", 0.5], ["1/32"] * 32, [-1, 2]], [[], [0.5], ["1/33"] * 33, 1, ["x"]]),
        "stride": ([1, With(32, {"kernel": ["1/32"] * 32})],
                   [0, 2, With(33, {"kernel": ["1/32"] * 32}), 1.5, True]),
        "convolve": (["loss", "return", "none", With("loss", {"kernel": [0.5, 0.5], "stride": 2})],
                     ["other", With("none", {"stride": 2}), None]),
        "padding": one_of("same", "valid"),
        "samples": ([1, With(2, {"baseline": "mean"})], [0, 1.0]),
        "sampling": (["multinomial", With("argmax", {"samples": 1})], ["argmax", "greedy", None]),
        "temperature": TEMPERATURE, "gamma": ([1, 0.5, With(0, {"discount_from": "step"})], [0, -TINY, ABOVE_ONE, "0.5", None]),
        "discount_from": one_of("end", "step"), "divide_by_length": BOOL,
        "standardise": one_of("none", "sequence", "batch"),
        "baseline": (["none", "mean", "greedy"], ["other", With("mean", {"samples": 1}), None]),
        "entropy": NOT_NEGATIVE,
    },
    "runs.grid.mwer.objective.mwer": {"hypotheses": ([2, 100], [1, 101, 2.0]), "cross_entropy": NOT_NEGATIVE},
    "runs.grid.ocd.objective.ocd": {"samples": COUNT},
    "runs.grid.rloo.objective.rloo": {**TEXTS, "scale": one_of("none", "group")},
    "runs.grid.scst.objective.scst": TEXTS,
    "runs.grid.scst.objective.scst.kl": {"weight": POSITIVE, "form": one_of("reward", "exact")},
    "runs.grid.ppo.objective.ppo": {
        **TEXTS, "updates": ([2, 100, With(1, {"clip": None})], [0, 101, 2.0]),
        "clip": ([0.2, 5, None], [0, -1, "0.2", With(0.2, {"updates": 1})]), "value": ([0.5, None], [0, "1"]),
    },
    "runs.grid.nlpo.objective.nlpo": {
        **TEXTS, "top_p": ([TINY, BELOW_ONE], [0, 1, "1"]), "updates": ([2, 100], [0, 101, With(1, {"clip": None})]),
        "clip": ([0.2, None], [0, "0.2"]),
        "value": ([0.5, None], [0, "1"]), "refresh": COUNT,
    },
    "runs.grid.ipo.objective.ipo": {**TEXTS, "kl": EXACT, "texts": ORIGIN, "beta": POSITIVE},
    "runs.grid.dpo.objective.dpo": {**TEXTS, "kl": EXACT, "texts": ORIGIN, "beta": POSITIVE},
    "runs.grid.best_of_m.objective.best_of_m": {**TEXTS, "kl": EXACT, "texts": ORIGIN},
    "runs.grid.rwr.objective.rwr": {**TEXTS, "texts": ORIGIN, "beta": POSITIVE},
    "runs.grid.copg.objective.copg": {
        **{key: value for key, value in TEXTS.items() if key != "top_p"}, "top_p": ([1], [0.9, 0, 1.1]),
        "kl": EXACT, "texts": (["stored", With("fresh", {"reference": False, "edited": None})], ["other", None]),
        "beta": ([0, 1], [-TINY, With(0, {"texts": "fresh", "reference": False, "edited": None})]),
        "reference": BOOL, "edited": ([None], [[], 1]),
    },
    "runs.grid.copg.objective.copg.edited": {"texts": ([1, 100], [0, 101, 1.0]), "tau": POSITIVE},
    "runs.grid.a_lol.objective.a_lol": {
        **{key: value for key, value in TEXTS.items() if key != "top_p"}, "top_p": ([1], [0.9, 0, 1.1]),
        "kl": EXACT, "form": (["r_lol", "a_lol", "ref_free", "seq", With("kl", {"beta": 0.1})], ["other", None]),
        "beta": ([0, With(0.1, {"form": "kl"})], [-TINY, 0.1, With(0, {"form": "kl"})]),
    },
    "runs.grid.mixer.objective.mixer": {
        "samples": ([2, 100], [1, 101, 2.0]), "temperature": TEMPERATURE, "forced": ([1, 32], [0, 33, 1.5]), "stages": ([1, 12], [0, 13, 1.0]),
    },
    "runs.grid.raml.objective.raml": {"tau": POSITIVE},
}  # fmt: skip
CASES = [
    (f"{place}.{key}".strip("."), value, right)
    for place, keys in PLACES.items()
    for key, sides in keys.items()
    for right, values in zip((True, False), sides, strict=True)
    for value in values
]


def filled(path: str, value) -> dict:
    mapping, case = SMOKE, value if isinstance(value, With) else With(value)
    for where, other in case.elsewhere.items():
        mapping = changed(where, other, mapping)
    for key, other in case.beside.items():
        mapping = changed(f"{path.rpartition('.')[0]}.{key}".strip("."), other, mapping)
    return changed(path, case.value, mapping)


def test_values_just_inside_are_taken_and_those_just_outside_are_refused(read):  # noqa: F811
    """In one line that names file and key."""
    wrong = []
    for path, value, right in CASES:
        try:
            read(filled(path, value))
        except InputError as error:
            line = str(error)
            if right or "\n" in line or len(line) > 500 or not line.startswith(f"mine.yaml: {path}"):
                wrong.append((path, value, line))
        else:
            if not right:
                wrong.append((path, value, "taken"))
    assert not wrong


def keys_of(kind: type[Keys]) -> set[type[Keys]]:
    """The section and all sections below it."""
    found, waiting = set(), [kind]
    while waiting:
        annotation = waiting.pop()
        if isinstance(annotation, type) and issubclass(annotation, Keys):
            if annotation not in found:
                found.add(annotation)
                waiting += [field.annotation for field in annotation.model_fields.values()]
        else:
            waiting += [part for part in typing.get_args(annotation) if not isinstance(part, str)]
    return found


def objectives() -> list[type[Keys]]:
    return [base.kind(name) for name in base.names()]


def test_the_table_has_every_key():
    """Each section's set of keys stands in it, that of every objective too."""
    tested = [set(keys) for keys in PLACES.values()]
    sections = set().union(*(keys_of(kind) for kind in (Params, *objectives())))
    assert len(sections) > 20
    for section in sections:
        assert set(section.model_fields) in tested, section
    assert sum(map(len, tested)) >= 100


@pytest.mark.parametrize("name", base.names())
def test_every_objective_has_a_row_of_its_own(name):
    assert any(place.endswith(f".objective.{name}") for place in PLACES)
