"""MANIFEST.json: the size and SHA-256 of every other file of an artefact; written last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from graft_api.errors import StoreError

NAME = "MANIFEST.json"
_VERSION = 1
_AGAIN = "copy the artefact again from where it was published, or run its job again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file: its size in bytes and the SHA-256 of its content, in hex."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Every file of an artefact by its path in the folder, MANIFEST.json itself left out."""

    files: Mapping[str, Entry]

    def text(self) -> str:
        """The canonical form: equal contents, equal text."""
        files = {name: _as_json(self.files[name]) for name in sorted(self.files)}
        return json.dumps({"version": _VERSION, "files": files}, indent=1, ensure_ascii=True) + "\n"

    def digest(self) -> str:
        """The artefact's identity: `sha256:` and the hash of the canonical form."""
        return f"sha256:{hashlib.sha256(self.text().encode()).hexdigest()}"

    def bytes(self) -> int:
        """The size of all files, the manifest's own included."""
        return sum(entry.bytes for entry in self.files.values()) + len(self.text())


def describe(folder: Path) -> Manifest:
    """The manifest of what is in a folder now. Raises OSError where a file cannot be read."""
    files = {
        path.relative_to(folder).as_posix(): Entry(
            bytes=path.stat().st_size, sha256=file_sha256(path)
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / NAME
    }
    return Manifest(files=MappingProxyType(files))


def read(folder: Path) -> Manifest:
    """The manifest that stands in a folder.

    Raises:
        StoreError: there is none, or it cannot be understood.
    """
    path = folder / NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        files = {_inside(name): Entry(**entry) for name, entry in data["files"].items()}
    except FileNotFoundError:
        raise StoreError(f"{folder}: not an artefact: it has no {NAME}", hint=_AGAIN) from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StoreError(f"{path}: damaged: not the manifest of an artefact", hint=_AGAIN) from None
    return Manifest(files=MappingProxyType(files))


def verify(folder: Path) -> Manifest:
    """The manifest of a folder of which every file is as it was published.

    A folder named by its digest must have that digest. Files that the manifest does not name
    are nobody's business.

    Raises:
        StoreError: the first file that is missing or damaged, by name.
    """
    manifest = read(folder)
    for name, entry in manifest.files.items():
        _check(folder / name, entry)
    named, digest = folder.resolve().name, manifest.digest().replace(":", "-")
    if named.startswith("sha256-") and named != digest:
        raise StoreError(
            f"{folder / NAME}: damaged: the folder is named by another digest than {digest}",
            hint=_AGAIN,
        )
    return manifest


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _as_json(entry: Entry) -> dict[str, Any]:
    return {"bytes": entry.bytes, "sha256": entry.sha256}


def _inside(name: str) -> str:
    """The name, unless it leads out of the folder: an artefact may come from anywhere."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(name)
    return name


def _check(path: Path, entry: Entry) -> None:
    try:
        size = path.stat().st_size
        if size != entry.bytes:
            raise StoreError(
                f"{path}: damaged: {size} bytes, {NAME} says {entry.bytes}", hint=_AGAIN
            )
        found = file_sha256(path)
    except FileNotFoundError:
        raise StoreError(f"{path}: missing, though {NAME} names it", hint=_AGAIN) from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from None
    if found != entry.sha256:
        raise StoreError(
            f"{path}: damaged: sha256 {found[:12]}..., {NAME} says {entry.sha256[:12]}...",
            hint=_AGAIN,
        )
