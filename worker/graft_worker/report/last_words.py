"""What is said of the error that ended a stage: its class, its exit code and what to do."""

from __future__ import annotations

import errno
import traceback

from graft_api.errors import GraftError
from graft_api.progress import Termination
from graft_api.vocabulary import ExitCode, FailureClass

EXCERPT = 1024  # bytes of the place where an unknown error arose
INTERRUPTED = 130  # 128 + SIGINT, as shells say it

STORAGE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE}
# By name, since this module must not wait for the import of torch.
LOST_PEERS = ("DistBackendError", "DistNetworkError", "DistStoreError", "DistError")
GLOO = "gloo/transport"
STEP = "graft_step"  # attribute of an error that arose after this step


def note_step(error: BaseException, step: int) -> None:
    """The last words of this error will name the step that was finished before it."""
    setattr(error, STEP, step)


def ending(error: BaseException, *, rank: int = 0) -> Termination:
    """The last words of a stage that this error ended."""
    failure, code, message, hint = _judged(error)
    stopped = failure == FailureClass.DISRUPTION
    return Termination(
        state="Stopped" if stopped else "Failed",
        failure_class=failure,
        exit_code=code,
        rank=rank,
        step=getattr(error, STEP, None),
        message=message,
        hint=hint,
    )


def _judged(error: BaseException) -> tuple[FailureClass, int, str, str]:
    if isinstance(error, GraftError):
        return error.failure_class, error.exit_code, error.message, error.hint
    if isinstance(error, KeyboardInterrupt):
        again = "run the same job again: it goes on from the newest checkpoint"
        return FailureClass.DISRUPTION, INTERRUPTED, "interrupted", again
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return FailureClass.USER, ExitCode.FAILED, f"out of memory: {_text(error)}", _LESS
    if isinstance(error, OSError) and error.errno in STORAGE:
        return FailureClass.INFRASTRUCTURE, ExitCode.STORE, _storage(error), _STORAGE
    if lost_peer(error):
        return FailureClass.INFRASTRUCTURE, ExitCode.FAILED, f"lost peers: {_text(error)}", _PEERS
    return FailureClass.USER, ExitCode.FAILED, f"{_text(error)}\n{_excerpt(error)}".strip(), _LOG


def lost_peer(error: BaseException) -> bool:
    """Whether it says only that another process of the gang is gone."""
    name = type(error).__name__
    elastic = name.startswith("Rendezvous") and type(error).__module__.startswith("torch.")
    return name in LOST_PEERS or elastic or (isinstance(error, RuntimeError) and GLOO in str(error))


_LESS = "set a smaller training.microBatch or data.maxLength, or ask for more memory"
_STORAGE = "free space on the store or mend it, then run the same job again"
_PEERS = "another worker ended first: its last words and log say why"
_LOG = "the log has the whole traceback"


def _text(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()


def _storage(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror}"


def _excerpt(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    text = f"at {last.filename}:{last.lineno} in {last.name}: {last.line}"
    return text.encode()[:EXCERPT].decode(errors="ignore")
