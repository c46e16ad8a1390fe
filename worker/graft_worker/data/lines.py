"""Lines of a text file with their numbers, in bounded memory, whatever the file holds."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from graft_api.errors import DataError
from graft_worker.data import encodings
from graft_worker.data.faults import Fault
from graft_worker.data.sources import Source

LINE_LIMIT = 1 << 20  # bytes of a line
_CHUNK = 1 << 18

Report = Callable[[Fault], None]


def read(source: Source, report: Report) -> Iterator[tuple[int, str]]:
    """Line numbers (from 1) and lines without their ends: LF, CRLF, or CR alone.

    A byte order mark is dropped. Lines over 1 MiB, with NUL or with broken UTF-8 go to `report`.

    Raises:
        DataError: the file is binary, in another encoding, damaged or unreadable.
    """
    for number, offset, line in _numbered(source):
        if len(line) > LINE_LIMIT:
            what = f"line longer than {LINE_LIMIT:,} bytes"
            report(Fault(source.name, number, what, "is an end of line missing?"))
        elif b"\0" in line:
            detail = f"at offset {offset + line.index(0)}"
            report(Fault(source.name, number, "NUL byte in a text file", detail))
        elif (text := _decoded(source, number, offset, line, report)) is not None:
            yield number, text


def _decoded(source: Source, number: int, offset: int, line: bytes, report: Report) -> str | None:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        found, remedy, throughout = encodings.not_utf8(line, error, offset)
    if throughout:
        raise DataError(f"{source.name}:{number}: {found}", hint=remedy)
    report(Fault(source.name, number, "invalid UTF-8", found))
    return None


def head(source: Source) -> bytes:
    """The first 256 KiB at most, up to an end of line; no byte order mark; checked to be text."""
    with source.open() as stream:
        raw = chunk(source, stream, _CHUNK)
    text = _checked(source, raw)
    whole = text.rpartition(b"\n")[0] if len(raw) == _CHUNK else b""
    return whole or text


def chunk(source: Source, stream: BinaryIO, size: int) -> bytes:
    """At most `size` bytes more; DataError names the file where it cannot be read."""
    try:
        return stream.read(size)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(
            f"{source.name}: cannot be read to its end: {reason}",
            hint="check the permission, and copy the file again if it is damaged",
        ) from None


def _checked(source: Source, first: bytes) -> bytes:
    if found := encodings.strange(first):
        raise DataError(f"{source.name}: {found[0]}", hint=found[1])
    return first.removeprefix(codecs.BOM_UTF8)


def _numbered(source: Source) -> Iterator[tuple[int, int, bytes]]:
    """Number, offset and bytes of each line; of one that is too long only the beginning."""
    with source.open() as stream:
        raw = chunk(source, stream, _CHUNK)
        data = _checked(source, raw)
        offset, number, rest, lost = len(raw) - len(data), 0, b"", 0
        end = b"\r" if b"\r" in data and b"\n" not in data else b"\n"
        while data:
            *whole, rest = (rest + data).split(end)
            for line in whole:
                number += 1
                yield number, offset, line.removesuffix(b"\r")
                offset += len(line) + lost + 1
                lost = 0
            if len(rest) > LINE_LIMIT:
                rest, lost = rest[: LINE_LIMIT + 1], lost + len(rest) - LINE_LIMIT - 1
            data = chunk(source, stream, _CHUNK)
        if rest:
            yield number + 1, offset, rest.removesuffix(b"\r")
