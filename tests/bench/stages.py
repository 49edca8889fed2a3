"""Where the time of a run went, and what either engine takes with nothing to do: `python -m tests.bench.stages`.

The first is read from what Snakemake has noted of the jobs that it last ran here, so `make reproduce` comes before it.
"""

import json
import subprocess
import time
from collections import defaultdict
from pathlib import Path

NOTED = Path(".snakemake/metadata")


def seconds_of_jobs(noted: Path) -> dict[str, list[float]]:
    """Rule -> seconds by the clock of each of its jobs, by whatever log it wrote; longest rule first."""
    jobs: dict[tuple[str, str], float] = {}
    for file in noted.rglob("*"):
        if file.is_file():
            job = json.loads(file.read_text(encoding="utf-8"))
            if job["endtime"] is not None:
                jobs[job["rule"], str(job["log"])] = job["endtime"] - job["starttime"]
    rules = defaultdict(list)
    for (rule, _), taken in jobs.items():
        rules[rule].append(taken)
    return dict(sorted(rules.items(), key=lambda item: -sum(item[1])))


def main() -> None:
    rules = seconds_of_jobs(NOTED)
    if not rules:
        print("\nNo job has been run here: make reproduce")
        return
    whole = sum(map(sum, rules.values()))
    print("\n| stage | jobs | seconds of all | share | longest, s |\n| --- | ---: | ---: | ---: | ---: |")
    for rule, taken in rules.items():
        print(f"| {rule} | {len(taken)} | {sum(taken):.0f} | {sum(taken) / whole:.0%} | {max(taken):.0f} |")
    print("\n| nothing to do | s |\n| --- | ---: |")
    for command in ("snakemake --cores 1", "dvc status"):
        started = time.perf_counter()
        subprocess.run(command.split(), check=True, capture_output=True)
        print(f"| {command} | {time.perf_counter() - started:.1f} |")


if __name__ == "__main__":
    main()
