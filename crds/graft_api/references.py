"""The jobs that a job reads, and the job with their artefacts in their place."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PARTS = ("model", "teacher", "student")
"""Blocks of spec whose `from` may name a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A job that another names as the origin of a model; both are in one namespace."""

    path: str  # field that names it, such as spec.model.from.job
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def references(manifest: Mapping[str, Any]) -> tuple[Reference, ...]:
    """Every job that the manifest names, by the order of its fields; it need not be valid."""
    return tuple(
        Reference(path=f"spec.{part}.from.job", kind=str(job["kind"]), name=str(job["name"]))
        for part, origin in _origins(manifest)
        if (job := _mapping(origin.get("job"))) and {"kind", "name"} <= job.keys()
    )


def replaced(manifest: Mapping[str, Any], uris: Mapping[Reference, str]) -> dict[str, Any]:
    """The manifest with a URI instead of each job whose artefact is known."""
    new = copy.deepcopy(dict(manifest))
    for part, origin in _origins(new):
        for reference, uri in uris.items():
            if reference.path == f"spec.{part}.from.job":
                del origin["job"]
                origin["uri"] = uri
    return new


def _origins(manifest: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    spec = _mapping(manifest.get("spec"))
    for part in PARTS:
        origin = _mapping(_mapping(spec.get(part)).get("from"))
        if origin:
            yield part, origin


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
