"""The command line: every sub-command reads files, writes files, and is one stage of the pipeline."""

import argparse
import sys
import threading
from functools import partial
from pathlib import Path

from pcpg import guard, params
from pcpg.errors import InputError, refusal
from pcpg.params import Params
from pcpg.paths import Paths

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
    from pcpg.raw import make

    make(_corpus(settings, args.corpus).raw, paths.raw(args.corpus), settings.workers)


def clips_shard(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.clips import build
    from pcpg.face_model import locate
    from pcpg.files import atomic_folder
    from pcpg.raw import corpus_root
    from pcpg.shards import part, read_manifest
    from pcpg.store import shard_folder

    corpus, folder = _corpus(settings, args.corpus), paths.raw(args.corpus)
    if args.shard not in settings.shards:
        raise InputError(f"shard {args.shard}", f"is not one of 0 to {settings.shards[-1]}")
    manifest, roi = read_manifest(folder / "manifest.csv"), corpus.clips
    with atomic_folder(shard_folder(paths.clips(args.corpus), str(args.shard))) as out:
        build(
            part(manifest, args.shard, len(settings.shards)),
            corpus_root(corpus.raw, folder),
            out,
            roi=roi.roi,
            landmarks=roi.landmarks,
            model=locate(roi.landmark_model),
            folder=Path(roi.landmark_folder) if roi.landmark_folder else None,
            size=roi.size,
            workers=settings.workers,
        )


def clips_store(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.inventory import write
    from pcpg.raw import whole
    from pcpg.shards import join, read_manifest
    from pcpg.store import Region

    corpus, raw = _corpus(settings, args.corpus), paths.raw(args.corpus)
    region = Region(corpus.clips.roi, corpus.clips.landmarks, corpus.clips.size)
    store = join(read_manifest(raw / "manifest.csv"), paths.clips(args.corpus), len(settings.shards), region)
    write(raw, store, paths.inventory(args.corpus), whole(corpus.raw))


def clips_info(args: argparse.Namespace) -> None:
    from pcpg.store import ClipStore
    from pcpg.store_info import describe, verify

    store = ClipStore(args.folder)
    print(describe(store))
    if args.verify:
        verify(store)


def _session(args: argparse.Namespace, settings: Params, paths: Paths, run: str):
    from pcpg import parallel
    from pcpg.seeding import choose_device, seed_process
    from pcpg.session import Session

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
    from pcpg.train import train_baseline

    _corpus(settings, args.corpus)
    train_baseline(
        clips=paths.clips(args.corpus),
        model_settings=settings.model[args.corpus],
        settings=settings.baselines[args.corpus],
        decoding=settings.decoding,
        session=_session(args, settings, paths, "ce"),
    )


def finetune(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.finetune import finetune as run_finetune

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
    from pcpg.raw import protocol

    test = protocol(_corpus(settings, args.corpus).raw)
    return {"corpus": args.corpus, "run": run, "seed": args.seed, "protocol": test}


def evaluate(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.evaluate import evaluate as run_evaluate
    from pcpg.seeding import choose_device, seed_process

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
    from pcpg.probe import train_classifier

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
    from pcpg.probe import train_classifier

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
    from pcpg.sizes import describe

    _corpus(settings, args.corpus)
    print(describe(settings.model[args.corpus], args.frames, args.characters))


def tables(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.tables import write

    write(args.name, paths.results, settings.seeds, settings.preset)


def claims(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.judgement import write

    write(paths.results, settings.seeds, settings.preset)


def tuning(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.tuning import table

    _corpus(settings, args.corpus)
    runs = getattr(settings.runs, args.corpus)
    print(table(settings.baselines[args.corpus], runs, paths.results, args.corpus, settings.seeds), end="")


def figures(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.figures import write

    write(args.name, paths.results, paths.figures, settings.seeds, paths.clips(""), paths.trained)


def page(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.report.page import write
    from pcpg.seeding import seed_process

    seed_process(settings.seeds[0], settings.threads)
    write(settings, paths, Path(args.params))


def readme(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    from pcpg.files import write_text
    from pcpg.report.readme import refresh

    page = Path(args.file)
    write_text(page, refresh(page.read_text(encoding="utf-8"), page.parent))


def transcribe(args: argparse.Namespace) -> None:
    from pcpg.face_model import locate
    from pcpg.transcribe import transcribe as run_transcribe

    print(run_transcribe(args.video, args.checkpoint, locate(args.landmark_model), args.beam, args.show))


def check(args: argparse.Namespace, settings: Params, paths: Paths) -> None:
    runs = {name: list(getattr(settings.runs, name)) for name in settings.corpus_names}
    print(f"{args.params}: preset {settings.preset}, seeds {settings.seeds}, runs {runs}")


def _add_transcribe(commands) -> None:
    help = "what is said in a video of a talking face; needs no parameter file"
    command = commands.add_parser("transcribe", help=help, description=help)
    command.add_argument("video", type=Path, metavar="VIDEO", help="up to 10 s of one face")
    command.add_argument("--checkpoint", type=Path, required=True, metavar="FILE", help="model.pt of a lip-reader")
    command.add_argument(
        "--landmark-model",
        default="models/face_landmarker.task",
        metavar="FILE",
        help="MediaPipe's face_landmarker.task, or download to fetch it to there (default: %(default)s)",
    )
    command.add_argument("--beam", type=int, default=5, metavar="N", help="texts to keep and print (default: 5)")
    command.add_argument("--show", type=Path, metavar="FILE", help="draw mouth and attention: .png, or .gif that moves")
    command.set_defaults(function=transcribe, params=None)


def _add_clips(commands) -> None:
    help = "mouth clips of a corpus"
    actions = commands.add_parser("clips", help=help, description=help).add_subparsers(required=True, metavar="ACTION")

    def add(name: str, function, help: str) -> argparse.ArgumentParser:
        command = actions.add_parser(name, help=help, description=help)
        command.set_defaults(function=function, params=None, writes=name != "info")
        return command

    shard = add("shard", clips_shard, "cut out the mouths of one part of the manifest")
    store = add("store", clips_store, "check all shards of a corpus and join them")
    info = add("info", clips_info, "what a clip store holds; needs no parameter file")
    for command in (shard, store):
        command.add_argument("corpus")
        command.add_argument("--params", default="params.yaml", metavar="FILE")
    shard.add_argument("shard", type=int, metavar="N", help="one of `shards` in the parameter file")
    info.add_argument("folder", type=Path, metavar="FOLDER", help="such as clips/mini/grid")
    info.add_argument("--verify", action="store_true", help="read every clip and compare its checksum")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="pcpg", description=__import__("pcpg").__doc__)
    commands = top.add_subparsers(dest="command", required=True, metavar="STAGE")

    def add(name: str, function, help: str, *positional: str, seed: bool = False) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help, description=help)
        for argument in positional:
            command.add_argument(argument)
        if seed:
            command.add_argument("--seed", type=int, required=True)
        command.set_defaults(function=function, writes=name not in ("tuning", "readme", "model"))
        return command

    stages = [
        add("raw", raw, "generate a corpus, or check a local copy", "corpus"),
        add("train", train, "cross-entropy baseline of a corpus", "corpus", seed=True),
        add("finetune", finetune, "a policy-gradient run, from the baseline", "corpus", "run", seed=True),
        add("evaluate", evaluate, "error rates of a run on the test split", "corpus", "run", seed=True),
        add("scratch", scratch, "a word classifier from random weights", "corpus", seed=True),
        add("probe", probe, "a word classifier on the encoder of a run", "corpus", "encoder", "probe", seed=True),
        add("tables", tables, "one of the paper's tables, ours beside the paper's", "name"),
        add("claims", claims, "a verdict on each of the paper's claims"),
        add("tuning", tuning, "settings and best validation score of every run of a corpus", "corpus"),
        add("figures", figures, "one of the figures", "name"),
        add("page", page, "all results as one HTML page that needs no other file"),
        add("readme", readme, "fill the tables of a page from results/", "file"),
        add("model", model, "parameters and FLOPs a clip of a corpus' lip-reader", "corpus"),
    ]
    stages[-1].add_argument("--frames", type=int, default=75, help="of the clip (default: 75, a sentence of GRID)")
    stages[-1].add_argument("--characters", type=int, default=28, help="decoder steps (default: 28)")
    for stage in stages:
        stage.add_argument("--params", default="params.yaml", metavar="FILE")
    _add_clips(commands)
    _add_transcribe(commands)
    check_command = commands.add_parser("params", help="check a parameter file", description="check a parameter file")
    check_command.add_argument("action", choices=["check"])
    check_command.add_argument("params", metavar="FILE")
    check_command.set_defaults(function=check, writes=False)
    return top


def _tell_thread(loud, failed) -> None:
    """A full disk is told once, by the main thread, which gets the error of TensorBoard's writer too."""
    if not isinstance(failed.exc_value, OSError) or refusal(failed.exc_value) is None:
        loud(failed)


def main() -> int:
    """Entry point; a wrong input is one line on stderr and exit status 2, what the machine refuses one and status 3."""
    args = parser().parse_args()
    threading.excepthook = partial(_tell_thread, threading.excepthook)
    try:
        if args.params is None:
            args.function(args)
        else:
            settings = params.load(args.params)
            if args.writes:
                guard.stage(settings.preset)
            args.function(args, settings, Paths(settings.preset))
    except InputError as error:
        print(f"pcpg: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except (OSError, MemoryError, RuntimeError, ImportError) as error:
        problem = refusal(error)
        if problem is None:
            raise
        print(f"pcpg: {problem}; run it again when that is put right", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
