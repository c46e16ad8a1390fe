"""The jobs that a job reads: how far each is, and whether one waits for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graft_api.references import Reference, references
from graft_operator.observed import Referred, Subject

Key = tuple[str, str, str]
Lookup = Callable[[Key], Subject | None]
PINNED = "references"  # key of status


def referred(subject: Subject, lookup: Lookup) -> tuple[Referred, ...]:
    """Each job that the subject reads: as it was pinned in the status, else as it is now."""
    pins = {(pin["kind"], pin["name"]): pin for pin in subject.status.get(PINNED) or ()}
    return tuple(
        _referred(reference, pins.get((reference.kind, reference.name)), subject, lookup)
        for reference in references(subject.manifest())
    )


def looked_up(subject: Subject, lookup: Lookup) -> tuple[Referred, ...]:
    """Each job that the subject reads, as it is now, whatever was pinned."""
    return tuple(
        _referred(reference, None, subject, lookup) for reference in references(subject.manifest())
    )


def keys(subject: Subject) -> tuple[Key, ...]:
    """The jobs that the subject reads, as the queue names them."""
    return tuple((r.kind, subject.namespace, r.name) for r in references(subject.manifest()))


def circle(subject: Subject, lookup: Lookup) -> tuple[Key, ...]:
    """The way from the subject through the jobs that it reads back to itself; mostly empty."""
    ways: list[tuple[Key, ...]] = [(key,) for key in keys(subject)]
    seen: set[Key] = set()
    while ways:
        way = ways.pop()
        if way[-1] == subject.key:
            return (subject.key, *way)
        found = None if way[-1] in seen else lookup(way[-1])
        seen.add(way[-1])
        if found is not None:
            ways += [(*way, key) for key in keys(found)]
    return ()


def pins(found: tuple[Referred, ...]) -> list[dict[str, Any]]:
    """What the status keeps, so that a later attempt reads the same artefacts."""
    known = {
        (r.reference.kind, r.reference.name): {
            "kind": r.reference.kind,
            "name": r.reference.name,
            "digest": r.digest,
            "uri": r.uri,
        }
        for r in found
    }
    return list(known.values())


def _referred(
    reference: Reference, pin: dict[str, Any] | None, subject: Subject, lookup: Lookup
) -> Referred:
    if pin is not None:
        return Referred(
            reference=reference, phase="Complete", uri=pin["uri"], digest=pin["digest"], pinned=True
        )
    found = lookup((reference.kind, subject.namespace, reference.name))
    if found is None or found.deleting:
        return Referred(reference=reference)
    phase = str(found.status.get("phase") or "Pending")
    made = (found.status.get("artefact") or {}) if phase == "Complete" else {}
    return Referred(
        reference=reference,
        phase=phase,
        uri=str(made.get("uri") or ""),
        digest=str(made.get("digest") or ""),
    )
