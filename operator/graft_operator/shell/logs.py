"""Log lines as JSON, with the job's kind, namespace and name bound."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

_BOUND: ContextVar[Mapping[str, str]] = ContextVar("bound", default=MappingProxyType({}))


def configure(level: str) -> None:
    """Every logger of the process writes JSON lines to stderr; kopf only what is wrong."""
    logging.basicConfig(level=level, handlers=[handler(sys.stderr)], force=True)
    logging.getLogger("kopf").setLevel("WARNING")
    logging.getLogger("urllib3").setLevel("ERROR")


@contextmanager
def bound(**fields: str) -> Iterator[None]:
    """Every line of this thread has these fields, whoever writes it, while the block runs."""
    token = _BOUND.set(fields)
    try:
        yield
    finally:
        _BOUND.reset(token)


def handler(stream: TextIO) -> logging.Handler:
    """Writes a line as a JSON object, with what is bound where it was written."""
    made = logging.StreamHandler(stream)
    made.addFilter(_bind)
    made.setFormatter(
        JsonFormatter(
            "{asctime}{levelname}{name}{message}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )
    )
    return made


def _bind(record: logging.LogRecord) -> bool:
    for name, value in _BOUND.get().items():
        setattr(record, name, value)
    return True
