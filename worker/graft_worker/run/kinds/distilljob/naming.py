"""Errors of a model that a DistillJob names spec.student, where a TransferJob says spec.model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from graft_api.errors import ConfigError

_THEIRS, _OURS = "spec.model", "spec.student"


@contextmanager
def of_student() -> Iterator[None]:
    """Errors from within name the student's field."""
    try:
        yield
    except ConfigError as error:
        hint = error.hint.replace(_THEIRS, _OURS) if error.hint else error.hint
        raise ConfigError(error.message.replace(_THEIRS, _OURS), hint=hint) from None
