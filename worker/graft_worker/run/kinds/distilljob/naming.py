"""Errors of a model: a DistillJob has two, where a TransferJob has spec.model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from graft_api.errors import ConfigError

_THEIRS = "spec.model"


@contextmanager
def of_student() -> Iterator[None]:
    """Errors from within name the student's field."""
    with _named("spec.student"):
        yield


@contextmanager
def of_teacher() -> Iterator[None]:
    """Errors from within name the teacher's field."""
    with _named("spec.teacher"):
        yield


@contextmanager
def _named(ours: str) -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        hint = error.hint.replace(_THEIRS, ours) if error.hint else error.hint
        raise ConfigError(error.message.replace(_THEIRS, ours), hint=hint) from None
