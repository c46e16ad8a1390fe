"""A namespace of a real cluster, with a release of the chart in it."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from tests.charts.binaries import run
from tests.charts.rendering import CHART, Object

SECONDS = 60.0
T = TypeVar("T")
NOWHERE = {"graft.dev/test": "no-such-node"}  # pods are made, but nothing is pulled or run


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The namespace; the release is named after it, so that no two tests share a name."""

    kubeconfig: Path
    name: str

    @classmethod
    def make(cls, kubeconfig: Path) -> Space:
        space = cls(kubeconfig=kubeconfig, name=f"chart-{secrets.token_hex(4)}")
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        space.create(_object("v1", "Namespace", {"name": space.name, "labels": labels}))
        return space

    def remove(self) -> None:
        """The release goes, and the namespace in its own time; definitions stay."""
        self.helm("uninstall", "--ignore-not-found")
        self.kubectl("delete", "namespace", self.name, "--wait=false")

    @property
    def account(self) -> str:
        """User name of the operator's service account."""
        return f"system:serviceaccount:{self.name}:{self.name}-graft"

    def install(self, values: Object, *, chart: Path = CHART) -> None:
        """The release as these values say, new or upgraded."""
        given = [f"--set-json={name}={json.dumps(value)}" for name, value in values.items()]
        # Definitions that somebody has applied before are taken over.
        theirs = ("--take-ownership", "--force-conflicts")
        self.helm("upgrade", str(chart), "--install", *theirs, *given)

    def helm(self, verb: str, *arguments: str) -> str:
        """What helm printed of the release."""
        return self._run("helm", verb, self.name, *arguments, f"-n{self.name}")

    def says(self, *question: str) -> str:
        """The answer of a question that may be no."""
        config = str(self.kubeconfig)
        return run("kubectl", f"-n{self.name}", *question, KUBECONFIG=config).stdout.strip()

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """What kubectl printed."""
        return self._run("kubectl", f"-n{self.name}", *arguments, stdin=stdin)

    def create(self, *objects: Object) -> list[Any]:
        """The objects as the server made them."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        made = self.kubectl("create", "-f-", "-oyaml", stdin=text)
        return [each for one in yaml.safe_load_all(made) for each in one.get("items", [one])]

    def get(self, *what: str) -> Any:
        """An object, or a list of objects."""
        found = json.loads(self.kubectl("get", *what, "-ojson"))
        return found["items"] if found["kind"] == "List" else found

    def allowed(self, rights: Iterable[tuple[str, str, str, str]]) -> list[bool]:
        """Whether the operator may do each of (verb, group, resource, namespace or "")."""
        asked = [self._review(*right) for right in rights]
        return [each["status"]["allowed"] for each in self.create(*asked)]

    def _review(self, verb: str, group: str, resource: str, namespace: str) -> Object:
        resource, _, part = resource.partition("/")
        asked = {
            "verb": verb,
            "group": group,
            "resource": resource,
            "subresource": part,
            "namespace": namespace,
            "name": "graft-operator" if resource == "leases" and verb != "create" else "",
        }
        body = _object("authorization.k8s.io/v1", "SubjectAccessReview", {})
        return body | {"spec": {"user": self.account, "resourceAttributes": asked}}

    def _run(self, name: str, *arguments: str, stdin: str = "") -> str:
        result = run(name, *arguments, stdin=stdin, KUBECONFIG=str(self.kubeconfig))
        assert result.returncode == 0, result.stderr
        return result.stdout


def until(look: Callable[[], T]) -> T:
    """What `look` sees as soon as it is not empty."""
    deadline = time.monotonic() + SECONDS
    while not (seen := look()):
        assert time.monotonic() < deadline, f"nothing after {SECONDS:g} s"
        time.sleep(0.2)
    return seen


def _object(version: str, kind: str, metadata: Object) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": metadata}
