"""CustomResourceDefinitions from the models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .kinds import model_of
from .resource import Column, Shown
from .structural import Schema, structural
from .vocabulary import GROUP, VERSION

if TYPE_CHECKING:
    from .kinds import Job


def definition(kind: str) -> Schema:
    """The CustomResourceDefinition of the kind, as plain data."""
    model = model_of(kind)
    shown = model.shown
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural(kind)}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": _names(kind, shown),
            "versions": [_version(model, shown)],
        },
    }


def plural(kind: str) -> str:
    """The kind's name in URLs."""
    return f"{kind.lower()}s"


def _names(kind: str, shown: Shown) -> Schema:
    return {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": plural(kind),
        "singular": kind.lower(),
        "shortNames": [shown.short_name],
        "categories": list(shown.categories),
    }


def _version(model: type[Job], shown: Shown) -> Schema:
    scale = {
        "specReplicasPath": shown.scale.specified,
        "statusReplicasPath": shown.scale.observed,
        "labelSelectorPath": shown.scale.selector,
    }
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _root(model)},
        "subresources": {"status": {}, "scale": scale},
        "additionalPrinterColumns": [_column(column) for column in shown.columns],
        "selectableFields": [{"jsonPath": path} for path in shown.selectable],
    }


def _root(model: type[Job]) -> Schema:
    """The object as a whole; the server keeps apiVersion, kind and metadata itself."""
    root = structural(model)
    version = f"Group and version; {GROUP}/{VERSION}."
    root["properties"]["apiVersion"] = {"type": "string", "description": version}
    root["properties"]["kind"] = {"type": "string", "description": f"Kind; {model.__name__}."}
    root["properties"]["metadata"] = {"type": "object"}  # the server takes no other word here
    root["required"] = ["spec"]
    return root


def _column(column: Column) -> dict[str, Any]:
    wide = {"priority": 1} if column.wide else {}
    return {"name": column.name, "type": column.type, "jsonPath": column.path} | wide
