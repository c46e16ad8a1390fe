"""Definitions of other projects in the test cluster: their types without their controllers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.cluster.api import Api, Object, RefusedError
from tests.cluster.processes import output
from tests.cluster.versions import Definition
from tests.cluster.wait import until

CRDS = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")


@contextmanager
def known(api: Api, definitions: Iterable[Definition]) -> Iterator[None]:
    """The server knows them inside; they and all their objects are gone afterwards."""
    bodies = [_read(each) for each in definitions]
    api.apply(bodies)
    try:
        for body in bodies:
            until(lambda body=body: _served(api, body), f"{body['metadata']['name']} to be served")
        yield
    finally:
        for body in bodies:
            api.delete(*CRDS, body["metadata"]["name"])
        for body in bodies:
            name = body["metadata"]["name"]
            until(lambda name=name: api.find(*CRDS, name) is None, f"the end of {name}")


def _read(definition: Definition) -> Object:
    """The definition as its module has it; Go fetches and checks the module once."""
    told = output(["go", "mod", "download", "-json", definition.module])
    text = (Path(json.loads(told)["Dir"]) / definition.path).read_text()
    body: Object = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return body


def _served(api: Api, body: Object) -> bool:
    """Whether the server tells clients of it."""
    spec = body["spec"]
    versions = [each["name"] for each in spec["versions"] if each["served"]]
    try:
        told = api.request("GET", f"/apis/{spec['group']}/{versions[0]}")
    except RefusedError:
        return False
    return spec["names"]["plural"] in [each["name"] for each in told["resources"]]
