"""What the four kinds have in common as objects of Kubernetes: names, metadata, columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from . import scalars as s
from .rules import Part, Rule

ApiVersion = Literal["graft.dev/v1alpha1"]
LONGEST_SUFFIX = len("-t9999-9999")  # attempt and index of a pod's host name
NAME_LENGTH = 63 - LONGEST_SUFFIX

SHORT_NAME = Rule(
    f"size(self.metadata.name) <= {NAME_LENGTH}",
    f"metadata.name is longer than {NAME_LENGTH} characters,"
    " the room that the names of its pods leave",
    lambda resource: len(resource.metadata.name) <= NAME_LENGTH,
    at="metadata.name",
)


class ObjectMeta(Part):
    """The part of an object's metadata that is read here; the server checks the rest."""

    model_config = ConfigDict(extra="ignore")

    name: s.Key
    """Name of the object."""
    namespace: Annotated[str, Field(max_length=63)] | None = None
    """Namespace of the object; absent: the one in use."""
    uid: Annotated[str, Field(max_length=64)] | None = None
    """Identity that the server gave to the object."""
    generation: s.Big | None = None
    """Number of the spec, counted by the server."""
    labels: Annotated[dict[str, s.Text], Field(max_length=256)] = Field(default_factory=dict)
    """Labels."""
    annotations: Annotated[dict[str, str], Field(max_length=256)] = Field(default_factory=dict)
    """Annotations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of `kubectl get`; wide ones appear with `-o wide`."""

    name: str
    path: str
    type: Literal["string", "integer", "date"] = "string"
    wide: bool = False


def columns(narrow: str, wide: str) -> tuple[Column, ...]:
    """Columns from lines of `NAME path [type]`."""
    return tuple(
        Column(name=name, path=path, type="date" if kind else "string", wide=is_wide)
        for text, is_wide in ((narrow, False), (wide, True))
        for name, path, *kind in (line.split() for line in text.strip().splitlines())
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Where the scale subresource reads and writes."""

    specified: str
    observed: str
    selector: str


JOB_SCALE = Scale(
    specified=".spec.workers.desired",
    observed=".status.workers.ready",
    selector=".status.selector",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How a kind appears in a cluster."""

    short_name: str
    columns: tuple[Column, ...]
    categories: tuple[str, ...] = ("training", "graft")
    scale: Scale = JOB_SCALE
    selectable: tuple[str, ...] = (".status.phase",)
