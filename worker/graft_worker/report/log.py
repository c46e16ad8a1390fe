"""The log: one JSON object a line, bound to job, attempt and rank, safe to show in a terminal."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TextIO

from .secrets import redacted

# json.dumps escapes below U+0020 only; these too move cursors, break lines or turn text around.
_CONTROL = re.compile("[\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
CHATTY = ("aiobotocore", "botocore")  # every process would say where it has its keys from


class JsonLines(logging.Formatter):
    """Formats records as JSON objects: time, level, message, what is bound, and the traceback."""

    def __init__(self, bound: Mapping[str, str | int], *, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._bound = dict(bound)
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """One line without control characters."""
        entry: dict[str, str | int] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": redacted(record.getMessage(), self._secrets),
            **self._bound,
        }
        if record.exc_info:
            entry["error"] = redacted(self.formatException(record.exc_info), self._secrets)
        text = json.dumps(entry, ensure_ascii=False)
        return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def configure(stream: TextIO, *, secrets: Iterable[str] = (), **bound: str | int) -> None:
    """Everything logged in this process goes to the stream from now on, and nowhere else."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(bound, secrets=secrets))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def adopt(library: str) -> None:
    """What a library logs by handlers of its own, as torch does, is written as ours from now on."""
    for name in list(logging.root.manager.loggerDict):
        if f"{name}.".startswith(f"{library}."):
            _propagate(logging.getLogger(name))


def _propagate(logger: logging.Logger) -> None:
    for handler in list(logger.handlers):
        if isinstance(handler, logging.StreamHandler):
            logger.removeHandler(handler)
            logger.propagate = True
