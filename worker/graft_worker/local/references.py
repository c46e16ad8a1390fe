"""What the jobs that a job reads have made, in a store of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graft_api.faults import DecodeError, Fault
from graft_api.references import Reference, references

from . import status, store


def artefacts(manifest: Mapping[str, Any], *, root: Path) -> dict[Reference, str]:
    """The folder of each artefact that the manifest asks for by the name of a job.

    Raises:
        DecodeError: such jobs have not run to their end in this store.
    """
    found = {reference: _artefact(reference, root) for reference in references(manifest)}
    if missing := [reference for reference, uri in found.items() if not uri]:
        raise DecodeError(_fault(reference, root) for reference in missing)
    return found


def _artefact(reference: Reference, root: Path) -> str:
    """Empty where there is none."""
    folder = store.job_folder(root, kind=reference.kind, name=reference.name)
    found = status.kept(folder) or {}
    return str((found.get("artefact") or {}).get("uri") or "")


def _fault(reference: Reference, root: Path) -> Fault:
    text = (
        f"{reference} has not run to its end in {root}; run its file first, with the same --store"
    )
    return Fault(path=reference.path, line=0, message=text)
