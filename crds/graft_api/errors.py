"""Errors that a person can mend: each names the place, what was found and what to do.

GraftError
├── ConfigError    the job file, a name or an option is wrong; nothing was started
├── DataError      a data set is missing, malformed or unfit
├── StoreError     the store is full, read-only, damaged or another job's
├── WorldError     fewer processes than the job allows
├── NodeError      this node is unfit: its clock, its device
├── HungError      no step was finished in time
└── Stopped        asked to stop; the state is saved
"""

from __future__ import annotations

from typing import ClassVar

from .vocabulary import ExitCode, FailureClass


class GraftError(Exception):
    """Something went wrong in a way that its reader can mend."""

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    failure_class: ClassVar[FailureClass] = FailureClass.USER

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class ConfigError(GraftError):
    """The job file, a name or an option is wrong."""

    exit_code = ExitCode.CONFIG
    failure_class = FailureClass.CONFIG


class DataError(GraftError):
    """A data set is missing, malformed or unfit for the app."""

    exit_code = ExitCode.DATA
    failure_class = FailureClass.DATA


class StoreError(GraftError):
    """The store is full, read-only, damaged or belongs to another job."""

    exit_code = ExitCode.STORE
    failure_class = FailureClass.INFRASTRUCTURE


class WorldError(GraftError):
    """The gang has fewer processes than the job allows."""

    exit_code = ExitCode.WORLD
    failure_class = FailureClass.INFRASTRUCTURE


class NodeError(GraftError):
    """This node is unfit for the gang; another one may be fit."""

    exit_code = ExitCode.NODE
    failure_class = FailureClass.INFRASTRUCTURE


class HungError(GraftError):
    """No process of this node finished a step in time."""

    exit_code = ExitCode.HUNG
    failure_class = FailureClass.INFRASTRUCTURE


class Stopped(GraftError):  # noqa: N818  (it ends a run, it is no error of anybody)
    """Asked to stop; the state is saved and the same job goes on from it."""

    exit_code = ExitCode.STOPPED
    failure_class = FailureClass.DISRUPTION
