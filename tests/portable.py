"""Checksums of a few updates of each kind: python -m tests.portable. The same on every x86-64 processor with AVX2.

tests/workspace/test_numerics.py compares them with PROMISED; `make test-portable` with those of emulated processors.
"""

import pcpg  # isort: skip  # before torch and NumPy

import hashlib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from pcpg.learning.evaluate import classify_test, transcribe_test
from pcpg.learning.probe import train_classifier
from pcpg.learning.session import Session
from pcpg.learning.train import train
from pcpg.mouths.store import ClipStore
from pcpg.report.results import stats
from pcpg.settings.load import load
from pcpg.settings.schema import Params
from pcpg.workspace.seeding import seed_process
from tests.conftest import noise_store

assert pcpg
SMOKE = Path(__file__).with_name("smoke.params.yaml")
MAX_LENGTH = 12  # its texts are short
PROMISED = {
    "baseline": "d1f2349d716d9426",
    "policy gradient": "33efd38b2fe058c9",
    "leave-one-out": "5b37447b864a66e1",
    "pull to the start": "d0f304b84db0e3d3",
    "minimum risk": "39fe3450f54b9da1",
    "optimal completion": "ae85468cd7bfcdaa",
    "classifier": "b3158c9c4c323b18",
    "beam search": "9cc4fd3a779338c3",
    "statistics": "5e4dcb5127ebb162",
}


def of_weights(path: Path) -> str:
    """Of the tensors by name, their bytes in order."""
    model = torch.load(path, map_location="cpu", weights_only=True)["model"]
    digest = hashlib.sha256()
    for name in sorted(model):
        digest.update(model[name].contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def checksums(folder: Path) -> dict[str, str]:
    """Kind -> the first 16 digits of the SHA-256 of what it comes to."""
    params, clips = load(SMOKE), noise_store(folder / "clips")
    store, sums = ClipStore(clips), {}

    def session(name: str) -> Session:
        seed_process(1, threads=1)
        places = [folder / name / part for part in ("model.pt", "history.csv", "record.json", "events")]
        return Session(name, 1, torch.device("cpu"), "float32", "", *places)

    runs = {
        "baseline": "ce", "policy gradient": "k5s1", "leave-one-out": "rloo", "pull to the start": "scst",
        "minimum risk": "mwer", "optimal completion": "ocd",
    }  # fmt: skip
    for kind, run in runs.items():
        start = None if run == "ce" else folder / "ce" / "model.pt"
        _train(params, clips, run, start, session(run))
        sums[kind] = of_weights(folder / run / "model.pt")
    train_classifier(
        clips, folder / "k5s1/model.pt", params.view["grid"], params.network["grid"],
        _longer(params.classifiers["lrw"]["k5s1-te_tc"]), session("classifier"),
    )  # fmt: skip
    sums["classifier"] = of_weights(folder / "classifier/model.pt")
    read = transcribe_test(folder / "k5s1/model.pt", store, params.decoding, MAX_LENGTH, torch.device("cpu"))
    named = classify_test(folder / "classifier/model.pt", store, torch.device("cpu"))
    sums["beam search"] = _of_text(repr((read, named)))
    sums["statistics"] = _of_text(_estimate())
    return sums


def _train(params: Params, clips: Path, run: str, start: Path | None, session: Session) -> None:
    settings = _longer(params.runs["grid"][run])
    train(clips, start, params.view["grid"], params.network["grid"], settings, MAX_LENGTH, session)


def _longer(settings):
    """Three epochs of two updates, so that momentum and schedule have a say."""
    changed = settings.optimisation.model_copy(update={"epochs": 3, "batch": 4, "evaluations": 2})
    return settings.model_copy(update={"optimisation": changed})


def _estimate() -> str:
    draws = np.random.default_rng(1)
    runs = [
        stats.Errors((1, 2, 3), tuple(map(str, range(40))), draws.integers(0, 9, (3, 40)), np.full(40, 25), ("",) * 40)
        for _ in range(2)
    ]
    found = stats.difference(*runs)
    parts = (found.value, found.of_seeds, found.of_utterances, found.of_residual, found.freedom)
    return repr((*parts, *found.interval(), found.below(0.5), found.smallest))


def _of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        for kind, value in checksums(Path(place)).items():
            print(f"{value}  {kind}", file=sys.stdout)
