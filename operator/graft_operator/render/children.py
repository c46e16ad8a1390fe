"""What the children of a ServeDeployment are made from, are called, and carry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from graft_api.plan import Stage
from graft_api.vocabulary import Annotation, Label, Role, Variant
from graft_operator.observed import Subject
from graft_operator.policies.offered import Scaler
from graft_operator.render.attempt import job_labels, owned, selector
from graft_operator.settings import Settings

Object = dict[str, Any]

CANARY = "Canary"  # what the second Deployment is called among the children
CANARY_SERVICE = "CanaryService"  # and its own address
ROUTE = "HTTPRoute"
SCALED = "ScaledObject"
AUTOSCALER = "HorizontalPodAutoscaler"
KINDS = (
    "NetworkPolicy",
    "Service",
    "PodDisruptionBudget",
    "Deployment",
    AUTOSCALER,
)
TWINS: Mapping[str, str] = MappingProxyType({CANARY: "Deployment", CANARY_SERVICE: "Service"})
PORT = 80  # of the Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Everything that the children depend on."""

    subject: Subject
    stage: Stage
    settings: Settings
    variant: Variant = Variant.STABLE
    scaler: Scaler = "none"
    tried: bool = False  # a canary takes a part of the traffic
    weight: int | None = None  # the percentage that a route gives the canary; None: no route


def name_of(subject: Subject, key: str = "") -> str:
    """The name of the child that is called so among the children: no job's child has it."""
    return f"{subject.name}-{'canary' if key in TWINS else 'serve'}"


def key(body: Object) -> str:
    """What the child is called among the children: its kind, or which part of the canary it is."""
    kind = str(body["kind"])
    if body["metadata"]["labels"].get(Label.VARIANT) != Variant.CANARY:
        return kind
    return next(name for name, twin in TWINS.items() if twin == kind)


def kind_of(key: str) -> str:
    """The kind of the child that is called so."""
    return TWINS.get(key, key)


def stamp(body: Object) -> str:
    """The digest that the child carries."""
    return str(body["metadata"]["annotations"][Annotation.OBJECT])


def stamped(body: Object) -> Object:
    """The child as plain data, with the digest of what it is."""
    made: Object = json.loads(json.dumps(body))
    digest = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()
    made["metadata"]["annotations"] = {str(Annotation.OBJECT): f"sha256:{digest}"}
    return made


def child(
    serving: Serving, api_version: str, kind: str, spec: Object, *, of: Variant = Variant.STABLE
) -> Object:
    """A child of that kind; of the canary it has the canary's name and label."""
    subject, labels = serving.subject, job_labels(serving.subject)
    tried = of == Variant.CANARY
    if tried:
        labels |= {Label.VARIANT: str(of)}
    metadata = owned(subject, name_of(subject, CANARY if tried else ""), labels)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def chosen(subject: Subject) -> Object:
    """Labels of every pod that answers, whatever its model."""
    return selector(subject) | {Label.ROLE: str(Role.SERVER)}
