"""The artefact in the folder that the job names in output.uri."""

from __future__ import annotations

import shutil
from pathlib import Path

from graft_api.errors import StoreError


def deliver(artefact: Path, uri: str) -> Path:
    """A copy of the artefact at a local folder, made beside and then renamed.

    A folder that stands there already must hold the same artefact.

    Raises:
        StoreError: the folder holds something else, or cannot be written.
    """
    target = Path(uri.removeprefix("file://"))
    manifest = artefact / "MANIFEST.json"
    if target.exists() and any(target.iterdir()):
        other = target / manifest.name
        if other.is_file() and other.read_bytes() == manifest.read_bytes():
            return target
        raise StoreError(
            f"spec.output.uri: {target} holds something else",
            hint=f"name an empty folder; the artefact itself is safe in {artefact}",
        )
    _copy(artefact, target)
    return target


def _copy(artefact: Path, target: Path) -> None:
    beside = target.with_name(f".{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(beside, ignore_errors=True)
        shutil.copytree(artefact, beside)
        if target.exists():
            target.rmdir()
        beside.rename(target)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise StoreError(
            f"spec.output.uri: {target} cannot be written: {error.strerror}",
            hint=f"make room or name another folder; the artefact itself is safe in {artefact}",
        ) from None
