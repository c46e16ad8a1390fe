"""What a local run tells whoever watches it, and how it is asked to stop."""

from __future__ import annotations

from dataclasses import dataclass

from graft_api.progress import ProgressReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """A stage's processes were started; `resumed` is the step of the checkpoint it goes on from."""

    stage: str
    attempt: int
    resumed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    """Rank 0 of a stage reported."""

    stage: str
    report: ProgressReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """The stage was asked to save and stop."""

    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The stage's processes ended; the code is negative for a signal."""

    stage: str
    exit_code: int


Event = Began | Progressed | Stopping | Ended


@dataclass(slots=True)
class Stop:
    """Wishes to stop, counted: the first saves a checkpoint, the second kills."""

    asked: int = 0

    def ask(self) -> None:
        """One more wish; safe to call from a signal handler."""
        self.asked += 1
