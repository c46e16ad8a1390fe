"""The API server as tests ask it: plain dicts in, plain dicts out, one connection."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.cluster.wait import SOON, until

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Object = dict[str, Any]

MANAGER = "graft-tests"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


class RefusedError(RuntimeError):
    """The server's answer where it was no."""

    def __init__(self, *, status: int, told: str) -> None:
        super().__init__(f"{status}: {told}")
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Requests by kind and name; raises RefusedError with the server's words."""

    client: ApiClient
    _plurals: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)

    @classmethod
    def connect(cls, kubeconfig: Path) -> Api:
        """A connection as the kubeconfig's current user."""
        from kubernetes.config import new_client_from_config  # half a second, for few tests

        client: ApiClient = new_client_from_config(str(kubeconfig))
        client.user_agent = MANAGER
        return cls(client=client)

    def close(self) -> None:
        """Ends the connection."""
        self.client.close()

    def apply(self, manifest: str | Object | Iterable[Object], namespace: str = "") -> list[Object]:
        """The objects as the server has them after a server-side apply."""
        return [self._apply(one, namespace) for one in documents(manifest)]

    def create(
        self, manifest: str | Object | Iterable[Object], namespace: str = ""
    ) -> list[Object]:
        """The objects as the server made them."""
        made = []
        for one in documents(manifest):
            path = self.path(one["apiVersion"], one["kind"], namespace=_space(one, namespace))
            made.append(self.request("POST", path, body=one))
        return made

    def get(self, version: str, kind: str, name: str, namespace: str = "") -> Object:
        """One object."""
        return self.request("GET", self.path(version, kind, name=name, namespace=namespace))

    def find(self, version: str, kind: str, name: str, namespace: str = "") -> Object | None:
        """One object, or nothing where there is none."""
        try:
            return self.get(version, kind, name, namespace)
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def list(
        self, version: str, kind: str, namespace: str = "", *, labels: str = ""
    ) -> list[Object]:
        """All objects of a kind, in one namespace or in all."""
        query = {"labelSelector": labels} if labels else {}
        path = self.path(version, kind, namespace=namespace)
        items: list[Object] = self.request("GET", path, query=query)["items"]
        return items

    def patch(self, version: str, kind: str, name: str, body: Object, **where: str) -> Object:
        """One object after a merge patch; `namespace` and `part`, such as status, say where."""
        path = self.path(version, kind, name=name, namespace=where.get("namespace", ""))
        part = f"/{where['part']}" if "part" in where else ""
        return self.request("PATCH", path + part, body=body, content=MERGE)

    def delete(
        self, version: str, kind: str, name: str, namespace: str = "", **options: Any
    ) -> None:
        """Asks for the object's end; one that is not there is as good as deleted."""
        path = self.path(version, kind, name=name, namespace=namespace)
        try:
            self.request("DELETE", path, body=options or None)
        except RefusedError as error:
            if error.status != 404:
                raise

    def logs(self, pod: str, namespace: str, **query: str) -> str:
        """What the pod's container has said."""
        path = self.path("v1", "Pod", name=pod, namespace=namespace) + "/log"
        return self._send("GET", path, query=query)

    def until(
        self,
        what: tuple[str, str, str, str],
        true: Callable[[Object], bool],
        *,
        seconds: float = SOON,
    ) -> Object:
        """The object (version, kind, name, namespace) as soon as this is true of it."""
        last: list[Object] = [{}]

        def look() -> Object | None:
            last[0] = self.find(*what) or {}
            return last[0] if last[0] and true(last[0]) else None

        try:
            return until(look, f"{what[1]} {what[3]}/{what[2]}", seconds=seconds)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; its status: {last[0].get('status')}") from None

    def path(self, version: str, kind: str, *, name: str = "", namespace: str = "") -> str:
        """Where objects of the kind, or the one of this name, are."""
        plural, namespaced = self._plural(version, kind)
        root = _root(version)
        space = f"/namespaces/{namespace}" if namespaced and namespace else ""
        return f"{root}{space}/{plural}" + (f"/{name}" if name else "")

    def request(self, method: str, path: str, **how: Any) -> Object:
        """The answer to any request, decoded."""
        answer: Object = json.loads(self._send(method, path, **how))
        return answer

    def _apply(self, one: Object, namespace: str) -> Object:
        version, kind, name = one["apiVersion"], one["kind"], one["metadata"]["name"]
        path = self.path(version, kind, name=name, namespace=_space(one, namespace))
        query = {"fieldManager": MANAGER, "force": "true"}
        return self.request("PATCH", path, body=one, query=query, content=APPLY)

    def _plural(self, version: str, kind: str) -> tuple[str, bool]:
        if (version, kind) not in self._plurals:
            for one in self.request("GET", _root(version))["resources"]:
                if "/" not in one["name"]:
                    self._plurals[version, one["kind"]] = (one["name"], one["namespaced"])
        return self._plurals[version, kind]

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: Object | None = None,
        query: Mapping[str, str] | None = None,
        content: str = "application/json",
    ) -> str:
        headers = {"Accept": "application/json, */*", "Content-Type": content}
        call = self.client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            auth_settings=["BearerToken"],
        )
        sent = json.dumps(body) if content == APPLY else body
        response = self.client.call_api(*call[:3], body=sent)
        text: str = response.read().decode()
        if response.status >= 300:
            raise RefusedError(status=response.status, told=_message(text))
        return text


def documents(manifest: str | Object | Iterable[Object]) -> list[Object]:
    """The objects of a manifest, whichever way it is given."""
    if isinstance(manifest, str):
        return [one for one in yaml.safe_load_all(manifest) if one]
    return [manifest] if isinstance(manifest, dict) else list(manifest)


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:500]


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _space(one: Object, namespace: str) -> str:
    found: str = one["metadata"].get("namespace", namespace)
    return found
