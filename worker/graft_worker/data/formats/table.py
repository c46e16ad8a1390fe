"""The formats by name, and the format of a file by its extension and first lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from graft_api.errors import ConfigError
from graft_worker.data import lines
from graft_worker.data.formats import conll, delimited, jsonl, parquet, squad, text
from graft_worker.data.formats.options import Read
from graft_worker.data.sources import Source

FORMATS: Mapping[str, Read] = MappingProxyType(
    {
        "tsv": delimited.read_tsv,
        "csv": delimited.read_csv,
        "jsonl": jsonl.read,
        "parquet": parquet.read,
        "conll": conll.read,
        "squad": squad.read,
        "text": text.read,
    }
)
_EXTENSIONS = {
    ".tsv": "tsv",
    ".tab": "tsv",
    ".csv": "csv",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".conll": "conll",
    ".bio": "conll",
    ".iob": "conll",
}
_COMPRESSED = (".gz", ".zst")


def reader(name: str, source: Source, *, schema: bool = False) -> Read:
    """The reader for a format, or for what `auto` finds; `schema`: the job gives the columns.

    Raises:
        ConfigError: no such format.
        DataError: the file cannot be read or is no text.
    """
    found = detect(source, schema=schema) if name == "auto" else name
    if found not in FORMATS:
        raise ConfigError(f"format {name!r} is unknown", hint=f"one of auto, {', '.join(FORMATS)}")
    return FORMATS[found]


def detect(source: Source, *, schema: bool = False) -> str:
    """The format's name: by the extension, else by the first lines.

    A file whose columns the job gives by a schema is tab separated, whatever it is called, unless
    its first line has commas and no tab: EasyTransfer's `.csv` files are so.
    """
    suffixes = [s.lower() for s in PurePosixPath(source.uri).suffixes if s not in _COMPRESSED]
    extension = suffixes[-1] if suffixes else ""
    if schema:
        first = lines.head(source).split(b"\n", 1)[0]
        return "csv" if b"," in first and b"\t" not in first else "tsv"
    if extension in _EXTENSIONS:
        return _EXTENSIONS[extension]
    with source.open() as stream:
        if lines.chunk(source, stream, 4) == b"PAR1":
            return "parquet"
    head = lines.head(source)
    if extension == ".jsonl":
        return _of_json(head)
    return _of_lines(head.decode("utf-8", "replace"), head)


def _of_json(head: bytes) -> str:
    if squad.is_document(head):
        return "squad"
    try:
        first = json.loads(head.split(b"\n", 1)[0])
    except (ValueError, RecursionError):
        return "jsonl"
    return "squad" if isinstance(first, dict) and {"context", "qas"} <= first.keys() else "jsonl"


def _of_lines(head: str, raw: bytes) -> str:
    if head.lstrip()[:1] in {"{", "["}:
        return _of_json(raw)
    found = head.splitlines()[:200]
    filled = [line for line in found if line.strip()]
    if filled and all("\t" in line for line in filled):
        return "conll" if len(filled) < len(found) and _tagged(filled) else "tsv"
    if len(filled) > 1 and len({line.count(",") for line in filled[:20]}) == 1 and "," in filled[0]:
        return "csv"
    return "text"


def _tagged(filled: list[str]) -> bool:
    """Whether the last cells look like tags: O, or B- and its kin."""
    last = [line.rsplit("\t", 1)[1] for line in filled[:-1] or filled]
    return all(tag == "O" or tag[1:2] in {"-", "_"} for tag in last)
