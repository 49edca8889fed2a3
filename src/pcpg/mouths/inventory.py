"""What became of every clip of a corpus: tables of counts, measures and notes; and what `pcpg clips info` prints."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pcpg.corpora.base import SPLITS, Excluded, Remark, some
from pcpg.mouths.store import VERSION, ClipStore, Quality
from pcpg.workspace.errors import InputError
from pcpg.workspace.rows import read_rows, write_rows


@dataclass(frozen=True)
class Count:
    what: str
    count: int


@dataclass(frozen=True)
class Length:
    """How many clips have how many frames."""

    frames: int
    clips: int


@dataclass(frozen=True)
class Measure:
    """One property of a corpus' mouth clips."""

    what: str
    median: float
    p95: float  # 95 of 100 clips have at most so much
    largest: float
    clip: str  # that has it


@dataclass(frozen=True)
class Note:
    clip: str  # "" where it is about the corpus
    status: str  # corpus, excluded, odd or repaired
    stage: str
    reason: str


def write_inventory(raw: Path, store: ClipStore, out: Path, whole: tuple[int, ...] | None) -> None:
    """Write `out`/summary.csv, lengths.csv, quality.csv and notes.csv, from the stage raw's folder and the clips.

    `whole`: the numbers of frames that a clip may have, others are noted as odd; None: any.
    """
    excluded = [*read_rows(raw / "excluded.csv", Excluded), *store.excluded()]
    quality = store.quality()
    remarks = read_rows(raw / "remarks.csv", Remark) + twins(store)
    splits = Counter(row.split for row in store.index)
    notes = [Note("", "corpus", "raw", str(remark)) for remark in remarks]
    notes += [Note(row.clip, "excluded", row.stage, row.reason) for row in excluded]
    notes += [Note(row.clip, "odd", "clips", _oddity(row, whole)) for row in quality if _oddity(row, whole)]
    notes += [Note(row.clip, "repaired", "clips", _repairs(row)) for row in quality if _repairs(row)]
    counts = {"clips found": len(excluded) + len(quality), "clips excluded": len(excluded), "clips made": len(quality)}
    counts |= {f"clips for {split}": splits[split] for split in SPLITS}
    counts |= {
        "frames": sum(row.frames for row in quality),
        "clips with frames without a face": sum(row.faceless > 0 for row in quality),
        "frames without a face": sum(row.faceless for row in quality),
        "clips that lack frames": sum(row.missing > 0 for row in quality),
        "frames missing": sum(row.missing for row in quality),
    }
    counts |= {remark.what: remark.count for remark in remarks}
    write_rows(out / "summary.csv", Count, [Count(what, count) for what, count in counts.items()])
    lengths = sorted(Counter(row.frames for row in quality).items())
    write_rows(out / "lengths.csv", Length, [Length(frames, clips) for frames, clips in lengths])
    write_rows(out / "quality.csv", Measure, measures(quality))
    write_rows(out / "notes.csv", Note, sorted(notes, key=lambda note: (note.status, note.clip)))


def twins(store: ClipStore) -> list[Remark]:
    """Clips whose pixels are those of a clip of another split: what was tested on was trained on."""
    first: dict[tuple, str] = {}
    alike = [row for row in store.index if first.setdefault((row.crc32, row.frames, row.text), row.split) != row.split]
    what = "clips have the pixels and the text of one in another split"
    return [Remark(what, len(alike), some(row.clip for row in alike))] if alike else []


def measures(quality: list[Quality]) -> list[Measure]:
    """What can be measured of each clip; a fixed box and whole frames have no jitter."""
    values = {
        "frames without a face, per cent": [100 * row.faceless / row.frames for row in quality],
        "frames whose landmarks were interpolated, per cent": [100 * row.interpolated / row.frames for row in quality],
        "jitter of the mouth before smoothing, pixels of the video": [row.jitter for row in quality],
        "scale, pixels of the clip per pixel of the video": [row.scale for row in quality],
    }
    return [_measure(what, column, quality) for what, column in values.items() if np.isfinite(column).all()]


def _measure(what: str, column: list[float], quality: list[Quality]) -> Measure:
    median, p95, largest = (round(float(value), 3) for value in np.quantile(column, (0.5, 0.95, 1)))
    return Measure(what, median, p95, largest, quality[int(np.argmax(column))].clip)


def _oddity(row: Quality, whole: tuple[int, ...] | None) -> str:
    """Damage shows in the number of frames that could be decoded."""
    return f"{row.frames} frames, not {' or '.join(map(str, whole))}" if whole and row.frames not in whole else ""


def _repairs(row: Quality) -> str:
    parts = []
    if row.interpolated:
        # where landmarks come from a file, single points may lack values
        which = f"no face in {row.faceless} of" if row.faceless else f"of {row.interpolated} of"
        parts.append(f"{which} {row.frames} frames: landmarks interpolated")
    if row.missing:
        parts.append(f"{row.missing} frames missing")
    return "; ".join(parts)


def describe_store(store: ClipStore) -> str:
    """What `pcpg clips info` prints of a clip store."""
    frames, total = sum(shard.frames for shard in store.shards), sum(shard.bytes for shard in store.shards)
    splits, excluded = Counter(row.split for row in store.index), len(store.excluded())
    clips = max(len(store), 1)
    facts = {
        "format": f"version {VERSION}",
        "region": f"{store.region}" + (f", landmarks by {store.region.landmarks}" if store.region.landmarks else ""),
        "clips": f"{len(store):,}: " + ", ".join(f"{splits[split]:,} {split}" for split in SPLITS),
        "excluded": f"{excluded:,}",
        "frames": f"{frames:,}, {frames / clips:.1f} a clip",
        "bytes": f"{total:,}, {total / clips:,.0f} a clip",
    }
    lines = [f"{name:9} {value}" for name, value in facts.items()]
    table = [("shard", "clips", "frames", "bytes")]
    table += [(shard.name, f"{shard.clips:,}", f"{shard.frames:,}", f"{shard.bytes:,}") for shard in store.shards]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines += ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    return "\n".join(lines)


def verify_store(store: ClipStore) -> None:
    """Read all clips and tables; print what is damaged, a line each, and end in an InputError if anything is."""
    store.quality()
    damaged = 0
    for number in (bar := tqdm(range(len(store)), "verify", unit="clip")):
        try:
            store[number]
        except InputError as error:
            damaged += 1
            bar.write(str(error))
    if damaged:
        raise InputError(store.folder, f"{damaged} of {len(store)} clips are damaged: make their shards again")
    print(f"verified  all {len(store):,} clips have the bytes that they were made with")
