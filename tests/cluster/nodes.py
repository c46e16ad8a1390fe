"""A real node: a process tree in mount, PID, network and UTS namespaces of its own.

What kind does, without Docker. Killing process 1 of the tree is a power cut: the kernel takes
every container, mount and socket with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import certificates, processes, store
from tests.cluster.settings import DNS_ADDRESS, HERE, Settings, fill
from tests.cluster.wait import until

FOLDERS = ("kubelet", "containerd", "cni-state", "log/pods", "log/containers", "cni")
GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One real node, by its number from 1."""

    settings: Settings
    number: int

    @property
    def name(self) -> str:
        """As the cluster knows it."""
        return f"node{self.number}"

    @property
    def folder(self) -> Path:
        """Its disk."""
        return self.settings.within("nodes", self.name)

    @property
    def init(self) -> int | None:
        """Process 1 of the node as the machine sees it; none while it has no power."""
        if (outer := processes.pid(self.settings, self.name)) is None:
            return None
        children = Path(f"/proc/{outer}/task/{outer}/children").read_text().split()
        return int(children[0]) if children else None

    def start(self) -> None:
        """Power on; the node keeps the disk that it had."""
        if self.init is not None:
            return
        self._furnish()
        self._make_groups()
        self._unplug()
        namespaces = ["--mount", "--pid", "--net", "--uts", "--mount-proc"]
        settings, proxy = self.settings, self.settings.state / "kube-proxy.kubeconfig"
        where = [self.name, settings.node_address(self.number), self.folder, settings.host]
        tree = ["unshare", *namespaces, "--fork", "--kill-child", HERE / "node" / "node-init.sh"]
        processes.spawn(settings, self.name, *tree, *where, settings.pods, proxy)
        first = until(lambda: self.init, f"process 1 of {self.name}")
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", str(first))
        _ip("link", "set", self._cable, "master", settings.bridge)
        self.join()

    def kill(self) -> None:
        """Power off. The cable goes first: dying sockets would say good-bye to their peers."""
        self.cut()
        if (first := self.init) is not None:
            os.kill(first, signal.SIGKILL)
        gone = f"{self.name} to lose power"
        until(lambda: processes.pid(self.settings, self.name) is None, gone)
        self._unplug()
        self._remove_groups()

    def cut(self) -> None:
        """Pulls the network cable; containers go on."""
        if self._cable_exists():
            _ip("link", "set", self._cable, "down")

    def join(self) -> None:
        """Plugs the network cable in."""
        _ip("link", "set", self._cable, "up")
        pods, address = (
            self.settings.node_pods(self.number),
            self.settings.node_address(self.number),
        )
        _ip("route", "replace", pods, "via", address)

    def stop_kubelet(self) -> None:
        """Ends the kubelet alone; containers go on, the API server loses sight of them."""
        self.run("sh", "-c", "kill $(cat /run/kubelet.pid)")

    def start_kubelet(self) -> None:
        """Starts the kubelet again."""
        self.run("setsid", "bash", "/run/kubelet.sh")

    def run(self, *command: str, stdin: str | None = None) -> str:
        """What a program inside of the node printed."""
        inside = ["nsenter", "-t", str(self.init), "-m", "-p", "-n", "-u"]
        return processes.run(self.settings, *inside, *command, stdin=stdin)

    @property
    def _cable(self) -> str:
        return f"{self.settings.bridge}-n{self.number}"

    def _cable_exists(self) -> bool:
        return Path(f"/sys/class/net/{self._cable}").exists()

    def _unplug(self) -> None:
        if self._cable_exists():
            subprocess.run(["ip", "link", "del", self._cable], check=False, capture_output=True)

    def _furnish(self) -> None:
        """The disk: folders, settings, certificates, and images that need no pull."""
        settings, folder = self.settings, self.folder
        for part in FOLDERS:
            (folder / part).mkdir(parents=True, exist_ok=True)
        store.clone(settings, folder / "containerd")
        address = settings.node_address(self.number)
        subject = f"/O=system:nodes/CN=system:node:{self.name}"
        certificates.certificate(
            settings, self.name, subject=subject, extension=certificates.CLIENT
        )
        serving = f"subjectAltName=IP:{address},DNS:{self.name}"
        name = f"{self.name}-serving"
        certificates.certificate(settings, name, subject=f"/CN={self.name}", extension=serving)
        certificates.kubeconfig(settings, self.name, folder / "kubeconfig")
        runtime = store.runtime_config(
            settings, folder, root=Path("/var/lib/containerd"), run=Path("/run/containerd")
        )
        (folder / "containerd.toml").write_text(runtime)
        pods = fill("node/pods.conflist", pods=settings.node_pods(self.number))
        (folder / "cni" / "10-pods.conflist").write_text(pods)
        names = {"pki": settings.folder("pki"), "name": self.name, "bridge": settings.bridge}
        kubelet = fill("node/kubelet.yaml", dns=DNS_ADDRESS, **names)
        (folder / "kubelet.yaml").write_text(kubelet)

    def _make_groups(self) -> None:
        """The kubelet wants its group in every hierarchy; an empty cpuset takes no process."""
        for group in self._groups():
            group.mkdir(parents=True, exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):
                if (GROUPS / "cpuset" / name).is_file() and (group / name).is_file():
                    self._copy_down(group, name)

    def _copy_down(self, group: Path, name: str) -> None:
        value = (group.parent.parent / name).read_text()
        for folder in (group.parent, group):
            (folder / name).write_text(value)

    def _remove_groups(self) -> None:
        for group in self._groups():
            for folder in sorted(group.rglob("*/"), reverse=True) if group.is_dir() else ():
                if folder.is_dir():
                    _remove(folder)
            _remove(group)
            _remove(group.parent)  # stays while another node has its own in there

    def _groups(self) -> Iterator[Path]:
        for hierarchy in GROUPS.iterdir():
            if (hierarchy / "cgroup.procs").is_file() and not hierarchy.is_symlink():
                yield hierarchy / self.settings.bridge / self.name


def started(settings: Settings) -> list[Node]:
    """The nodes that have power."""
    paths = (settings.state / "run").glob("node*.pid")
    numbers = sorted(int(path.stem.removeprefix("node")) for path in paths)
    nodes = [Node(settings=settings, number=number) for number in numbers]
    return [node for node in nodes if node.init is not None]


def stop_all(settings: Settings) -> None:
    """Power off for all."""
    for node in started(settings):
        node.kill()


def _remove(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # a container of it is still ending; an empty group costs nothing


def _ip(*words: str) -> None:
    processes.output(["ip", *words])
