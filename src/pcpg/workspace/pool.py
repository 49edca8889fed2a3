"""Many processes, results in order, flat memory; a crash costs one item and not the run."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice


def in_order(job: Callable, items: Iterable, workers: int, ahead: int = 4) -> Iterator:
    """job(item) for each item, in their order, on `workers` processes; None where the job crashed its process.

    A process that is killed is no fault of its item, which is tried again alone; BrokenProcessPool if killed again.

    At most `ahead` items per worker are begun and not yet fetched, so memory stays flat however many there are. With
    one worker the job runs in this process, and a crash (as only broken native code brings about) ends it.
    """
    if workers == 1:
        yield from map(job, items)
        return
    items, waiting, pool = iter(items), deque(), _pool(workers)
    try:
        while True:
            for item in islice(items, workers * ahead - len(waiting)):
                waiting.append((item, _submit(pool, job, item)))
            if not waiting:
                return
            item, future = waiting.popleft()
            try:
                result = future.result()
            except BrokenProcessPool:  # by this item or by one that waits: try it alone, then start the others again
                pool.shutdown()
                result, pool = _alone(job, item), _pool(workers)
                waiting = deque((item, _submit(pool, job, item)) for item, _ in waiting)
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def _pool(workers: int) -> ProcessPoolExecutor:
    """Fresh interpreters: a fork would inherit the locks of whatever threads the caller runs."""
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _submit(pool: ProcessPoolExecutor, job: Callable, item) -> Future:
    """A future, also where the pool is already broken."""
    try:
        return pool.submit(job, item)
    except BrokenProcessPool as error:
        failed = Future()
        failed.set_exception(error)
        return failed


def _alone(job: Callable, item):
    """job(item) in its own process: None if that crashed, BrokenProcessPool if it was killed or could not start."""
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_report, args=(sender, job, item))
    process.start()
    sender.close()
    try:
        result, error = receiver.recv()
    except EOFError:
        process.join()
        if process.exitcode in (-signal.SIGKILL, 1):  # 1: Python itself lacked memory or a package
            raise BrokenProcessPool(f"a process ended with status {process.exitcode}") from None
        return None
    process.join()
    if error is not None:
        raise error
    return result


def _report(sender, job: Callable, item) -> None:
    try:
        outcome = job(item), None
    except Exception as error:
        outcome = None, error
    sender.send(outcome)
