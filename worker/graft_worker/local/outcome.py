"""How a stage ended and how far it came, read from the files that it left."""

from __future__ import annotations

import signal
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from graft_api.localconditions import timestamp
from graft_api.progress import ProgressReport, Termination
from graft_api.vocabulary import ExitCode, FailureClass, StoreFile
from graft_worker.checkpoint import folders

from .processes import Place


def progress(folder: Path) -> ProgressReport | None:
    """The newest report of rank 0 with the newest checkpoint in it; None before the first.

    A worker that is stopped or killed reports its last checkpoint to nobody: the folder shows it.
    """
    try:
        text = (folder / StoreFile.PROGRESS).read_text(encoding="utf-8")
        report = ProgressReport.from_json(text)
    except (OSError, ValueError, TypeError):
        return None
    saved = folders.listed(folder / StoreFile.CHECKPOINTS, kind="step")
    if not saved or saved[0].step <= (report.checkpoint_step or 0):
        return report
    return replace(
        report,
        step=max(report.step, saved[0].step),
        checkpoint_step=saved[0].step,
        checkpoint_uri=str(saved[0].path),
        checkpoint_time=_written(saved[0].path),
    )


def _written(path: Path) -> str | None:
    """When the folder got its last file; None where it is gone meanwhile."""
    with suppress(OSError):
        return timestamp(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    return None


def complete(folder: Path) -> bool:
    """Whether the job has its completion marker."""
    return (folder / StoreFile.RESULT).exists()


def termination(place: Place, *, stage: str, exit_code: int, stopping: bool) -> Termination:
    """The stage's last words, or those that its exit code allows where it left none."""
    last = _last_words(place.termination)
    if last is not None and (exit_code != 0 or last.state == "Complete"):
        return last
    if exit_code == ExitCode.DONE:
        return Termination(state="Complete")
    if exit_code == ExitCode.STOPPED or stopping:
        return Termination(state="Stopped", exit_code=ExitCode.STOPPED)
    return _silent(stage, exit_code)


def _last_words(path: Path) -> Termination | None:
    try:
        return Termination.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return None


def _silent(stage: str, exit_code: int) -> Termination:
    if exit_code >= 0:
        return Termination(
            state="Failed",
            failure_class=FailureClass.USER,
            exit_code=exit_code,
            message=f"stage {stage} ended with exit code {exit_code} and left no message",
            hint="the end of its log says more",
        )
    name = signal.Signals(-exit_code).name
    memory = "out of memory (a smaller training.microBatch or data.maxLength needs less), or "
    return Termination(
        state="Failed",
        failure_class=FailureClass.INFRASTRUCTURE,
        exit_code=128 - exit_code,
        message=f"stage {stage} was ended by {name}",
        hint=f"it was {memory if name == 'SIGKILL' else ''}stopped from outside;"
        " run the same command again to go on from the newest checkpoint",
    )
