"""Which of several ended workers was the cause, and what the launcher says of it."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from graft_api.progress import Termination
from graft_api.vocabulary import ExitCode, FailureClass

_MEMORY = (
    "most often the machine was out of memory: ask for more, or for less with a smaller"
    " training.microBatch or data.maxLength"
)
_OUTSIDE = "no process was out of memory: somebody or something outside of the training killed it"
_LOG = "the end of its log says more"


class Killed(StrEnum):
    """Why a launcher ends a worker that still runs."""

    LATE = "late"
    FORSAKEN = "forsaken"
    HUNG = "hung"


_OURS = {
    Killed.LATE: (
        "was asked to stop, took too long and was killed",
        "the newest checkpoint is whole; a longer grace period gives it more time to save"
        " (worker.graceSeconds of the chart)",
    ),
    Killed.FORSAKEN: (
        "waited for another node, which is silent, and was killed",
        "the newest checkpoint is whole; see what became of the node",
    ),
    Killed.HUNG: (
        "stood still and was killed",
        "the stacks say what every thread was doing",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A worker process that ended: code negative for a signal, its last words and their time."""

    rank: int
    code: int
    words: Termination | None = None
    moment: int = 0  # nanoseconds; 0 without words
    step: int | None = None  # the last that it had finished
    killed: Killed | None = None  # why its launcher ended it while it still ran
    memory_sufficed: bool = False  # whether the kernel made no OOM kill while it ran

    @property
    def killed_from_outside(self) -> bool:
        """Whether somebody else killed it: its own doing had no part in that."""
        bare = self.code == -signal.SIGKILL and self.words is None
        return bare and self.memory_sufficed and self.killed is None


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
    message, hint = _told(worker)
    killed = worker.code < 0
    return Termination(
        state="Failed",
        failure_class=FailureClass.INFRASTRUCTURE if killed else FailureClass.USER,
        exit_code=exit_code(worker.code),
        rank=worker.rank,
        step=worker.step,
        message=f"worker {worker.rank} {message}",
        hint=hint,
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


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"


def _told(worker: Ended) -> tuple[str, str]:
    """What became of it, and what to do."""
    if worker.code == -signal.SIGKILL and worker.killed:
        return _OURS[worker.killed]
    hint = _LOG
    if worker.killed_from_outside:
        hint = _OUTSIDE
    elif worker.code == -signal.SIGKILL:
        hint = _MEMORY
    return f"{_how(worker.code)} and left no message", hint


def lost_peers(worker: Ended) -> bool:
    """Whether it ended only because others did."""
    words = worker.words
    return (
        words is not None
        and words.failure_class == FailureClass.INFRASTRUCTURE
        and words.exit_code == ExitCode.FAILED
    )
