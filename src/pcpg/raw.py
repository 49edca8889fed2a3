"""Stage `raw`: generate a corpus, download it or check a local copy; each way, a manifest of its clips."""

from pathlib import Path

from pcpg.corpora import grid, lrw, lrw1000
from pcpg.corpora.base import Clip, Excluded, write_rows
from pcpg.errors import InputError
from pcpg.files import atomic_folder
from pcpg.params import GridRaw, Lrw1000Raw, LrwRaw

Settings = GridRaw | LrwRaw | Lrw1000Raw


def corpus_root(settings: Settings, folder: Path) -> Path:
    """Where the corpus' files lie: inside the stage's own folder if generated, else where the user has them."""
    return folder / "corpus" if settings.source == "synthetic" else Path(settings.root)


def _generate(settings: Settings, root: Path, workers: int) -> None:
    from pcpg.synthetic import generate_grid, generate_lrw, generate_lrw1000

    what = settings.synthetic
    if isinstance(settings, GridRaw):
        generate_grid(root, seed=what.seed, speakers=what.speakers, sentences=what.sentences, workers=workers)
        return
    generate = generate_lrw if isinstance(settings, LrwRaw) else generate_lrw1000
    counts = {"train": what.train, "val": what.val, "test": what.test}
    generate(root, seed=what.seed, words=what.words, **counts, workers=workers)


def _read(settings: Settings, root: Path) -> tuple[list[Clip], list[Excluded]]:
    if isinstance(settings, GridRaw):
        return grid.read(
            root,
            speakers=settings.speakers,
            split=settings.split,
            test_speakers=settings.test_speakers,
            test_sentences=settings.test_sentences,
            validation=settings.validation,
            seed=settings.split_seed,
        )
    if isinstance(settings, LrwRaw):
        return lrw.read(root, words=settings.words)
    return lrw1000.read(root, protocol=settings.protocol)


def protocol(settings: Settings) -> str:
    """The protocol under which test results are to be read, and whether anybody spoke."""
    if isinstance(settings, GridRaw):
        name = settings.split
    else:
        name = settings.protocol if isinstance(settings, Lrw1000Raw) else "official"
    return f"{name}, generated corpus" if settings.source == "synthetic" else name


def make(settings: Settings, folder: Path, workers: int) -> None:
    """Write `folder`/manifest.csv, excluded.csv and, for source: synthetic, the corpus itself.

    For source: download what is missing under settings.root is fetched first; the other sources ask no server.
    """
    with atomic_folder(folder) as temporary:
        root = corpus_root(settings, temporary)
        if settings.source == "synthetic":
            _generate(settings, root, workers)
        elif settings.source == "download":
            from pcpg.corpora.download import download

            download(root, settings.speakers)
        clips, excluded = _read(settings, root)
        for split in ("train", "val", "test"):
            if not any(clip.split == split for clip in clips):
                raise InputError(root, f"no usable clip for the {split} split")
        write_rows(temporary / "manifest.csv", Clip, clips)
        write_rows(temporary / "excluded.csv", Excluded, excluded)
