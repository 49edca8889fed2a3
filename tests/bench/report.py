"""What judging the claims and writing the page take on committed results: `python -m tests.bench.report`."""

import shutil
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from pcpg.settings.load import load

ROOT = Path(__file__).parents[2]
FILES = (ROOT / "params.yaml", ROOT / "presets/grid-s1-cpu.yaml", ROOT / "presets/grid-s1-early.yaml")


def seconds(command: str, file: Path, folder: Path) -> float:
    """In a folder that holds the preset's results and nothing else, so that no result here is touched."""
    started = time.perf_counter()
    subprocess.run(["pcpg", command, "--params", str(file)], cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    print("| preset | runs | seeds | pcpg claims, s | pcpg page, s |\n| --- | ---: | ---: | ---: | ---: |")
    for file in FILES:
        settings = load(file)
        with TemporaryDirectory() as temporary:
            folder = Path(temporary)
            for kind in ("results", "figures"):
                shutil.copytree(ROOT / kind / settings.preset, folder / kind / settings.preset)
            found = [seconds(command, file, folder) for command in ("claims", "page")]
        runs = sum(len(settings.trainings(corpus)) for corpus in settings.corpus_names)
        print(f"| {settings.preset} | {runs} | {len(settings.seeds)} | {found[0]:.1f} | {found[1]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
