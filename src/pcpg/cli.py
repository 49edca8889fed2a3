"""The command line: `pcpg STAGE ...` to one of pcpg.commands, and what goes wrong to one line and an exit status."""

import argparse
import atexit
import gc
import io
import os
import select
import sys
import threading
from functools import partial
from pathlib import Path

import pcpg
from pcpg import commands, parameters
from pcpg.settings import handover
from pcpg.settings.plan import Plan
from pcpg.settings.schema import Params
from pcpg.workspace import code, guard, launch
from pcpg.workspace.errors import InputError, SettingError, misplaced, one_line, refusal
from pcpg.workspace.paths import Paths

TRAININGS = (commands.train, commands.probe)
# these check the keys of objectives, which imports torch; to the others a wrong one shows when they fail
OBJECTIVES = (commands.plan, commands.check, *TRAININGS, commands.evaluate, commands.classify, commands.network)

ARGUMENTS = {
    "corpus": "one of `corpora` in the parameter file",
    "run": "one of the corpus' `runs`, or of its `classifiers`",
    "name": "name; an unknown name prints the valid ones",
    "file": "a page with blocks <!-- begin FILE -->",
}
PARAMS_HELP = "the parameter file (default: %(default)s)"


class _Parser(argparse.ArgumentParser):
    """Prints one line for a wrong command line, as for every other error."""

    def error(self, message: str):
        dashed = [one for one in sys.argv[1:] if one.startswith("-") and Path(one).exists()]
        hint = f"write ./{dashed[0]} for the file" if dashed else f"{self.prog} --help says more"
        self.exit(2, f"pcpg: {one_line(message)}; {hint}\n")


def _add_transcribe(parsers) -> None:
    help = "what is said in a video of a talking face; needs no parameter file"
    command = parsers.add_parser("transcribe", help=help, description=help)
    command.add_argument("video", type=Path, metavar="VIDEO", help="up to 10 s of one face")
    command.add_argument("--checkpoint", type=Path, required=True, metavar="FILE", help="model.pt of a lip-reader")
    command.add_argument(
        "--landmark-model",
        default="models/face_landmarker.task",
        metavar="FILE",
        help="MediaPipe's face_landmarker.task, or download to fetch it to there (default: %(default)s)",
    )
    command.add_argument("--beam", type=int, default=5, metavar="N", help="texts to keep and print (default: 5)")
    command.add_argument("-v", "--verbose", action="store_true", help="frames, rate and stream that were read")
    command.add_argument("--show", type=Path, metavar="FILE", help="draw mouth and attention: .png, or .gif that moves")
    command.set_defaults(function=commands.transcribe, params=None)


def _add_clips(parsers) -> None:
    help = "mouth clips of a corpus"
    actions = parsers.add_parser("clips", help=help, description=help).add_subparsers(required=True, metavar="ACTION")

    def add(name: str, function, help: str) -> argparse.ArgumentParser:
        command = actions.add_parser(name, help=help, description=help)
        command.set_defaults(function=function, params=None, writes=name != "info")
        return command

    shard = add("shard", commands.shard, "cut out the mouths of one part of the manifest")
    store = add("store", commands.store, "check all shards of a corpus and join them")
    info = add("info", commands.clips_info, "what a clip store holds; needs no parameter file")
    for command in (shard, store):
        command.add_argument("corpus", help=ARGUMENTS["corpus"])
        command.add_argument("--params", default="params.yaml", metavar="FILE", help=PARAMS_HELP)
    shard.add_argument("shard", type=int, metavar="N", help="one of `shards` in the parameter file")
    info.add_argument("folder", type=Path, metavar="FOLDER", help="such as clips/mini/grid")
    info.add_argument("--verify", action="store_true", help="read every clip and compare its checksum")


def parser() -> argparse.ArgumentParser:
    top = _Parser(prog="pcpg", description=pcpg.__doc__)
    parsers = top.add_subparsers(dest="command", required=True, metavar="STAGE")

    def add(function, help: str, *positional: str, seed: bool = False, writes: bool = True) -> argparse.ArgumentParser:
        command = parsers.add_parser(function.__name__, help=help, description=help)
        for argument in positional:
            command.add_argument(argument, help=ARGUMENTS[argument])
        if seed:
            command.add_argument("--seed", type=int, required=True, metavar="N")
        command.add_argument("--params", default="params.yaml", metavar="FILE", help=PARAMS_HELP)
        command.set_defaults(function=function, writes=writes)
        return command

    plan = add(commands.plan, "list the jobs of a parameter file for DVC, in plan.json", writes=False)
    plan.add_argument("--same-jobs", action="store_true", help="stop if the jobs have changed")
    add(commands.raw, "make a corpus, download it, or check a local copy", "corpus")
    add(commands.train, "one run: the baseline, policy gradient, or another objective", "corpus", "run", seed=True)
    add(commands.probe, "a word classifier on an encoder", "corpus", "run", seed=True)
    add(commands.evaluate, "error rates of a run on the test split, all its seeds", "corpus", "run")
    add(commands.classify, "accuracy of a word classifier on the test split, all its seeds", "corpus", "run")
    add(commands.tables, "one table, such as table1 or objectives, with the paper's numbers where it has some", "name")
    add(commands.claims, "a verdict on each of the paper's claims")
    power = add(commands.power, "the smallest effects that a number of seeds could show", writes=False)
    power.add_argument("--seeds", type=int, nargs="+", default=[3, 5, 10, 20], metavar="N", help="planned numbers")
    add(commands.figures, "one figure, such as fig6_grid", "name")
    add(commands.page, "all results as one HTML page that needs no other file")
    add(commands.costs, "what the trainings took, into results/<preset>/costs.csv", writes=False)
    add(commands.tuning, "settings and best validation score of every run of a corpus", "corpus", writes=False)
    add(commands.readme, "fill the tables of a page from results/", "file", writes=False)
    verify = add(
        commands.verify, "one's own results beside the committed ones: 0 identical, 1 alike, 2 not", writes=False
    )
    verify.add_argument("--against", default="HEAD", metavar="PLACE", help="git revision or folder (default: HEAD)")
    verify.add_argument("--html", type=Path, metavar="FILE", help="the same as a page")
    network = add(commands.network, "parameters and FLOPs a clip of a corpus' lip-reader", "corpus", writes=False)
    network.add_argument("--frames", type=int, default=75, help="of the clip (default: 75, a sentence of GRID)")
    network.add_argument("--characters", type=int, default=28, help="decoder steps (default: 28)")
    _add_clips(parsers)
    _add_transcribe(parsers)
    check_command = parsers.add_parser("params", help="check a parameter file", description="check a parameter file")
    check_command.add_argument("action", choices=["check"])
    check_command.add_argument("params", metavar="FILE")
    check_command.set_defaults(function=commands.check, writes=False)
    return top


def _tell_thread(loud, failed) -> None:
    """Report a full disk once: the main thread gets the error of TensorBoard's thread too, and prints it."""
    if not isinstance(failed.exc_value, OSError) or refusal(failed.exc_value) is None:
        loud(failed)


def _settings(args: argparse.Namespace) -> Params:
    """Read the parameter file; where the command is one of OBJECTIVES, this imports torch.

    Without garbage collection: the objects of torch stay until the end, and to look through them here and at exit
    takes a third of the time of a short job. During the job itself garbage is collected as usual.
    """
    atexit.register(gc.freeze)
    gc.disable()
    try:
        return parameters.read(args.params, objectives=args.function in OBJECTIVES)
    finally:
        gc.enable()


def _unread() -> bool:
    """Whether the broken pipe is standard output, closed by its reader (such as `head`); any other one is an error."""
    output, look = sys.__stdout__.fileno(), select.poll()
    look.register(output, select.POLLOUT)
    if not any(event & select.POLLERR for _, event in look.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), output)  # Python flushes it at exit
    return True


def _run(args: argparse.Namespace) -> int:
    if args.params is None:
        return args.function(args) or 0
    settings = _settings(args)
    if not args.writes:
        return _call(args, settings)
    guard.stage(settings.preset)
    status = launch.spread(settings.processes, settings.nodes) if args.function in TRAININGS else None
    if status is None:
        status = _call(args, settings)
        names = {name: str(getattr(args, name)) for name in handover.NAMES if hasattr(args, name)}
        handover.note(Plan(settings), args.function.__name__, names)
    return status


def _call(args: argparse.Namespace, settings: Params) -> int:
    more = (code.of_stage,) if args.function in TRAININGS else ()
    try:
        return args.function(args, settings, Paths(settings.preset), *more) or 0
    except InputError:
        raise
    except (LookupError, TypeError, ValueError):
        parameters.check_objectives(settings, args.params)  # says so where a key of an objective is the reason
        raise


def main() -> int:
    """Entry point: a wrong input is one line on stderr and exit status 2, what the machine refuses one and 3."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # PYTHONIOENCODING=ascii, and names that are no UTF-8
    args = parser().parse_args()
    threading.excepthook = partial(_tell_thread, threading.excepthook)
    try:
        status = _run(args)
        if sys.stdout:  # a daemon may have none
            sys.stdout.flush()
        return status
    except InputError as error:
        launch.wait_for_turn()
        file = f"{one_line(args.params)}: " if isinstance(error, SettingError) else ""
        print(f"pcpg: {file}{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        if not _unread():
            raise
        return 141
    except (OSError, MemoryError, RuntimeError, ImportError) as error:
        problem, place = refusal(error), misplaced(error)
        if place is not None:
            print(f"pcpg: {place}", file=sys.stderr)
            return 2
        if problem is None:
            raise
        print(f"pcpg: {problem}; run it again when that is put right", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
