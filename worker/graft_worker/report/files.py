"""Small text files that others read while we write: whole or absent, never half."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def replace(path: Path, text: str) -> None:
    """The file holds the text afterwards; readers see the old content or the new one.

    Raises:
        OSError: it cannot be written; the old content stands.
    """
    beside = path.with_name(f".{path.name}.partial")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise


def append(path: Path, line: str) -> None:
    """The file has one more line; a line that a dead writer left unfinished is ended before.

    Raises:
        OSError: it cannot be written; part of the line may stand there.
    """
    with path.open("ab+") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(line.encode() + b"\n")
