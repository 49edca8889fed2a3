"""Stage `store`: the shards of a corpus, each made alone from its part of the manifest, become one clip store."""

import json
import sys
from collections import Counter
from pathlib import Path

from pcpg.corpora.base import Clip, Excluded, reasons
from pcpg.mouths.store import (
    TABLES,
    VERSION,
    ClipStore,
    Contents,
    IndexRow,
    Region,
    Shard,
    check_index,
    map_frames,
    shard_folder,
)
from pcpg.workspace.errors import InputError
from pcpg.workspace.files import sha256, write_text
from pcpg.workspace.rows import read_rows


def read_manifest(path: Path) -> list[Clip]:
    """At least one clip, each once; else an InputError."""
    clips = read_rows(path, Clip)
    if not clips:
        raise InputError(path, "lists no clip")
    [(name, count)] = Counter(clip.clip for clip in clips).most_common(1)
    if count > 1:
        raise InputError(path, f"lists {name} {count} times")
    return clips


def part(clips: list[Clip], number: int, count: int) -> list[Clip]:
    """The `number`-th (from 0) of `count` contiguous parts, whose sizes differ by at most one."""
    return clips[len(clips) * number // count : len(clips) * (number + 1) // count]


def join_shards(manifest: list[Clip], folder: Path, count: int, region: Region) -> ClipStore:
    """Write `folder`/store.json for `count` shards; InputError where one is missing or of another manifest.

    The clips stand in the manifest's order, however many shards there are. No split of the manifest may lose all of its
    clips.
    """
    described = [describe_shard(folder, number, part(manifest, number, count), region.size) for number in range(count)]
    shards, excluded = [shard for shard, _ in described], [row for _, rows in described for row in rows]
    left = {row.clip for row in excluded}
    for split in sorted({clip.split for clip in manifest} - {clip.split for clip in manifest if clip.clip not in left}):
        wanted = sum(clip.split == split for clip in manifest)
        raise InputError(folder, f"none of the {wanted} clips of the {split} split could be used: {reasons(excluded)}")
    contents = Contents(version=VERSION, region=region, shards=shards)
    write_text(folder / "store.json", json.dumps(contents.model_dump(), indent=2) + "\n")
    store = ClipStore(folder)
    counts = f"store: {len(store)} clips in {count} shards; {len(excluded)} excluded"
    print(f"{counts}: {reasons(excluded)}" if excluded else counts, file=sys.stderr)
    for other in sorted((folder / "shards").iterdir()):
        if other.name not in {shard.name for shard in shards}:
            print(f"store: {other} is left from another number of shards and may be deleted", file=sys.stderr)
    return store


def describe_shard(folder: Path, number: int, clips: list[Clip], size: int) -> tuple[Shard, list[Excluded]]:
    """One shard's entry in store.json, and what it excluded; InputError unless it holds the other `clips`."""
    place = shard_folder(folder, str(number))
    tables = {kind: place / f"{kind}.csv" for kind in TABLES}
    index, excluded = read_rows(tables["index"], IndexRow), read_rows(tables["excluded"], Excluded)
    left = {row.clip for row in excluded}
    made = [(row.clip, row.speaker, row.split, row.text, row.label) for row in index]
    wanted = [(c.clip, c.speaker, c.split, c.text, c.label) for c in clips if c.clip not in left]
    if made != wanted or not left <= {clip.clip for clip in clips}:
        raise InputError(place, "was not made from this part of the manifest; make the shard again")
    sums = {kind: sha256(path) for kind, path in tables.items()}
    total = sum(row.frames for row in index)
    frames = place / "frames.npy"
    size_on_disk = frames.stat().st_size if frames.is_file() else 0
    shard = Shard(name=place.name, clips=len(index), frames=total, bytes=size_on_disk, **sums)
    check_index(tables["index"], index, shard)
    map_frames(frames, shard, size)
    return shard, excluded
