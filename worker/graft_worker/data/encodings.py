"""What the bytes of a text file are: UTF-8, another encoding by name, or no text at all."""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_MAGIC = (
    (b"PAR1", "a Parquet file"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document"),
)
_HIGH_RUNS = re.compile(rb"[\x80-\xff]+")


def strange(head: bytes) -> tuple[str, str] | None:
    """What a file that is no UTF-8 text seems to be, by its first bytes, and the remedy."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return f"is encoded in {name}", _recode(name)
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return (
                f"is {name}, not text",
                "name its format under data.*.format, or export it as text",
            )
    if b"\0" in head:
        if _every_second_is_zero(head):
            return "is encoded in UTF-16 (without a mark)", _recode("UTF-16LE")
        return f"is a binary file: NUL byte at offset {head.index(0)}", "give a text file"
    return None


def _every_second_is_zero(head: bytes) -> bool:
    pairs = len(head) // 2
    zeros = max(head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0))
    return zeros > 0.4 * pairs and head.count(b"\0\0") == 0


def guess(line: bytes) -> str:
    """The encoding that a line which is not UTF-8 seems to have: UTF-8 (damaged), GBK or Latin-1.

    A damaged line still holds more whole characters than broken bytes, or ends in the midst of one.
    Of the others GBK's bytes come in pairs above 0x80, while Latin-1's stand alone among ASCII
    letters.
    """
    if _cut(line):
        return "UTF-8"
    whole = sum(not c.isascii() for c in line.decode("utf-8", "ignore"))
    broken = line.decode("utf-8", "replace").count("\ufffd")
    if whole >= broken:
        return "UTF-8"
    runs = _HIGH_RUNS.findall(line)
    paired = sum(len(run) for run in runs if len(run) > 1)
    if paired > 0.6 * sum(map(len, runs)) and _decodes(line, "gb18030"):
        return "GBK"
    return "Latin-1" if _decodes(line, "cp1252") or whole == 0 else "UTF-8"


def _cut(line: bytes) -> bool:
    """Whether all is UTF-8 but for a last character of which two bytes or more are there."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and len(line) - error.start > 1
    return False


def not_utf8(line: bytes, error: UnicodeDecodeError, offset: int) -> tuple[str, str, bool]:
    """What to say of a line that is not UTF-8, the remedy, and whether the whole file is so.

    `offset` is the place of the line's first byte in the file.
    """
    at, byte = offset + error.start, line[error.start]
    encoding = guess(line)
    if encoding == "UTF-8":
        return (
            f"byte 0x{byte:02x} at offset {at} breaks a UTF-8 character",
            "repair this row",
            False,
        )
    found = f"byte 0x{byte:02x} at offset {at} is not UTF-8, the file seems to be {encoding}"
    return found, _recode(encoding), True


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _recode(name: str) -> str:
    known = {"Latin-1": "LATIN1"}.get(name, name)
    return f"files are read as UTF-8; convert it: iconv -f {known} -t UTF-8 OLD > NEW"
