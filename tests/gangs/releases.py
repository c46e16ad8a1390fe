"""The chart installed: the operator in pods, for the jobs of one namespace."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.cluster.given import Cluster
from tests.cluster.namespaces import Namespace
from tests.cluster.wait import until
from tests.e2e.jobs import GRAFT
from tests.gangs.jobs import Applied, Object

CHART = Path("charts") / "graft"
LEASE = ("coordination.k8s.io/v1", "Lease", "graft-operator")
KEY = ("v1", "Secret", "graft-control")
REPLICAS = "app.kubernetes.io/component=operator"
OWN = {
    "replicas": "2",
    "crds.install": "false",
    "networkPolicy.enabled": "true",
    "reconcile.progressSeconds": "1",
    "reconcile.statusSeconds": "1",
}
IDENTITY = "GRAFT_OPERATOR_IDENTITY"
FAILOVER = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """`home` is its namespace, `team` the one whose jobs it runs, in `store`."""

    cluster: Cluster
    home: Namespace
    team: Namespace
    store: Path
    chart: Path
    values: tuple[str, ...]

    @classmethod
    def make(cls, cluster: Cluster, images: dict[str, str], root: Path) -> Release:
        """Two namespaces, and the values of the chart; nothing is installed."""
        home, team = Namespace.make(cluster, "release"), Namespace.make(cluster, "team")
        own = OWN | {
            "namespaces": f"{{{team.name}}}",
            "networkPolicy.apiServerPorts": f"{{443,{cluster.api_port}}}",
        }
        places = {"operator": "image", "worker": "worker.image", "serve": "serve.image"}
        for name, value in places.items():
            own[f"{value}.repository"], own[f"{value}.tag"] = images[name].rsplit(":", 1)
        return cls(
            cluster=cluster,
            home=home,
            team=team,
            store=team.store(),
            chart=root / CHART,
            values=tuple(f"{name}={value}" for name, value in own.items()),
        )

    def install(self, *more: str) -> None:
        """Installs or upgrades, and waits until every replica runs."""
        options = [word for value in (*self.values, *more) for word in ("--set", value)]
        where = ("--namespace", self.home.name, "--timeout", "3m")
        self.cluster.helm("upgrade", "--install", "graft", str(self.chart), *where, *options)
        self.home.kubectl("rollout", "status", "deployment/graft", "--timeout=180s")

    def uninstall(self) -> None:
        """The release is gone, with its pods."""
        self.cluster.helm("uninstall", "graft", "--namespace", self.home.name, "--ignore-not-found")
        until(lambda: not self.replicas(), "the end of the operator's pods", seconds=FAILOVER)

    def remove(self) -> None:
        """Both namespaces go, too."""
        self.uninstall()
        self.home.remove()
        self.team.remove()

    def leader(self) -> str:
        """The pod that holds the Lease; empty where none does."""
        lease = self.cluster.api.find(*LEASE, self.home.name)
        return str(((lease or {}).get("spec") or {}).get("holderIdentity") or "")

    def next_leader(self, old: str) -> str:
        """Another than the old one, as soon as it leads."""
        return until(
            lambda: found if (found := self.leader()) not in ("", old) else "",
            "another leader",
            seconds=FAILOVER,
        )

    def silence(self, pod: str) -> None:
        """Halts the operator's process in the pod, which cannot give its Lease back any more."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(IDENTITY) == pod:
                    process.suspend()
                    return
        raise LookupError(f"no process of {pod} on this machine")

    def key(self) -> str:
        """What the workers' control tokens come from."""
        key: str = self.cluster.api.get(*KEY, self.home.name)["data"]["key"]
        return key

    def replicas(self) -> set[str]:
        """UIDs of the operator's pods."""
        return {pod["metadata"]["uid"] for pod in self.home.pods(REPLICAS)}

    def logs(self) -> str:
        """What the replicas that run have said."""
        return self.home.kubectl("logs", f"--selector={REPLICAS}", "--tail=-1", "--prefix")

    def why(self, name: str) -> str:
        """The main cause that `graft why` finds for the job."""
        where = ("--namespace", self.team.name, "--operator-namespace", self.home.name)
        command = [*GRAFT, "why", name, *where, "--output", "json"]
        done = subprocess.run(
            command, env=self.cluster.environ, capture_output=True, text=True, check=True
        )
        return str(json.loads(done.stdout)["cause"]["name"])


@dataclass(frozen=True, slots=True)
class Steady:
    """A gang that trains for as long as the tests want it to, and its first pods."""

    applied: Applied
    store: Path
    pods: list[str]

    def goes_on(self) -> Object:
        """The status after further steps; nothing was started again, and nothing twice."""
        last = self._step()
        until(lambda: self._step() > last, "another step", seconds=FAILOVER)
        status = self.applied.status
        assert status["attempt"] == 1
        assert not status.get("restarts")
        assert uids(self.applied) == self.pods
        jobs = self.applied.space.api.list(
            "batch/v1", "Job", self.applied.space.name, labels=f"graft.dev/job={self.applied.name}"
        )
        assert sorted(job["metadata"]["name"] for job in jobs) == ["steady-p1", "steady-t1"]
        return status

    def _step(self) -> int:
        """As the workers write it down, whether an operator is there or not."""
        return int(self.applied.reports(self.store)[-1]["step"])


def uids(applied: Applied) -> list[str]:
    """Of the workers' pods."""
    return sorted(pod["metadata"]["uid"] for pod in applied.pods())
