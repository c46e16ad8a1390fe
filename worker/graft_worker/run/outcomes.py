"""Which of several ended workers was the cause, and what the launcher says of it."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace

from graft_api.progress import Termination
from graft_api.vocabulary import ExitCode, FailureClass

_MEMORY = "most often the machine was out of memory: ask for more, or for less with a smaller "
_KILLED = f"{_MEMORY}training.microBatch or data.maxLength"
_OUTSIDE = "no process was out of memory: somebody or something outside of the training killed it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A worker process that ended: code negative for a signal, its last words and their time."""

    rank: int
    code: int
    words: Termination | None = None
    moment: int = 0  # nanoseconds; 0 without words
    step: int | None = None  # the last that it had finished
    fed: bool = False  # whether the kernel killed nobody for want of memory while it ran

    @property
    def taken(self) -> bool:
        """Whether it was killed from outside: its own doing had no part in that."""
        return self.fed and self.code == -signal.SIGKILL and self.words is None


def cause(ended: Iterable[Ended]) -> Ended:
    """The first to fail. Whoever only lost its peers is none where there is another.

    A worker without last words was killed: nothing else leaves none, so it counts as earliest.
    """
    return min(ended, key=lambda worker: (lost_peers(worker), worker.moment))


def exit_code(code: int) -> int:
    """The code as shells say it: 128 + n for signal n."""
    return code if code >= 0 else 128 - code


def spoken(worker: Ended) -> Termination:
    """The worker's last words, or those that its code allows."""
    if worker.words and worker.words.exit_code == worker.code:
        return worker.words
    if worker.code == ExitCode.STOPPED:
        return Termination(
            state="Stopped", exit_code=worker.code, rank=worker.rank, step=worker.step
        )
    killed = worker.code < 0
    return Termination(
        state="Failed",
        failure_class=FailureClass.INFRASTRUCTURE if killed else FailureClass.USER,
        exit_code=exit_code(worker.code),
        rank=worker.rank,
        step=worker.step,
        message=f"worker {worker.rank} {_how(worker.code)} and left no message",
        hint=_hint(worker),
    )


def repeated(worker: Ended) -> Termination:
    """What is said of a failure that came twice at one step: no restart will mend it."""
    words = spoken(worker)
    return replace(
        words,
        failure_class=FailureClass.USER,
        step=worker.step,
        message=f"the same failure twice after step {worker.step}: {words.message}",
    )


def late(worker: Ended) -> Termination:
    """What is said of one that was asked to stop and was killed since it took too long."""
    return replace(
        spoken(worker),
        message=f"worker {worker.rank} was asked to stop, took too long and was killed",
        hint="the newest checkpoint is whole; worker.graceSeconds of the chart gives more time",
    )


def forsaken(worker: Ended) -> Termination:
    """What is said of one that was killed at a stop, since it could not save any more."""
    return replace(
        spoken(worker),
        message=f"worker {worker.rank} waited for another node, which is silent, and was killed",
        hint="the newest checkpoint is whole; see what became of the node",
    )


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"


def _hint(worker: Ended) -> str:
    if worker.taken:
        return _OUTSIDE
    return _KILLED if worker.code == -signal.SIGKILL else "the end of its log says more"


def lost_peers(worker: Ended) -> bool:
    """Whether it ended only because others did."""
    words = worker.words
    return (
        words is not None
        and words.failure_class == FailureClass.INFRASTRUCTURE
        and words.exit_code == ExitCode.FAILED
    )
