"""The operator as a process that has what the chart gives its pod: environment, key, token."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.charts.clusters import Space

REQUESTS = "graft_api_requests_total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The process and where it answers."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def code(self, path: str) -> int:
        """Status of a page; 0 where nobody listens yet."""
        assert self.process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as page:
                return int(page.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def refused(self) -> list[str]:
        """Requests that the API server refused for want of a right, as the operator counts them."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as page:
            lines = page.read().decode().splitlines()
        return [line for line in lines if line.startswith(REQUESTS) and 'code="403"' in line]


@contextmanager
def operator_of(space: Space, folder: Path) -> Iterator[Running]:
    """The operator of the release, while the block runs."""
    port, log = _free_port(), folder / "operator.log"
    environ = {
        **_environ(space),
        "GRAFT_OPERATOR_HEALTH_HOST": "127.0.0.1",
        "GRAFT_OPERATOR_HEALTH_PORT": str(port),
        "GRAFT_OPERATOR_CONTROL_KEY_FILE": str(_key(space, folder)),
        "KUBECONFIG": str(_kubeconfig(space, folder)),
        "OMP_NUM_THREADS": "1",
    }
    with log.open("wb") as file:
        command = [sys.executable, "-m", "graft_operator"]
        process = subprocess.Popen(command, env=environ, stdout=file, stderr=file)
    try:
        yield Running(process=process, port=port, log=log)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _environ(space: Space) -> dict[str, str]:
    deployment = space.get("deployment", f"{space.name}-graft")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    # The server leaves out an empty value; references are to the pod's name and namespace.
    return {
        each["name"]: space.name if "valueFrom" in each else each.get("value", "")
        for each in container["env"]
    }


def _key(space: Space, folder: Path) -> Path:
    secret = space.get("secret", f"{space.name}-graft-control")
    path = folder / "key"
    path.write_bytes(base64.b64decode(secret["data"]["key"]))
    return path


def _kubeconfig(space: Space, folder: Path) -> Path:
    """Of the service account: the cluster's address, and a token instead of the administrator."""
    config = yaml.safe_load(space.kubectl("config", "view", "--raw", "--minify"))
    token = space.kubectl("create", "token", f"{space.name}-graft").strip()
    config["users"] = [{"name": "operator", "user": {"token": token}}]
    config["contexts"][0]["context"]["user"] = "operator"
    path = folder / "operator.kubeconfig"
    path.write_text(json.dumps(config))
    path.chmod(0o600)
    return path


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
