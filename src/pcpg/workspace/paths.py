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

    def weights(self, corpus: str, run: str, seed: int) -> Path:
        return self.trained / corpus / run / f"seed{seed}" / "model.pt"

    def outcome(self, corpus: str, run: str, seed: int) -> Path:
        """Folder of one run's history.csv, metrics.json and predictions.csv."""
        return self.results / "runs" / corpus / run / f"seed{seed}"

    def events(self, corpus: str, run: str, seed: int) -> Path:
        """Folder of one training's curves for TensorBoard."""
        return self.base / "logs" / self.preset / "tensorboard" / corpus / run / f"seed{seed}"

    def inventory(self, corpus: str) -> Path:
        """Folder of summary.csv, quality.csv and notes.csv: what became of every clip."""
        return self.results / "clips" / corpus

    def lock(self, name: str) -> Path:
        """What pcpg.workspace.guard locks; empty but for a note on its holder."""
        return self.base / "logs" / self.preset / f"{name}.lock"

    @property
    def outputs(self) -> list[Path]:
        """The folders of all that the engines make."""
        return [self.base / kind / self.preset for kind in ("data", "clips", "runs", "results", "figures")]

    @property
    def trained(self) -> Path:
        return self.base / "runs" / self.preset

    @property
    def results(self) -> Path:
        return self.base / "results" / self.preset

    @property
    def figures(self) -> Path:
        return self.base / "figures" / self.preset
