"""Tokenises a split once: rows through what a kind makes of them, into shards by content."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from graft_api.errors import DataError
from graft_worker.data import reading, sources, targets
from graft_worker.data.blocks import Blocks
from graft_worker.data.cache import Cache
from graft_worker.data.inspect import Inspection
from graft_worker.data.prepared import Split
from graft_worker.data.rows import Row
from graft_worker.data.selections import Selection
from graft_worker.data.shard_writer import ShardWriter, discard, is_whole
from graft_worker.data.shards import VERSION, Shards

_CHUNK = 4096  # rows given to Encode at once
_LETTERS = 1 << 21  # characters of their texts after which a chunk ends earlier
_LOG = logging.getLogger(__name__)


def build_split(
    selection: Selection,
    inspection: Inspection,
    blocks: Blocks,
    *,
    cache: Cache,
    key_parts: Mapping[str, str],
) -> Split:
    """The tokenised split in the cache, made unless it is there.

    The folder is named by what its content depends on: the files' bytes, how they are read, the
    labels, and `key_parts`, which must name all that `blocks` depends on (tokenizer, app, longest
    length). `key_parts["vocabulary"]`, the number of token ids, halves the size where it is below
    65,536. A damaged folder is made anew.

    Raises:
        DataError: the files changed since they were inspected and are no longer sound.
        StoreError: the cache cannot be written.
    """
    source = sources.digest(sources.resolve(selection))
    folder = cache.folder(cache_key(source, selection, inspection, key_parts=key_parts))
    if folder.exists() and not is_whole(folder):
        _LOG.warning("shards are damaged and made anew", extra={"folder": str(folder)})
        discard(folder)
    if not folder.exists():
        vocabulary = int(key_parts.get("vocabulary", 1 << 32))
        with ShardWriter(folder, vocabulary=vocabulary) as writer:
            for block in blocks(_chunks(_validated(selection, inspection))):
                writer.add(block)
            writer.publish()
    shards = Shards.open(folder)
    return Split(
        shards=f"{cache.root.name}/{folder.name}",
        rows=shards.rows,
        tokens=len(shards.tokens),
        sha256=source,
    )


def cache_key(
    source: str, selection: Selection, inspection: Inspection, *, key_parts: Mapping[str, str]
) -> str:
    """64 hex digits of everything that the shards' content depends on."""
    described = asdict(selection)
    described.pop("uris")  # where the bytes are does not matter, what they are is in `source`
    parts = {
        "version": VERSION,
        "source": source,
        "selection": described,
        "problem": inspection.problem,
        "labels": inspection.labels,
        "separator": inspection.wish.separator,
        "roles": [asdict(role) for role in inspection.roles],
        "parts": dict(sorted(key_parts.items())),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _validated(selection: Selection, inspection: Inspection) -> Iterator[Row]:
    """Rows by role, targets as Encode takes them: a label, a tuple of labels, or a number."""
    roles = selection.read(inspection.roles)
    names = [role.name for role in roles if role.kind == "target"]
    for row, _ in reading.taken(selection, roles):
        values = dict(row.values)
        for name in names:
            try:
                values[name] = targets.value_of(
                    values[name], inspection.problem, separator=inspection.wish.separator
                )
            except ValueError as error:
                raise DataError(f"{row.file}:{row.line}: {name}: {error}") from None
        yield Row(values, row.file, row.line)


def _chunks(rows: Iterator[Row]) -> Iterator[Sequence[Row]]:
    chunk: list[Row] = []
    letters = 0
    for row in rows:
        chunk.append(row)
        letters += sum(len(value) for value in row.values.values() if isinstance(value, str))
        if len(chunk) == _CHUNK or letters >= _LETTERS:
            yield chunk
            chunk, letters = [], 0
    if chunk:
        yield chunk
