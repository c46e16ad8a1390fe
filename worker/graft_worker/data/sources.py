"""Files behind the URIs of a data set: local, packed with the worker, or remote."""

from __future__ import annotations

import difflib
import glob
import gzip
import hashlib
import importlib.resources
import io
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote

from graft_api.errors import DataError
from graft_worker.data import remote
from graft_worker.data.selections import Selection

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BLOCK = 1 << 20
_BUNDLES = (".list_csv",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file: `name` is for messages, `uri` is a local path or a remote URI, `size` in bytes."""

    name: str
    uri: str
    size: int

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The content as a stream of bytes, gzip and zstandard undone; closed at the end.

        Raises:
            DataError: the file cannot be opened.
        """
        with self.open_raw() as stream, _plain(stream) as content:
            yield content

    def open_raw(self) -> BinaryIO:
        """The bytes as they are stored."""
        if remote.is_remote(self.uri):
            return remote.open_file(self.uri)
        try:
            return Path(self.uri).open("rb")
        except OSError as error:
            raise _unreadable(self.name, error) from None


def _plain(stream: BinaryIO) -> AbstractContextManager[BinaryIO]:
    magic = stream.read(4)
    stream.seek(0)
    if magic.startswith(_GZIP):
        return cast("AbstractContextManager[BinaryIO]", gzip.GzipFile(fileobj=stream))
    if magic == _ZSTD:
        import pyarrow as pa

        wrapped = pa.PythonFile(cast("io.IOBase", stream))
        return cast("AbstractContextManager[BinaryIO]", pa.CompressedInputStream(wrapped, "zstd"))
    return nullcontext(stream)


def resolve(selection: Selection) -> tuple[Source, ...]:
    """The files of a data set in the order in which they are read.

    A URI may name a file, a folder (its visible files by name), a glob (by name) or a `.list_csv`
    bundle, a file with one path per line.

    Raises:
        DataError: nothing is found; names what exists nearby.
    """
    return tuple(source for uri in selection.uris for source in _expand(uri))


def digest(sources: Iterable[Source]) -> str:
    """SHA-256 as 64 hex digits of the stored bytes of all files, in order."""
    state = hashlib.sha256()
    for source in sources:
        with source.open_raw() as stream:
            while block := stream.read(_BLOCK):
                state.update(block)
    return state.hexdigest()


def _expand(uri: str) -> Iterator[Source]:
    if remote.is_remote(uri):
        for found, size in remote.expand(uri):
            yield Source(name=found, uri=found, size=size)
        return
    for path in _paths(local_path(uri), uri):
        if path.suffix in _BUNDLES:
            yield from _bundle(path)
        else:
            yield _source(path)


def local_path(uri: str) -> Path:
    """The path of a URI without network: `example://`, `file://` or a path.

    Raises:
        DataError: the scheme is of the cluster, or unknown.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return Path(uri).expanduser()
    if scheme == "file":
        return Path(unquote(rest.removeprefix("localhost")))
    if scheme == "example":
        return _example(rest)
    if scheme in {"pvc", "configmap"}:
        raise DataError(
            f"{uri}: {scheme}:// is mounted by the operator and cannot be read here",
            hint="name a local path, or submit the job to a cluster",
        )
    known = "a path, file://, example://, https://, s3://"
    raise DataError(f"{uri}: unknown scheme {scheme!r}", hint=f"give {known}")


def _example(rest: str) -> Path:
    root = Path(str(importlib.resources.files("graft_worker"))) / "example_data"
    path = root / rest
    if not path.resolve().is_relative_to(root.resolve()):
        raise DataError(f"example://{rest}: leads out of the examples")
    return path


def _paths(path: Path, uri: str) -> list[Path]:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return _globbed(path, uri)
    except OSError as error:
        raise _unreadable(uri, error) from None
    if not stat.S_ISDIR(mode):
        return [path]
    try:
        found = sorted(p for p in path.iterdir() if p.name[0] not in "._" and p.is_file())
    except OSError as error:
        raise _unreadable(uri, error) from None
    if not found:
        raise DataError(f"{uri}: the folder holds no file", hint="name a file or another folder")
    return found


def _globbed(path: Path, uri: str) -> list[Path]:
    if glob.has_magic(str(path)):
        found = sorted(p for p in map(Path, glob.glob(str(path), recursive=True)) if p.is_file())
        if found:
            return found
        raise DataError(f"{uri}: no file matches", hint=_nearby(path))
    raise DataError(f"{uri}: no such file", hint=_nearby(path))


def _nearby(path: Path) -> str:
    folder = path.parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except OSError:
        return f"{folder} cannot be listed"
    missing = path.relative_to(folder).parts[0] if path != folder else path.name
    close = difflib.get_close_matches(missing, names, n=3, cutoff=0.5)
    if close:
        return f"did you mean {', '.join(close)} in {folder.absolute()}?"
    listed = ", ".join(names[:8]) or "nothing"
    return f"{folder.absolute()} holds {listed}" + (" and more" if len(names) > 8 else "")


def _bundle(path: Path) -> Iterator[Source]:
    for number, line in enumerate(_text_of(path).splitlines(), 1):
        member = line.strip()
        if not member:
            continue
        if member.endswith(_BUNDLES):
            raise DataError(f"{path}:{number}: a bundle names files, not another bundle")
        try:
            yield from _expand(member if "://" in member else str(path.parent / member))
        except DataError as error:
            raise DataError(f"{path}:{number}: {error.message}", hint=error.hint) from None


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _unreadable(str(path), error) from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: a bundle is a UTF-8 text with one path per line") from None


def _source(path: Path) -> Source:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{path}: is no regular file", hint="give a file, a folder or a glob")
    return Source(name=str(path), uri=str(path), size=status.st_size)


def _unreadable(name: str, error: OSError) -> DataError:
    return DataError(
        f"{name}: cannot be read: {error.strerror or error}",
        hint="check the path and its permissions",
    )
