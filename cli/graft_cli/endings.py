"""How a command ends: its exit codes, and errors that carry one."""

from __future__ import annotations

from enum import IntEnum

from graft_api.errors import GraftError


class Ending(IntEnum):
    """Exit codes of `graft`."""

    DONE = 0
    FAILED = 1  # the job failed
    BAD_INPUT = 2  # nothing was started
    NOT_FOUND = 3
    TIME_OUT = 4  # of --wait; the job goes on
    UNREACHABLE = 5  # the API server does not answer
    FORBIDDEN = 6  # the missing right is named
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class EndedError(GraftError):
    """The command ends with this code."""

    def __init__(self, message: str, *, hint: str = "", code: Ending) -> None:
        super().__init__(message, hint=hint)
        self.code = code
