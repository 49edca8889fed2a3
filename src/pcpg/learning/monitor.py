"""What a training shows while it runs: a progress bar, and curves for TensorBoard."""

import shutil
import time
from collections.abc import Iterable, Iterator

from tqdm import tqdm

from pcpg.learning.epochs import Training
from pcpg.learning.session import Session
from pcpg.reader.batches import Batch
from pcpg.workspace import parallel


class Monitor:
    """Counts clips and the time spent waiting for them; the first process alone shows and writes.

    done: batches of a resumed training, else 0: then TensorBoard's files of an earlier training are deleted.
    """

    def __init__(self, session: Session, training: Training, epochs: int, done: int):
        self.training, self.leads = training, parallel.rank() == 0
        self.events = _events(session, done) if self.leads else None
        total, clips = epochs * len(training.rows), training.clips_in(done)
        self.bar = tqdm(
            total=total, initial=clips, desc=session.name, unit="clip", mininterval=5.0, disable=not self.leads
        )
        self.waited, self.since, self.counted = 0.0, time.perf_counter(), clips

    def watch(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches, with a stopwatch on how long they take to come."""
        batches = iter(batches)
        while True:
            start = time.perf_counter()
            batch = next(batches, None)
            self.waited += time.perf_counter() - start
            if batch is None:
                return
            yield batch

    def advance(self, done: int, row: dict | None) -> None:
        """After `done` batches; row: of the history, if there was an evaluation."""
        clips, seconds = self.training.clips_in(done), time.perf_counter() - self.since
        waiting = self.waited / seconds
        self.bar.set_postfix_str(f"data-wait {waiting:.0%}", refresh=False)
        self.bar.update(clips - self.bar.n)
        if row is not None and self.events is not None:
            rates = {"clips_per_second": (clips - self.counted) / seconds, "data_wait": waiting}
            for key, value in (row | rates).items():
                self.events.add_scalar(key, value, row["iteration"])
            self.events.flush()
        if row is not None:
            self.waited, self.since, self.counted = 0.0, time.perf_counter(), clips

    def __enter__(self) -> "Monitor":
        return self

    def __exit__(self, *_) -> None:
        self.bar.close()
        if self.events is not None:
            self.events.close()


def _events(session: Session, done: int):
    from torch.utils.tensorboard import SummaryWriter  # slow to import, and only trainings need it

    if done == 0:
        shutil.rmtree(session.events, ignore_errors=True)
    return SummaryWriter(session.events)
