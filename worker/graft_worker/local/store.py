"""The store as a folder of this machine: is it fit, and whose is a job's folder in it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft_api.errors import StoreError
from graft_api.vocabulary import StoreFile

LEAST_FREE = 64 * 2**20  # bytes: shards, two checkpoints and an artefact of a tiny model

# What api.md lets a person change in a job that exists, and what never says what the job does.
MUTABLE = (
    "metadata",
    "status",
    "spec.workers.desired",
    "spec.workers.min",
    "spec.workers.max",
    "spec.run.suspend",
    "spec.run.deadlines",
    "spec.run.ttlAfterFinished",
    "spec.checkpoint.every",
    "spec.checkpoint.keep",
)

# Left by an attempt that saved nothing; of no use to a job with other settings.
TRACES = (StoreFile.PREPARED, StoreFile.PROGRESS, StoreFile.METRICS, StoreFile.TERMINATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field of a job's folder that the job file now says otherwise, as JSON."""

    field: str
    stored: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.field}: stored {self.stored}, now {self.wanted}"


def uid(kind: str, name: str) -> str:
    """Eight hexadecimal digits that tell jobs of different kinds and long names apart."""
    return hashlib.sha256(f"{kind}/{name}".encode()).hexdigest()[:8]


def job_folder(store: Path, *, kind: str, name: str) -> Path:
    """Where a job keeps its files: `<store>/jobs/<kind>/<name>-<uid8>`; nothing is created."""
    return store / "jobs" / kind.lower() / f"{name}-{uid(kind, name)}"


def preflight(store: Path, *, least_free: int = LEAST_FREE) -> None:
    """The store exists afterwards, can be written and has room.

    Raises:
        StoreError: names the folder and what to change.
    """
    if store.exists() and not store.is_dir():
        raise StoreError(f"store {store}: not a folder", hint="name a folder with --store")
    try:
        store.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=store, prefix=".probe-"):
            free = shutil.disk_usage(store).free
    except OSError as error:
        raise StoreError(
            f"store {store}: cannot be written: {error.strerror}",
            hint="name a folder that you may write to with --store",
        ) from None
    if free < least_free:
        raise StoreError(
            f"store {store}: {free // 2**20} MiB free, {least_free // 2**20} MiB needed",
            hint="free some space or name a folder on another disk with --store",
        )


def claim(folder: Path, *, job: str) -> None:
    """The folder belongs to this job afterwards: `job.json` in it holds `job`, canonical JSON.

    A folder without a checkpoint or a result keeps nothing of value: the job may be corrected.

    Raises:
        StoreError: the folder was made by a job whose immutable fields say something else.
    """
    path = folder / StoreFile.JOB
    if path.exists() and (found := differences(_stored(path), json.loads(job))):
        if _precious(folder):
            raise _refusal(folder, found)
        for name in TRACES:
            (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    write(path, job)


def differences(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[Difference, ...]:
    """The immutable fields whose values differ, by dotted name; an absent field is `absent`."""
    old, new = dict(_leaves(stored)), dict(_leaves(wanted))
    names = sorted(name for name in old.keys() | new.keys() if not _mutable(name))
    pairs = ((name, old.get(name, "absent"), new.get(name, "absent")) for name in names)
    return tuple(Difference(field=n, stored=o, wanted=w) for n, o, w in pairs if o != w)


def write(path: Path, text: str) -> None:
    """The file holds `text` afterwards, as a whole or not at all."""
    beside = path.with_name(f".{path.name}.partial")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise unwritable(path, error) from None


def unwritable(path: Path, error: OSError) -> StoreError:
    """The error of a file in the store that cannot be written."""
    return StoreError(
        f"{path}: cannot be written: {error.strerror}",
        hint="free some space, or make the folder writable, and run the same command again",
    )


def _precious(folder: Path) -> bool:
    checkpoints = folder / StoreFile.CHECKPOINTS
    return (folder / StoreFile.RESULT).exists() or any(checkpoints.glob("[!.]*"))


def _refusal(folder: Path, found: tuple[Difference, ...]) -> StoreError:
    shown = "\n".join(f"  {difference}" for difference in found)
    return StoreError(
        f"{folder}: made by a job of the same name with other settings\n{shown}",
        hint="give the new job another metadata.name, or run it with another --store",
    )


def _stored(path: Path) -> dict[str, Any]:
    try:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{path}: cannot be read: {error}",
            hint="run with another --store, or remove the job's folder to start anew",
        ) from None
    return stored


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, json.dumps(value, ensure_ascii=False, sort_keys=True)


def _mutable(name: str) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in MUTABLE)
