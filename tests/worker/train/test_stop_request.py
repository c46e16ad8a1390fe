"""Who may ask a run to stop."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from graft_worker.train.stop_request import SECONDS, StopRequest


def test_nobody_asked() -> None:
    assert not StopRequest()()


def test_a_call_asks_for_good() -> None:
    request = StopRequest()
    request.ask()
    assert request()
    assert request()


def test_a_signal_asks() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    request = StopRequest()
    request.listen(signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)
    assert request()


def test_a_file_asks_at_the_next_look_and_stays_heard_when_it_is_gone(tmp_path: Path) -> None:
    now = [0.0]
    file = tmp_path / "stop"
    request = StopRequest(file=file, clock=lambda: now[0])
    assert not request()
    file.touch()
    assert not request()  # the next look is half a second away
    now[0] = SECONDS
    assert request()
    file.unlink()
    assert request()
