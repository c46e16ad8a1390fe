"""A control plane of a row's own: empty at the start, with fake nodes, forgotten at the end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster import api_server, build, certificates, control, kwok, processes, storage
from tests.cluster.api import Api
from tests.cluster.settings import ROOT, Settings
from tests.cluster.wait import until

NUMBER = "7"  # beside the cluster of the tests, which is 0
SPACE = "bench"
SYSTEM = "graft-system"
ACCOUNT = "operator"
USER = f"system:serviceaccount:{SYSTEM}:{ACCOUNT}"
PLURALS = ("pretrainjobs", "transferjobs", "distilljobs", "servedeployments")
PODS_PER_NODE = 400

Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """Where operators act; `operator` is a kubeconfig of a service account.

    An administrator's certificate would be exempt from the server's fair shares.
    """

    settings: Settings
    api: Api
    operator: Path

    @property
    def pids(self) -> dict[str, int]:
        """The server's processes, for their CPU time."""
        names = ("apiserver", "etcd", "controllers", "scheduler", "kwok")
        found = {name: processes.pid(self.settings, name) for name in names}
        return {name: pid for name, pid in found.items() if pid is not None}

    def count(self, path: str) -> int:
        """How many objects there are under a path; one is sent, however many there are."""
        page = self.api.request("GET", path, query={"limit": "1"})
        return len(page["items"]) + int(page["metadata"].get("remainingItemCount") or 0)


@contextmanager
def fresh(*, pods: int) -> Iterator[Plane]:
    """An empty control plane with room for so many pods on fake nodes."""
    settings = _settings()
    build.ensure_binaries(settings)
    with build.locked(settings, f"cluster-{settings.number}"):
        _forget(settings)
        try:
            control.network(settings)
            certificates.make_all(settings)
            control.etcd(settings)
            api_server.start(settings)
            control.controllers(settings)
            api = Api.connect(settings.kubeconfig)
            yield _furnished(settings, api, nodes=pods // PODS_PER_NODE + 1)
            api.close()
        finally:
            _forget(settings)


def _settings() -> Settings:
    given = {name: os.environ[name] for name in ("GRAFT_CLUSTER_CACHE",) if name in os.environ}
    return Settings.read({**given, "GRAFT_CLUSTER_NUMBER": NUMBER})


def _forget(settings: Settings) -> None:
    control.stop(settings)
    control.remove_state(settings)


def _furnished(settings: Settings, api: Api, *, nodes: int) -> Plane:
    for name in (SPACE, SYSTEM):
        api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for path in sorted((ROOT / "crds").glob("*.yaml")):
        api.apply(path.read_text())
    for plural in PLURALS:
        what = ("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{plural}.graft.dev", "")
        api.until(what, _established)
    default = ("v1", "ServiceAccount", "default", SPACE)
    api.until(default, lambda _: True)
    kwok.fake_nodes(settings, api, nodes)
    storage.shared_volume(settings.within("volumes"), api, SPACE)
    claim = ("v1", "PersistentVolumeClaim", storage.CLAIM, SPACE)
    api.until(claim, lambda one: one["status"].get("phase") == "Bound")
    return Plane(settings=settings, api=api, operator=_kubeconfig(settings, api))


def _established(one: Object) -> bool:
    found = one.get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in found)


def _kubeconfig(settings: Settings, api: Api) -> Path:
    """Of a service account that may do everything, for every contestant alike."""
    about = {"name": ACCOUNT, "namespace": SYSTEM}
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": about}, SYSTEM)
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "bench-operator"},
        "roleRef": role,
        "subjects": [{"kind": "ServiceAccount", **about}],
    }
    api.apply(binding)
    path = f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/{ACCOUNT}/token"
    asked = {"spec": {"expirationSeconds": 24 * 3600}}
    token = until(lambda: api.request("POST", path, body=asked), "a token")["status"]["token"]
    config = json.loads(settings.kubeconfig.read_text())
    config["users"] = [{"name": ACCOUNT, "user": {"token": token}}]
    config["contexts"][0]["context"] |= {"user": ACCOUNT, "namespace": SPACE}
    own = settings.within("operator.kubeconfig")
    own.write_text(json.dumps(config))
    own.chmod(0o600)
    return own
