"""Where a test cluster lives: folders, addresses, ports. One number sets two clusters apart."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

DNS_ADDRESS = "10.96.0.10"
API_SERVICE = "10.96.0.1"
SERVICES = "10.96.0.0/16"
WORKER_UID = 65532
S3_KEY, S3_SECRET = "graft", "graftsecret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that two clusters on one machine may not share, and the cache that they do."""

    cache: Path
    state: Path
    number: int
    registry_port: int

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """What the variables GRAFT_CLUSTER_* say; each has a default."""
        given = os.environ if environ is None else environ
        number = int(given.get("GRAFT_CLUSTER_NUMBER", "0"))
        state = "/tmp/graft-cluster" + (f"-{number}" if number else "")
        return cls(
            cache=_folder(given.get("GRAFT_CLUSTER_CACHE", "~/.cache/graft-cluster")),
            state=_folder(given.get("GRAFT_CLUSTER_STATE", state)),
            number=number,
            registry_port=int(given.get("GRAFT_CLUSTER_REGISTRY_PORT", 5001 + 100 * number)),
        )

    @property
    def bin(self) -> Path:
        """Folder of the programs."""
        return self.cache / "bin"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.state / "admin.kubeconfig"

    @property
    def bridge(self) -> str:
        """Name of the bridge that nodes are plugged into."""
        return f"graft{self.number}"

    @property
    def host(self) -> str:
        """Address of the machine on the bridge; control plane, DNS and S3 listen there."""
        return f"172.{30 + self.number}.0.1"

    @property
    def registry(self) -> str:
        """Registry as images name it, on the machine and in pods alike."""
        return f"localhost:{self.registry_port}"

    @property
    def api_port(self) -> int:
        """Port of the API server."""
        return 6443 + 100 * self.number

    @property
    def etcd_port(self) -> int:
        """Port of etcd; the next one is for its peers."""
        return 2379 + 100 * self.number

    @property
    def pods(self) -> str:
        """Range of all pods on real nodes."""
        return f"10.{100 + self.number}.0.0/16"

    @property
    def fake_pods(self) -> str:
        """Range of pods on fake nodes."""
        return f"10.{200 + self.number}.0.1/16"

    @property
    def s3(self) -> str:
        """Endpoint of the bucket store, from pods and from the machine."""
        return f"http://{self.host}:7070"

    @property
    def environ(self) -> dict[str, str]:
        """What a program needs to speak to this cluster."""
        path = f"{self.bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return {**os.environ, "PATH": path, "KUBECONFIG": str(self.kubeconfig)}

    def node_address(self, node: int) -> str:
        """Address of one real node, from 1."""
        return f"172.{30 + self.number}.0.{10 + node}"

    def node_pods(self, node: int) -> str:
        """Range of the pods of one real node."""
        return f"10.{100 + self.number}.{node}.0/24"

    def folder(self, *parts: str) -> Path:
        """A folder in the state, which exists."""
        path = self.state.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def within(self, *parts: str) -> Path:
        """A path in the state folder; its parent exists."""
        path = self.state.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def fill(template: str, **values: object) -> str:
    """The text of a file beside this one, each `@name@` replaced by its value."""
    text = (HERE / template).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def _folder(text: str) -> Path:
    return Path(text).expanduser().absolute()
