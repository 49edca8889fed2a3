"""What `pcpg clips info` prints of a clip store, and what it finds wrong in one."""

from collections import Counter

from tqdm import tqdm

from pcpg.corpora.base import SPLITS
from pcpg.mouths.store import VERSION, ClipStore
from pcpg.workspace.errors import InputError


def describe(store: ClipStore) -> str:
    """Lines of text, columns aligned."""
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


def verify(store: ClipStore) -> None:
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
