"""The sub-commands: each reads files, writes files, and is one stage of the pipeline."""

import argparse
from pathlib import Path

from pcpg.settings.schema import Params
from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths

# Imports sit inside the commands: a table must not wait for torch, and a typo in params.yaml for neither.


def _corpus(settings: Params, name: str):
    if name not in settings.corpus_names:
        raise InputError(f"corpus {name}", f"is not one of {', '.join(settings.corpus_names)}")
    return getattr(settings.corpora, name)


def _named(mapping: dict, key: str, where: str):
    if key not in mapping:
        raise InputError(f"{where}.{key}", f"is not one of {', '.join(mapping)}")
    return mapping[key]


def raw(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.corpora.raw import prepare_corpus

    prepare_corpus(_corpus(settings, args.corpus).raw, paths.raw(args.corpus), settings.workers)


def clips_shard(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.corpora.raw import corpus_root
    from pcpg.mouths.detector import locate_model
    from pcpg.mouths.join import part, read_manifest
    from pcpg.mouths.shard import make_shard
    from pcpg.mouths.store import shard_folder
    from pcpg.workspace.files import atomic_folder

    corpus, folder = _corpus(settings, args.corpus), paths.raw(args.corpus)
    if args.shard not in settings.shards:
        raise InputError(f"shard {args.shard}", f"is not one of 0 to {settings.shards[-1]}")
    manifest, roi = read_manifest(folder / "manifest.csv"), corpus.clips
    with atomic_folder(shard_folder(paths.clips(args.corpus), str(args.shard))) as out:
        make_shard(
            part(manifest, args.shard, len(settings.shards)),
            corpus_root(corpus.raw, folder),
            out,
            roi=roi.roi,
            landmarks=roi.landmarks,
            model=locate_model(roi.landmark_model),
            folder=Path(roi.landmark_folder) if roi.landmark_folder else None,
            size=roi.size,
            workers=settings.workers,
        )


def clips_store(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.corpora.raw import whole_lengths
    from pcpg.mouths.inventory import write_inventory
    from pcpg.mouths.join import join_shards, read_manifest
    from pcpg.mouths.store import Region

    corpus, raw = _corpus(settings, args.corpus), paths.raw(args.corpus)
    region = Region(corpus.clips.roi, corpus.clips.landmarks, corpus.clips.size)
    store = join_shards(read_manifest(raw / "manifest.csv"), paths.clips(args.corpus), len(settings.shards), region)
    write_inventory(raw, store, paths.inventory(args.corpus), whole_lengths(corpus.raw))


def clips_info(args: argparse.Namespace) -> None:
    from pcpg.mouths.inventory import describe_store, verify_store
    from pcpg.mouths.store import ClipStore

    store = ClipStore(args.folder)
    print(describe_store(store))
    if args.verify:
        verify_store(store)


def _session(args: argparse.Namespace, settings: Params, paths: Paths, run: str):
    from pcpg.learning.session import Session
    from pcpg.workspace import parallel
    from pcpg.workspace.seeding import choose_device, seed_process

    device = choose_device(settings.device)
    parallel.begin(device)
    seed_process(args.seed, settings.threads)
    return Session(
        name=f"{args.corpus} {run} seed {args.seed}",
        seed=args.seed,
        device=device,
        precision=settings.precision,
        weights=paths.weights(args.corpus, run, args.seed),
        outcome=paths.outcome(args.corpus, run, args.seed),
        events=paths.events(args.corpus, run, args.seed),
    )


def train(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.learning.train import train_baseline

    _corpus(settings, args.corpus)
    train_baseline(
        clips=paths.clips(args.corpus),
        model_settings=settings.model[args.corpus],
        settings=settings.baselines[args.corpus],
        decoding=settings.decoding,
        session=_session(args, settings, paths, "ce"),
    )


def finetune(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.learning.finetune import finetune as run_finetune

    _corpus(settings, args.corpus)
    run_finetune(
        clips=paths.clips(args.corpus),
        baseline=paths.weights(args.corpus, "ce", args.seed),
        model_settings=settings.model[args.corpus],
        run=_named(getattr(settings.runs, args.corpus), args.run, f"runs.{args.corpus}"),
        decoding=settings.decoding,
        session=_session(args, settings, paths, args.run),
    )


def _identity(args: argparse.Namespace, settings: Params, run: str) -> dict:
    from pcpg.corpora.raw import protocol

    test = protocol(_corpus(settings, args.corpus).raw)
    return {"corpus": args.corpus, "run": run, "seed": args.seed, "protocol": test}


def evaluate(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.learning.evaluate import evaluate as run_evaluate
    from pcpg.workspace.seeding import choose_device, seed_process

    seed_process(args.seed, settings.threads)
    run_evaluate(
        clips=paths.clips(args.corpus),
        weights=paths.weights(args.corpus, args.run, args.seed),
        outcome=paths.outcome(args.corpus, args.run, args.seed),
        decoding=settings.decoding,
        device=choose_device(settings.device),
        identity=_identity(args, settings, args.run),
    )


def scratch(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.learning.probe import train_classifier

    train_classifier(
        clips=paths.clips(args.corpus),
        init=None,
        model_settings=settings.model[args.corpus],
        settings=_named(settings.classifiers, args.corpus, "classifiers"),
        fixed=False,
        session=_session(args, settings, paths, "scratch"),
        identity=_identity(args, settings, "scratch"),
    )


def probe(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.learning.probe import train_classifier

    _corpus(settings, args.corpus)
    run, training = f"{args.encoder}-{args.probe}", _named(settings.probes, args.probe, "probes")
    train_classifier(
        clips=paths.clips(args.corpus),
        init=paths.weights(args.corpus, args.encoder, args.seed),
        model_settings=settings.model[args.corpus],
        settings=training,
        fixed=training.encoder == "fixed",
        session=_session(args, settings, paths, run),
        identity=_identity(args, settings, run),
    )


def model(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.reader.sizes import describe

    _corpus(settings, args.corpus)
    print(describe(settings.model[args.corpus], args.frames, args.characters))


def tables(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.tables.write import write

    write(args.name, paths.results, settings.seeds, settings.preset)


def claims(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.claims.write import write

    write(paths.results, settings.seeds, settings.preset)


def tuning(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.tables.tuning import table

    _corpus(settings, args.corpus)
    runs = getattr(settings.runs, args.corpus)
    print(table(settings.baselines[args.corpus], runs, paths.results, args.corpus, settings.seeds), end="")


def figures(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.figures.write import write

    write(args.name, paths.results, paths.figures, settings.seeds, paths.clips(""), paths.trained)


def page(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.page import write
    from pcpg.workspace.seeding import seed_process

    seed_process(settings.seeds[0], settings.threads)
    write(settings, paths, Path(args.params))


def readme(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.readme import refresh
    from pcpg.workspace.files import write_text

    page = Path(args.file)
    write_text(page, refresh(page.read_text(encoding="utf-8"), page.parent))


def transcribe(args: argparse.Namespace) -> None:
    from pcpg.mouths.detector import locate_model
    from pcpg.transcribe import transcribe as run_transcribe

    print(run_transcribe(args.video, args.checkpoint, locate_model(args.landmark_model), args.beam, args.show))


def check(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    runs = {name: list(getattr(settings.runs, name)) for name in settings.corpus_names}
    print(f"{args.params}: preset {settings.preset}, seeds {settings.seeds}, runs {runs}")
