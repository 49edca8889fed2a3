"""Stage `raw`: generate a corpus, download it or check a local copy; each way, a manifest of its clips."""

import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

from pcpg.corpora.about import corpus_root
from pcpg.corpora.base import SPLITS, Clip, Excluded, Reading, Remark, Unusable, Word, reasons
from pcpg.corpora.folders import held
from pcpg.workspace.errors import InputError, one_line
from pcpg.workspace.files import atomic_folder
from pcpg.workspace.rows import write_rows


def prepare_corpus(corpus: str, settings, folder: Path, workers: int) -> None:
    """Write `folder`/manifest.csv, excluded.csv, words.csv and remarks.csv; for source: synthetic, the corpus itself.

    settings is the corpus' section `raw`. For source: download what is missing under settings.root is fetched first;
    the other sources ask no server. What the corpus has and lacks is printed on stderr. InputError where nothing is
    left for one of the splits: it gives the commonest reasons, and the list of the excluded clips is beside `folder`,
    as <folder>-excluded.csv.
    """
    reader = import_module(f"pcpg.corpora.{corpus}")  # the only one in the stage's checksum (workspace/code.py)
    refused = folder.with_name(f"{folder.name}-excluded.csv")
    with atomic_folder(folder) as temporary:
        root = corpus_root(settings, temporary)
        if settings.source == "synthetic":
            reader.generate(root, **dict(settings.synthetic), workers=workers)
        elif settings.source == "download":
            reader.download(settings, root)
        try:
            reading = reader.read(settings, root)
            for split in SPLITS:
                if not any(clip.split == split for clip in reading.clips):
                    raise Unusable(root, f"no usable clip for the {split} split; {held(root)}", reading.excluded)
        except Unusable as error:
            if not error.excluded:
                raise
            write_rows(refused, Excluded, error.excluded)
            why = f"{len(error.excluded):,} excluded: {reasons(error.excluded)}; all are listed in {refused}"
            raise InputError(error.where, f"{error.problem}; {why}") from None
        remarks = _of_some(reading.remarks)
        lacking = _of_some(reader.lacking(settings, root, reading)) if settings.source != "synthetic" else []
        _tell(corpus, reading, remarks, lacking, reader.WHERE)
        write_rows(temporary / "manifest.csv", Clip, reading.clips)
        write_rows(temporary / "excluded.csv", Excluded, reading.excluded)
        write_rows(temporary / "words.csv", Word, reading.words)
        write_rows(temporary / "remarks.csv", Remark, remarks + lacking)
    refused.unlink(missing_ok=True)


def _of_some(remarks: list[Remark]) -> list[Remark]:
    """Without those that hold of nothing; a copy may also have more than was published."""
    return [remark for remark in remarks if remark.count > 0]


def _tell(corpus: str, reading: Reading, remarks: list[Remark], lacking: list[Remark], where: str) -> None:
    splits = Counter(clip.split for clip in reading.clips)
    counts = ", ".join(f"{splits[split]:,} {split}" for split in SPLITS)
    lines = [f"{len(reading.clips):,} clips ({counts}); {len(reading.excluded):,} excluded", *remarks, *lacking]
    if reading.excluded:
        lines.insert(1, f"excluded: {reasons(reading.excluded)}")
    if lacking:
        lines.append(f"to complete it: {where}")
    for line in lines:
        print(one_line(f"{corpus}: {line}"), file=sys.stderr)
