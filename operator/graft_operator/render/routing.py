"""How requests reach the pods of a ServeDeployment: Services, and a route that splits them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graft_api.vocabulary import Label, Variant
from graft_operator.render.children import CANARY, PORT, ROUTE, Serving, child, chosen, name_of

Object = dict[str, Any]


def service(serving: Serving) -> tuple[Object, ...]:
    """The address in the cluster: of all pods, or of the stable ones where a route makes shares."""
    if serving.weight is None:
        return (child(serving, "v1", "Service", _at(chosen(serving.subject))),)
    return tuple(_of_variant(serving, each) for each in (Variant.STABLE, Variant.CANARY))


def route(serving: Serving) -> tuple[Object, ...]:
    """The requests of a Gateway, split by weights; both Services are named at all times."""
    if serving.weight is None:
        return ()
    asked = serving.subject.spec["gateway"]
    spec = {
        "parentRefs": [_parent(asked)],
        "hostnames": list(asked.get("hostnames") or ()),
        "rules": [_rule(serving, asked.get("path", "/"), serving.weight)],
    }
    return (child(serving, "gateway.networking.k8s.io/v1", ROUTE, spec),)


def share(spec: Mapping[str, Any]) -> int:
    """The percentage that the spec of a route gives the canary; of one that others bent, 0."""
    try:
        return int(spec["rules"][0]["backendRefs"][1]["weight"])
    except (LookupError, TypeError):
        return 0


def patched(body: Object) -> Object:
    """The merge patch that makes a child what it is to be: a label that it loses is null there."""
    if body["kind"] != "Service" or Label.VARIANT in body["spec"]["selector"]:
        return body
    chosen = body["spec"]["selector"] | {str(Label.VARIANT): None}
    return body | {"spec": body["spec"] | {"selector": chosen}}


def _of_variant(serving: Serving, variant: Variant) -> Object:
    labels = chosen(serving.subject) | {str(Label.VARIANT): str(variant)}
    return child(serving, "v1", "Service", _at(labels), of=variant)


def _at(labels: Object) -> Object:
    ports = [{"name": "http", "port": PORT, "targetPort": "http"}]
    return {"ports": ports, "selector": labels}


def _parent(asked: Mapping[str, Any]) -> Object:
    named = {"group": "gateway.networking.k8s.io", "kind": "Gateway"}
    return named | {key: asked[key] for key in ("name", "namespace", "sectionName") if key in asked}


def _rule(serving: Serving, path: str, weight: int) -> Object:
    names = (name_of(serving.subject), name_of(serving.subject, CANARY))
    rule: Object = {
        "matches": [{"path": {"type": "PathPrefix", "value": path}}],
        "backendRefs": [
            {"group": "", "kind": "Service", "name": name, "port": PORT, "weight": part}
            for name, part in zip(names, (100 - weight, weight), strict=True)
        ],
    }
    if path != "/":
        cut = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}
        rule["filters"] = [{"type": "URLRewrite", "urlRewrite": {"path": cut}}]
    return rule
