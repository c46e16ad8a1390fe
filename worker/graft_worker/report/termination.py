"""The last words of a stage on disk: JSON of at most 4 KiB, which is what a kubelet takes."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

from graft_api.progress import Termination

from . import files

LIMIT = 4096  # bytes
KUBELET_FILE = Path("/dev/termination-log")
CUT = "\u2026"

logger = logging.getLogger(__name__)


def fit(termination: Termination, *, limit: int = LIMIT) -> str:
    """JSON of at most `limit` bytes: the message is cut first, then the hint, both at their end."""
    if (excess := len(termination.to_json()) - limit) > 0:
        termination = replace(termination, message=_cut(termination.message, excess))
    if (excess := len(termination.to_json()) - limit) > 0:
        termination = replace(termination, hint=_cut(termination.hint, excess))
    return termination.to_json()


def write(path: Path, termination: Termination, *, in_place: Path = KUBELET_FILE) -> None:
    """The file holds the last words. That it cannot be written is logged: it must hide no error.

    `in_place` is the one file that a kubelet mounts by itself and nobody can rename onto.
    """
    text = fit(termination)
    try:
        if path == in_place:
            path.write_text(text, encoding="utf-8")
        else:
            files.replace(path, text)
    except OSError as error:
        logger.warning("%s: the last words cannot be written: %s", path, error.strerror)


def read(path: Path) -> Termination | None:
    """The last words that `write` left, or None where there are none."""
    try:
        return Termination.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return None


def _cut(text: str, excess: int) -> str:
    """The text whose JSON is shorter by `excess` bytes, or nothing. JSON of ours is ASCII."""
    room = _cost(text) - excess - _cost(CUT)
    kept = 0
    for character in text:
        room -= _cost(character)
        if room < 0:
            break
        kept += 1
    return text[:kept] + CUT if kept else ""


def _cost(text: str) -> int:
    return len(json.dumps(text)) - 2
