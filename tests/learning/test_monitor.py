"""What a training shows of its speed: clips a second, and the share of the time spent waiting for them."""

from unittest.mock import Mock

import pytest

from pcpg.learning import monitor
from pcpg.learning.session import Session


def test_rates_are_those_since_the_last_evaluation(tmp_path, monkeypatch):
    clock = iter([0.0, *(0.0, 1.0), 4.0, *(4.0, 5.0), 8.0, 8.0, *(8.0, 8.0), 10.0, 10.0])
    monkeypatch.setattr(monitor.time, "perf_counter", lambda: next(clock))
    events = Mock()
    monkeypatch.setattr(monitor, "_events", lambda session, done: events)
    training = Mock(rows=range(16), clips_in=lambda done: 8 * done)
    session = Session("t", 1, None, "float32", "code", *[tmp_path / "none"] * 4)
    with monitor.Monitor(session, training, epochs=2, done=0) as shown:
        watched = shown.watch(iter("abc"))
        next(watched)
        shown.advance(1, None)
        next(watched)
        shown.advance(2, {"iteration": 2, "val_cer": 0.5})
        next(watched)
        shown.advance(3, {"iteration": 3})
    said = {(call.args[0], call.args[2]): call.args[1] for call in events.add_scalar.call_args_list}
    assert said["val_cer", 2] == 0.5
    assert (said["clips_per_second", 2], said["data_wait", 2]) == (16 / 8, 2 / 8)
    assert (said["clips_per_second", 3], said["data_wait", 3]) == pytest.approx((8 / 2, 0))
    events.close.assert_called_once()
