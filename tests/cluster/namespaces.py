"""A namespace of a test's own, and what it can tell when the test has failed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from urllib3.exceptions import HTTPError

from tests.cluster import storage
from tests.cluster.api import Api, Object, RefusedError
from tests.cluster.given import SHARED, Cluster
from tests.cluster.install import RESTRICTED
from tests.cluster.wait import POD_RUNS, until
from tests.lacking import lacking

OPERATOR = "app.kubernetes.io/name=graft"
LINES = "100"
ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """Its name, and requests inside of it. Paths in `logs` join the report of a failure."""

    cluster: Cluster
    name: str
    logs: list[Path] = field(default_factory=list)

    @classmethod
    def make(cls, cluster: Cluster, test: str = "", *, restricted: bool = True) -> Namespace:
        """A new one; pods in it must keep to Pod Security `restricted` unless told otherwise."""
        words = re.sub(r"[^a-z0-9]+", "-", test.lower().removeprefix("test_")).strip("-")[:40]
        name = f"{words or 'test'}-{secrets.token_hex(3)}".lstrip("-")
        labels = {"graft.dev/test": "yes", **(RESTRICTED if restricted else {})}
        about = {"name": name, "labels": labels}
        cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": about})
        account = ("v1", "ServiceAccount", "default", name)  # without it no pod is admitted
        cluster.api.until(account, lambda _: True)
        return cls(cluster=cluster, name=name)

    @property
    def api(self) -> Api:
        """The connection to the server."""
        return self.cluster.api

    def remove(self) -> None:
        """Asks for its end and does not wait; volumes made here go, too."""
        self.api.delete("v1", "Namespace", self.name)
        storage.remove(self.api, self.name)

    def apply(self, manifest: str | Object | Iterable[Object]) -> list[Object]:
        """The objects as the server has them after an apply in here."""
        return self.api.apply(manifest, self.name)

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """What kubectl printed, with this namespace as its own."""
        return self.cluster.kubectl("-n", self.name, *words, stdin=stdin)

    def store(self) -> Path:
        """The folder behind a shared claim `graft-store`, which is made."""
        if self.cluster.shared is None:
            lacking(f"set {SHARED} to a folder that this machine and all nodes have at that path")
        return storage.shared_volume(self.cluster.shared, self.api, self.name)

    def pods(self, labels: str = "") -> list[Object]:
        """The pods in here."""
        return self.api.list("v1", "Pod", self.name, labels=labels)

    def pod(
        self, name: str, true: Callable[[Object], bool], *, seconds: float = POD_RUNS
    ) -> Object:
        """The pod as soon as this is true of it."""
        return self.api.until(("v1", "Pod", name, self.name), true, seconds=seconds)

    def gone(self, kind: str, name: str, *, version: str = "v1", seconds: float = POD_RUNS) -> None:
        """Returns when there is no such object any more."""
        what = f"the end of {kind} {name}"
        until(lambda: self.api.find(version, kind, name, self.name) is None, what, seconds=seconds)

    def ended(self, name: str, *, seconds: float = POD_RUNS) -> tuple[str, str]:
        """Phase and log of a pod that has come to its end."""
        pod = self.pod(name, lambda one: one["status"].get("phase") in ENDED, seconds=seconds)
        return pod["status"]["phase"], self.api.logs(name, self.name)

    def evidence(self) -> list[tuple[str, str]]:
        """Titles and texts: pods, events, logs of pods, of the operator, and of given files."""
        told = [(f"pods of {self.name}", self._told("get", "pods", "-owide"))]
        told.append(("events", self._told("get", "events", "--sort-by=.lastTimestamp")))
        for one in self._quietly(self.pods):
            name = one["metadata"]["name"]
            words = ("logs", name, "--all-containers", "--prefix", f"--tail={LINES}")
            told.append((f"log of {name}", self._told(*words)))
        told += self._operators()
        told += [(str(path), path.read_text()[-20_000:]) for path in self.logs if path.is_file()]
        return told

    def _operators(self) -> list[tuple[str, str]]:
        found = self._quietly(lambda: self.api.list("v1", "Pod", labels=OPERATOR))
        names = [(one["metadata"]["namespace"], one["metadata"]["name"]) for one in found]
        return [
            (f"operator {space}/{name}", self._told("logs", name, f"--tail={LINES}", "-n", space))
            for space, name in names
        ]

    def _told(self, *words: str) -> str:
        try:
            return self.kubectl(*words)
        except (RuntimeError, OSError) as error:
            return str(error)

    def _quietly(self, look: Callable[[], list[Object]]) -> list[Object]:
        try:
            return look()
        except (RefusedError, OSError, HTTPError):
            return []
