"""The API server alone: started, stopped and started again on the same state."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from tests.cluster import processes
from tests.cluster.certificates import pki
from tests.cluster.processes import spawn
from tests.cluster.settings import HERE, SERVICES, Settings
from tests.cluster.wait import until

SLOWEST_START = 120.0
FILES = {
    "--tls-cert-file": "apiserver.crt",
    "--tls-private-key-file": "apiserver.key",
    "--client-ca-file": "ca.crt",
    "--service-account-key-file": "sa.pub",
    "--service-account-signing-key-file": "sa.key",
    "--kubelet-client-certificate": "admin.crt",
    "--kubelet-client-key": "admin.key",
    "--kubelet-certificate-authority": "ca.crt",
    "--requestheader-client-ca-file": "ca.crt",
    "--proxy-client-cert-file": "front.crt",
    "--proxy-client-key-file": "front.key",
}


def start(settings: Settings) -> None:
    """The API server; it is ready when this returns."""
    if processes.pid(settings, "apiserver") is None:
        # Of one that was killed the last threads may hold the port for some moments yet.
        until(lambda: _free(settings), f"port {settings.api_port} of the API server")
    spawn(settings, "apiserver", "kube-apiserver", *_options(settings))
    until(lambda: _ready(settings), "the API server to be ready", seconds=SLOWEST_START)


def stop(settings: Settings) -> None:
    """Ends the API server as a crash does; asked politely it would wait a minute for watchers."""
    processes.halt(settings, "apiserver")


def audit_log(settings: Settings) -> Path:
    """The file with one line a request."""
    return settings.within("log", "audit.log")


def _options(settings: Settings) -> list[object]:
    options: list[object] = ["--etcd-servers", f"http://127.0.0.1:{settings.etcd_port}"]
    options += ["--bind-address", settings.host, "--secure-port", settings.api_port]
    # Not loopback: pods reach the API through a Service that leads here.
    options += ["--advertise-address", settings.host, "--service-cluster-ip-range", SERVICES]
    options += ["--authorization-mode=Node,RBAC", "--allow-privileged"]
    options += ["--service-account-issuer=https://kubernetes.default.svc"]
    # Names of nodes do not resolve; logs and exec need their addresses.
    options += ["--kubelet-preferred-address-types=InternalIP", "--shutdown-delay-duration=0s"]
    # To endpoints, not Services: the machine itself has no kube-proxy.
    options += ["--enable-aggregator-routing", "--requestheader-allowed-names=front-proxy"]
    options += ["--requestheader-extra-headers-prefix=X-Remote-Extra-"]
    options += ["--requestheader-group-headers=X-Remote-Group"]
    options += ["--requestheader-username-headers=X-Remote-User"]
    # Pods of a dead node are evicted after 5 s instead of 300 s.
    options += ["--default-not-ready-toleration-seconds=5"]
    options += ["--default-unreachable-toleration-seconds=5"]
    options += ["--audit-policy-file", HERE / "config" / "audit.yaml"]
    options += [
        "--audit-log-path",
        audit_log(settings),
        "--audit-log-maxsize=500",
        "--audit-log-mode=blocking",
    ]
    for option, file in FILES.items():
        options += [option, pki(settings, file)]
    return options


def _free(settings: Settings) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.api_port))
        except OSError:
            return False
    return True


def _ready(settings: Settings) -> bool:
    if processes.pid(settings, "apiserver") is None:
        raise RuntimeError(f"the API server ended:\n{processes.tail(settings, 'apiserver')}")
    command = ["kubectl", "get", "--raw", "/readyz"]
    done = subprocess.run(command, env=settings.environ, capture_output=True, check=False)
    return done.returncode == 0
