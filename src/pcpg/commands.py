"""The sub-commands: each reads files, writes files, and is one stage of the pipeline."""

import argparse
from collections.abc import Callable
from pathlib import Path

from pcpg.settings.corpus import Clips
from pcpg.settings.schema import Params
from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths

# Imports stand inside the functions, so that a table need not wait for torch. The code of a stage, for the engines, is
# its function here and all that this imports (workspace/code.py). Trainings get `of_stage` of that module as an
# argument: if they imported it, an edit of it would train everything again.


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

    prepare_corpus(args.corpus, _corpus(settings, args.corpus).raw, paths.raw(args.corpus), settings.workers)


def _region(clips: Clips):
    from pcpg.mouths.store import Region

    return Region(kind=clips.roi, landmarks=clips.landmarks, size=clips.size)


def shard(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.corpora.about import WINDOWED, corpus_root
    from pcpg.mouths.detector import locate_model
    from pcpg.mouths.join import part, read_manifest
    from pcpg.mouths.shard import Cutter, make_shard
    from pcpg.mouths.store import shard_folder
    from pcpg.workspace.files import atomic_folder

    corpus, folder = _corpus(settings, args.corpus), paths.raw(args.corpus)
    if args.shard not in settings.shards:
        raise InputError(f"shard {args.shard}", f"is not one of 0 to {settings.shards[-1]}")
    clips = part(read_manifest(folder / "manifest.csv"), args.shard, len(settings.shards))
    landmarks = Path(corpus.clips.landmark_folder) if corpus.clips.landmark_folder else None
    model = locate_model(corpus.clips.landmark_model)
    cutter = Cutter(corpus_root(corpus.raw, folder), _region(corpus.clips), model, landmarks)
    with atomic_folder(shard_folder(paths.clips(args.corpus), str(args.shard))) as out:
        make_shard(clips, out, cutter, settings.workers, args.corpus in WINDOWED)


def store(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.corpora.about import FRAMES
    from pcpg.mouths.inventory import write_inventory
    from pcpg.mouths.join import join_shards, read_manifest

    corpus, folder = _corpus(settings, args.corpus), paths.raw(args.corpus)
    manifest, region = read_manifest(folder / "manifest.csv"), _region(corpus.clips)
    made = join_shards(manifest, paths.clips(args.corpus), len(settings.shards), region)
    write_inventory(folder, made, paths.inventory(args.corpus), FRAMES.get(args.corpus))


def clips_info(args: argparse.Namespace) -> None:
    from pcpg.mouths.inventory import describe_store, verify_store
    from pcpg.mouths.store import ClipStore

    opened = ClipStore(args.folder)
    print(describe_store(opened))
    if args.verify:
        verify_store(opened)


def _session(args: argparse.Namespace, settings: Params, paths: Paths, code: str):
    from pcpg.learning.session import Session
    from pcpg.workspace import parallel
    from pcpg.workspace.seeding import seed_process

    if not 0 <= args.seed < 2**32:
        raise InputError("--seed", f"{args.seed} is not within 0 and {2**32 - 1}")
    device = _device(settings)
    parallel.begin(device)
    seed_process(args.seed, settings.threads)
    where = args.corpus, args.run, args.seed
    return Session(
        name=f"{args.corpus} {args.run} seed {args.seed}",
        seed=args.seed,
        device=device,
        precision=settings.precision,
        code=code,
        weights=paths.weights(*where),
        history=paths.history(*where),
        record=paths.record(*where),
        events=paths.events(*where),
    )


def _device(settings: Params):
    from pcpg.workspace import numerics
    from pcpg.workspace.device import choose_device

    device = choose_device(settings.device)
    numerics.settle(settings.numerics, device.type)
    return device


def _start(args: argparse.Namespace, training, paths: Paths) -> Path | None:
    return None if training.from_scratch else paths.weights(args.corpus, training.start, args.seed)


def train(args: argparse.Namespace, settings: Params, paths: Paths, of_stage: Callable[..., str]) -> None:
    from pcpg.learning.train import train as train_run

    _corpus(settings, args.corpus)
    run = _named(settings.runs[args.corpus], args.run, f"runs.{args.corpus}")
    train_run(
        clips=paths.clips(args.corpus),
        start=_start(args, run, paths),
        view=settings.view[args.corpus],
        network=settings.network[args.corpus],
        run=run,
        max_length=settings.max_length,
        session=_session(args, settings, paths, of_stage("train", run.objective_name)),
    )


def probe(args: argparse.Namespace, settings: Params, paths: Paths, of_stage: Callable[..., str]) -> None:
    from pcpg.learning.probe import train_classifier

    _corpus(settings, args.corpus)
    classifier = _named(settings.classifiers.get(args.corpus, {}), args.run, f"classifiers.{args.corpus}")
    train_classifier(
        clips=paths.clips(args.corpus),
        start=_start(args, classifier, paths),
        view=settings.view[args.corpus],
        network=settings.network[args.corpus],
        settings=classifier,
        session=_session(args, settings, paths, of_stage("probe")),
    )


def _test(args: argparse.Namespace, settings: Params, paths: Paths, section: str, of_seed, more: dict) -> None:
    """What `evaluate` and `classify` share: every seed's weights on the test split."""
    from pcpg.corpora.about import protocol
    from pcpg.learning.evaluate import evaluate_seeds
    from pcpg.mouths.store import ClipStore
    from pcpg.workspace.device import tell
    from pcpg.workspace.seeding import seed_process

    seed_process(settings.seeds[0], settings.threads)
    device = _device(settings)
    identity = {"corpus": args.corpus, "run": args.run, "protocol": protocol(_corpus(settings, args.corpus).raw)}
    _named(getattr(settings, section).get(args.corpus, {}), args.run, f"{section}.{args.corpus}")
    opened = ClipStore(paths.clips(args.corpus))
    tell(device)
    evaluate_seeds(
        {seed: paths.weights(args.corpus, args.run, seed) for seed in settings.seeds_of(args.corpus, args.run)},
        lambda weights: of_seed(weights, opened, device),
        identity | more,
        paths.metrics(args.corpus, args.run),
        paths.predictions(args.corpus, args.run),
    )


def evaluate(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.learning.evaluate import transcribe_test

    def of_seed(weights, opened, device):
        return transcribe_test(weights, opened, settings.decoding, settings.max_length, device)

    _test(args, settings, paths, "runs", of_seed, {"beam_size": settings.decoding.beam})


def classify(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.learning.evaluate import classify_test

    _test(args, settings, paths, "classifiers", classify_test, {})


def network(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.reader.sizes import describe

    _corpus(settings, args.corpus)
    view, sizes = settings.view[args.corpus], settings.network[args.corpus]
    print(describe(view, sizes, args.frames, args.characters))


def tables(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.tables.write import write_table

    write_table(args.name, settings, paths)


def claims(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.claims.write import write_claims

    write_claims(settings, paths)


def power(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.claims.power import power_lines
    from pcpg.report.results.results import Results

    if min(args.seeds) < 2:
        raise InputError("--seeds", f"expected numbers of at least 2, got {min(args.seeds)}")
    print("\n".join(power_lines(Results(paths, settings), args.seeds)))


def costs(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.costs import write_costs

    write_costs(settings, paths)


def tuning(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.tables.tuning import tuning_table

    _corpus(settings, args.corpus)
    print(tuning_table(settings, paths, args.corpus), end="")


def figures(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.figures.write import write_figure

    write_figure(args.name, settings, paths)


def page(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.page import write_page
    from pcpg.workspace.seeding import seed_process

    seed_process(settings.seeds[0], settings.threads)
    write_page(settings, paths, Path(args.params))


def verify(args: argparse.Namespace, settings: Params, paths: Paths) -> int:
    from pcpg.report.verify import compare, say
    from pcpg.workspace.files import write_text

    result = compare.verify(paths, args.against)
    print("\n".join(say.report_lines(result, settings.preset)))
    if args.html:
        write_text(args.html, say.to_html(result, settings.preset))
    return result.status


def readme(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.readme import refresh, text_of
    from pcpg.workspace.files import write_text

    shown = Path(args.file)
    write_text(shown, refresh(text_of(shown), shown.parent))


def plan(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.settings.plan import write_plan

    write_plan(settings, args.same_jobs)


def transcribe(args: argparse.Namespace) -> None:
    from pcpg.mouths.detector import locate_model
    from pcpg.transcribe import transcribe as transcribe_video

    print(
        transcribe_video(
            args.video, args.checkpoint, locate_model(args.landmark_model), args.beam, args.show, args.verbose
        )
    )


def check(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    runs = {corpus: list(settings.trainings(corpus)) for corpus in settings.corpus_names}
    counts = ", ".join(f"{len(names)} on {corpus}" for corpus, names in runs.items())
    trainings = sum(len(settings.seeds_of(corpus, name)) for corpus, names in runs.items() for name in names)
    print(f"{args.params}: preset {settings.preset}; runs: {counts}; trainings, one a seed: {trainings}")
