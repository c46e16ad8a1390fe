"""A whole cluster on this machine: up, down, reset, and what tests do to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.cluster import api_server, build, control, images, netpol, nodes, processes
from tests.cluster.api import Api
from tests.cluster.nodes import Node
from tests.cluster.settings import Settings
from tests.cluster.wait import NODE_READY


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCluster:
    """The cluster of these settings; its processes outlive this one."""

    settings: Settings

    def up(self, *, count: int = 2) -> None:
        """The control plane and so many real nodes run and are Ready when this returns."""
        settings = self.settings
        build.ensure_binaries(settings)
        with build.locked(settings, f"cluster-{settings.number}"):
            with build.timed("control plane"):
                control.start(settings)
            images.ensure_images(settings)
            with build.timed(f"{count} nodes"):
                for number in range(1, count + 1):
                    self.node(number).start()
                control.metrics(settings)
                control.s3(settings)
                netpol.start(settings)
                self._wait_for_nodes(range(1, count + 1))

    def down(self) -> None:
        """Ends everything; the state is kept."""
        with build.timed("stop"):
            nodes.stop_all(self.settings)
            control.stop(self.settings)

    def reset(self) -> None:
        """Ends everything and forgets its state; the cache is kept."""
        self.down()
        control.remove_state(self.settings)

    @property
    def running(self) -> bool:
        """Whether its API server runs."""
        return processes.pid(self.settings, "apiserver") is not None

    def node(self, number: int) -> Node:
        """One real node, from 1, whether it has power or not."""
        return Node(settings=self.settings, number=number)

    def node_named(self, name: str) -> Node:
        """The real node that the cluster knows by this name."""
        return self.node(int(name.removeprefix("node")))

    def stop_api_server(self) -> None:
        """Ends the API server alone."""
        api_server.stop(self.settings)

    def start_api_server(self) -> None:
        """Starts the API server on the state that it left; it is ready when this returns."""
        api_server.start(self.settings)

    def restart_api_server(self) -> None:
        """Every connection ends; the state is as it was."""
        self.stop_api_server()
        self.start_api_server()

    def _wait_for_nodes(self, numbers: Iterable[int]) -> None:
        api = Api.connect(self.settings.kubeconfig)
        try:
            for number in numbers:
                what = ("v1", "Node", f"node{number}", "")
                api.until(what, is_ready, seconds=NODE_READY)
        finally:
            api.close()


def is_ready(one: dict[str, Any]) -> bool:
    """Whether a node's or a pod's condition Ready is true."""
    found = one.get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in found)
