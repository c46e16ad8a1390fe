"""Writes shards beside their final place and renames them there when they are whole."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from graft_api.errors import StoreError
from graft_worker.data.blocks import Block
from graft_worker.data.shards import META, VERSION

MANIFEST = "MANIFEST.json"
_BLOCK = 1 << 20
_REMEDY = {
    errno.ENOSPC: "free space there, or choose another store with --store",
    errno.EDQUOT: "the quota is used up: free space, or choose another store with --store",
    errno.EROFS: "the file system is read-only: choose another store with --store",
    errno.EACCES: "give this user the right to write there, or choose another store with --store",
}


class _Column:
    """One file that grows, with its hash."""

    __slots__ = ("_file", "_hash", "_rows", "_size", "dtype", "path", "shape")

    def __init__(self, path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        self.path, self.dtype, self.shape = path, dtype, shape
        self._file: BinaryIO = path.open("wb", buffering=0)
        self._hash, self._rows, self._size = hashlib.sha256(), 0, 0

    def append(self, values: NDArray[Any]) -> None:
        if values.shape[1:] != self.shape:
            raise ValueError(f"{self.path.name}: rows of {values.shape[1:]}, before {self.shape}")
        flat: NDArray[Any] = np.ascontiguousarray(values, self.dtype).reshape(-1)
        data = flat.view(np.uint8).data
        self._hash.update(data)
        self._rows += len(values)
        self._size += len(data)
        while data:
            data = data[self._file.write(data) :]

    def finish(self) -> dict[str, Any]:
        os.fsync(self._file.fileno())
        self._file.close()
        return {"size": self._size, "sha256": self._hash.hexdigest()}

    def meta(self) -> dict[str, Any]:
        return {"dtype": self.dtype.str, "shape": [self._rows, *self.shape]}

    def close(self) -> None:
        self._file.close()


class ShardWriter:
    """Takes Blocks and publishes them as one folder; what it has not published, it removes.

    Two writers of one folder both succeed: the second finds the first's result and keeps that.
    """

    def __init__(self, folder: Path, *, vocabulary: int) -> None:
        self._final = folder
        self._partial = folder.with_name(f".{folder.name}.{os.getpid()}-{secrets.token_hex(4)}")
        self._ids = np.dtype(np.uint16 if vocabulary < 1 << 16 else np.uint32)
        self._columns: dict[str, _Column] = {}
        self.rows = 0
        self.tokens = 0

    def __enter__(self) -> Self:
        with told(self._final, self._bytes):
            self._partial.mkdir(parents=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for column in self._columns.values():
            column.close()
        shutil.rmtree(self._partial, ignore_errors=True)

    def add(self, block: Block) -> None:
        """Appends N examples; the columns of every block are those of the first.

        Raises:
            StoreError: the disk is full or cannot be written.
            ValueError: the block's arrays do not belong together.
        """
        lengths = np.asarray(block.lengths, np.int64)
        _check(block, lengths, self._ids)
        ends = self.tokens + np.cumsum(lengths)
        with told(self._final, self._bytes):
            if not self.rows:
                self._append("offsets", np.zeros(1, np.int64))
            self._append("tokens", block.tokens.astype(self._ids))
            self._append("offsets", ends)
            self._append("lengths", lengths.astype(np.int32))
            for name, values in block.per_token.items():
                self._append(f"token.{name}", values)
            for name, values in block.per_example.items():
                self._append(f"example.{name}", values)
        self.rows += len(lengths)
        self.tokens += int(lengths.sum())

    def publish(self) -> None:
        """Gives the folder its final name, whole and durable; nothing can be added after.

        Raises:
            StoreError: the disk is full or cannot be written.
        """
        with told(self._final, self._bytes):
            entries = {column.path.name: column.finish() for column in self._columns.values()}
            columns = {name: column.meta() for name, column in self._columns.items()}
            meta = {
                "version": VERSION,
                "rows": self.rows,
                "tokens": self.tokens,
                "columns": columns,
            }
            entries[META] = _write_json(self._partial / META, meta)
            _write_json(self._partial / MANIFEST, {"files": entries})
            _sync_folder(self._partial)
            _rename(self._partial, self._final)
            _sync_folder(self._final.parent)

    def _append(self, name: str, values: NDArray[Any]) -> None:
        if name not in self._columns:
            path = self._partial / f"{name}.bin"
            self._columns[name] = _Column(path, values.dtype, values.shape[1:])
        self._columns[name].append(values)

    def _bytes(self) -> int:
        return sum(column._size for column in self._columns.values())


def _check(block: Block, lengths: NDArray[np.int64], ids: np.dtype[Any]) -> None:
    total = int(lengths.sum())
    wrong = [n for n, v in block.per_token.items() if len(v) != total]
    wrong += [n for n, v in block.per_example.items() if len(v) != len(lengths)]
    if len(block.tokens) != total or wrong:
        raise ValueError(f"a block of {len(lengths)} examples, {total} tokens has other {wrong}")
    if total and (block.tokens.max() > np.iinfo(ids).max or block.tokens.min() < 0):
        raise ValueError(f"token ids from {block.tokens.min()} to {block.tokens.max()} in {ids}")


def is_whole(folder: Path) -> bool:
    """Whether a folder has all the files of its manifest with their sizes and hashes."""
    try:
        files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        sizes = all((folder / n).stat().st_size == e["size"] for n, e in files.items())
        return sizes and all(_sha256(folder / n) == e["sha256"] for n, e in files.items())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def discard(folder: Path) -> None:
    """Removes a damaged folder; it loses its name first, so that nobody opens half of it.

    Raises:
        StoreError: it cannot be moved away.
    """
    aside = folder.with_name(f".{folder.name}.damaged-{secrets.token_hex(4)}")
    with told(folder, lambda: 0):
        try:
            folder.rename(aside)
        except FileNotFoundError:
            return
    shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def told(folder: Path, written: Any) -> Iterator[None]:
    """Turns errors of the file system into StoreErrors that name the folder and the remedy."""
    try:
        yield
    except OSError as error:
        size = f" after {written():,} bytes" if written() else ""
        raise StoreError(
            f"{folder.parent}: cannot write shards{size}: {error.strerror or error}",
            hint=_REMEDY.get(error.errno or 0, "check the store's disk"),
        ) from None


def _rename(partial: Path, final: Path) -> None:
    try:
        partial.rename(final)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST} or not is_whole(final):
            raise


def _write_json(path: Path, value: Any) -> dict[str, Any]:
    data = json.dumps(value, indent=1).encode()
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(path: Path) -> str:
    state = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            state.update(block)
    return state.hexdigest()
