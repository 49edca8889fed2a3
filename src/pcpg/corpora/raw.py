"""Stage `raw`: generate a corpus, download it or check a local copy; each way, a manifest of its clips."""

import sys
from collections import Counter
from pathlib import Path

from pcpg.corpora import grid, grid_words, lrw, lrw1000
from pcpg.corpora.base import SPLITS, Clip, Excluded, Reading, Remark, Unusable, Word, reasons
from pcpg.corpora.grid_splits import Draw, Lists
from pcpg.settings.corpus import GridRaw, GridWordsRaw, Lrw1000Raw, LrwRaw
from pcpg.workspace.errors import InputError, one_line
from pcpg.workspace.files import atomic_folder, locked
from pcpg.workspace.rows import write_rows

Settings = GridRaw | LrwRaw | Lrw1000Raw
READERS = {GridRaw: grid, GridWordsRaw: grid_words, LrwRaw: lrw, Lrw1000Raw: lrw1000}


def corpus_root(settings: Settings, folder: Path) -> Path:
    """Where the corpus' files lie: inside the stage's own folder if generated, else where the user has them."""
    return folder / "corpus" if settings.source == "synthetic" else Path(settings.root)


def whole_lengths(settings: Settings) -> tuple[int, ...] | None:
    """The numbers of frames that a whole clip may have, or None where each has its own."""
    return READERS[type(settings)].FRAMES


def windows(settings: Settings) -> bool:
    """Whether its clips are windows of longer ones, whose mouths are found once."""
    return isinstance(settings, GridWordsRaw)


def _generate(settings: Settings, root: Path, workers: int) -> None:
    from pcpg.corpora.synthetic import generate_grid, generate_lrw, generate_lrw1000

    what = settings.synthetic
    if isinstance(settings, GridRaw):
        generate_grid(root, seed=what.seed, speakers=what.speakers, sentences=what.sentences, workers=workers)
        return
    generate = generate_lrw if isinstance(settings, LrwRaw) else generate_lrw1000
    counts = {"train": what.train, "val": what.val, "test": what.test}
    generate(root, seed=what.seed, words=what.words, **counts, workers=workers)


def _plan(settings: GridRaw) -> Draw | Lists:
    if settings.lists:
        return Lists(settings.lists.train, settings.lists.test, settings.validation, settings.split_seed)
    tests = settings.test_speakers, settings.test_sentences
    return Draw(settings.split, *tests, settings.validation, settings.split_seed)


def _read(settings: Settings, root: Path) -> Reading:
    if isinstance(settings, GridRaw):
        return READERS[type(settings)].read_corpus(root, speakers=settings.speakers, plan=_plan(settings))
    if isinstance(settings, LrwRaw):
        return lrw.read_corpus(root, words=settings.words)
    return lrw1000.read_corpus(root, protocol=settings.protocol)


def _lacking(settings: Settings, root: Path, reading: Reading) -> list[Remark]:
    """What the user's copy lacks of the corpus as it was published."""
    if isinstance(settings, GridRaw):
        return READERS[type(settings)].lacking(reading, settings.speakers)
    if isinstance(settings, LrwRaw):
        return lrw.lacking(reading, root, settings.words)
    return lrw1000.lacking(reading)


def prepare_corpus(settings: Settings, folder: Path, workers: int) -> None:
    """Write `folder`/manifest.csv, excluded.csv, words.csv and remarks.csv; for source: synthetic, the corpus itself.

    For source: download what is missing under settings.root is fetched first; the other sources ask no server. What
    the corpus has and lacks is told on stderr. InputError where nothing is left for one of the splits: it gives the
    commonest reasons, and the list of the excluded clips is beside `folder`, as <folder>-excluded.csv.
    """
    if isinstance(settings, GridRaw):
        _plan(settings)  # a fault of the lists is told before a download and not after it
    refused = folder.with_name(f"{folder.name}-excluded.csv")
    with atomic_folder(folder) as temporary:
        root = corpus_root(settings, temporary)
        if settings.source == "synthetic":
            _generate(settings, root, workers)
        elif settings.source == "download":
            from pcpg.corpora.download import download_grid

            with locked(root / "archives" / "download"):  # words of GRID may be of the same copy, by a job beside it
                download_grid(root, settings.speakers)
        try:
            reading = _read(settings, root)
            for split in SPLITS:
                if not any(clip.split == split for clip in reading.clips):
                    raise Unusable(root, f"no usable clip for the {split} split", reading.excluded)
        except Unusable as error:
            if not error.excluded:
                raise
            write_rows(refused, Excluded, error.excluded)
            why = f"{len(error.excluded):,} excluded: {reasons(error.excluded)}; all are listed in {refused}"
            raise InputError(error.where, f"{error.problem}; {why}") from None
        lacking = _lacking(settings, root, reading) if settings.source != "synthetic" else []
        _tell(settings, reading, lacking)
        write_rows(temporary / "manifest.csv", Clip, reading.clips)
        write_rows(temporary / "excluded.csv", Excluded, reading.excluded)
        write_rows(temporary / "words.csv", Word, reading.words)
        write_rows(temporary / "remarks.csv", Remark, reading.remarks + lacking)
    refused.unlink(missing_ok=True)


def _tell(settings: Settings, reading: Reading, lacking: list[Remark]) -> None:
    reader = READERS[type(settings)]
    splits = Counter(clip.split for clip in reading.clips)
    counts = ", ".join(f"{splits[split]:,} {split}" for split in SPLITS)
    lines = [f"{len(reading.clips):,} clips ({counts}); {len(reading.excluded):,} excluded", *reading.remarks, *lacking]
    if reading.excluded:
        lines.insert(1, f"excluded: {reasons(reading.excluded)}")
    if lacking:
        lines.append(f"to complete it: {reader.WHERE}")
    for line in lines:
        print(one_line(f"{reader.__name__.rsplit('.')[-1]}: {line}"), file=sys.stderr)
