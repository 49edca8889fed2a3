"""Where everything lies. Every path carries the preset's name, so presets never mix."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    preset: str
    base: Path = Path()

    def raw(self, corpus: str) -> Path:
        """Folder with manifest.csv, excluded.csv and, for a generated corpus, the corpus itself."""
        return self.base / "data" / self.preset / corpus

    def clips(self, corpus: str) -> Path:
        """Folder of a clip store: store.json, and the shards below shards/."""
        return self.base / "clips" / self.preset / corpus

    def weights(self, corpus: str, run: str, seed: int | str) -> Path:
        return self.base / "runs" / self.preset / corpus / run / f"seed{seed}" / "model.pt"

    def outcome(self, corpus: str, run: str) -> Path:
        """Folder of one run's results, over all its seeds."""
        return self.results / "runs" / corpus / run

    def metrics(self, corpus: str, run: str) -> Path:
        return self.outcome(corpus, run) / "metrics.json"

    def predictions(self, corpus: str, run: str) -> Path:
        return self.outcome(corpus, run) / "predictions.csv"

    def history(self, corpus: str, run: str, seed: int | str) -> Path:
        return self.outcome(corpus, run) / f"history-seed{seed}.csv"

    def record(self, corpus: str, run: str, seed: int | str) -> Path:
        """Time, memory, device and commit of one training: no result, so neither git nor the engines track it."""
        return self.base / "logs" / self.preset / "records" / corpus / run / f"seed{seed}.json"

    def events(self, corpus: str, run: str, seed: int | str) -> Path:
        """Folder of one training's curves for TensorBoard."""
        return self.base / "logs" / self.preset / "tensorboard" / corpus / run / f"seed{seed}"

    def inventory(self, corpus: str) -> Path:
        """Folder of summary.csv, quality.csv, lengths.csv and notes.csv: what became of every clip."""
        return self.results / "clips" / corpus

    @property
    def made_by_dvc(self) -> Path:
        """Folder of the notes of settings/handover.py."""
        return self.base / "logs" / self.preset / "made-by-dvc"

    def lock(self, name: str) -> Path:
        """A file that workspace/guard.py locks; at most it holds a note on who has the lock."""
        return self.base / "logs" / self.preset / f"{name}.lock"

    @property
    def outputs(self) -> list[Path]:
        """The folders into which the engines write."""
        return [self.base / kind / self.preset for kind in ("data", "clips", "runs", "results", "figures")]

    @property
    def results(self) -> Path:
        return self.base / "results" / self.preset

    @property
    def figures(self) -> Path:
        return self.base / "figures" / self.preset
