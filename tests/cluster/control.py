"""The control plane as processes of the machine, on a bridge that nodes are plugged into.

DNS, registry and metrics stand behind Services without selectors, so they need no images.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from tests.cluster import api_server, certificates, processes
from tests.cluster.certificates import pki
from tests.cluster.processes import spawn
from tests.cluster.settings import DNS_ADDRESS, S3_KEY, S3_SECRET, Settings, fill
from tests.cluster.wait import until

SLOWEST = 180.0
# Ended in this order: who asks goes before who answers.
PROGRAMS = (
    "kwok",
    "netpol",
    "metrics-server",
    "coredns",
    "scheduler",
    "controllers",
    "apiserver",
    "etcd",
    "s3",
    "registry",
)


def start(settings: Settings) -> None:
    """The control plane answers when this returns; what runs already is left alone."""
    network(settings)
    certificates.make_all(settings)
    registry(settings)
    etcd(settings)
    api_server.start(settings)
    controllers(settings)
    dns(settings)


def stop(settings: Settings) -> None:
    """Ends everything and removes the bridge.

    By KILL: an API server whose etcd has gone never ends on TERM. Nothing is lost, etcd's
    writes are in the page cache.
    """
    for name in PROGRAMS:
        processes.halt(settings, name)
    if bridge_exists(settings):
        subprocess.run(["ip", "link", "del", settings.bridge], check=True)


def network(settings: Settings) -> None:
    """One bridge; the machine routes between nodes, so a node without its link is cut off."""
    name = settings.bridge
    if not bridge_exists(settings):
        subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
    words = ["ip", "addr", "replace", f"{settings.host}/24", "dev", name]
    subprocess.run(words, check=True)
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    kernel = Path("/proc/sys/net/ipv4")
    (kernel / "ip_forward").write_text("1")
    (kernel / "conf" / name / "send_redirects").write_text("0")


def bridge_exists(settings: Settings) -> bool:
    """Whether the bridge is there."""
    return settings.bridge in {name for _, name in socket.if_nameindex()}


def registry(settings: Settings) -> None:
    """The registry, on a folder of the cache."""
    config = settings.within("registry.yaml")
    values = {"cache": settings.cache, "port": settings.registry_port}
    config.write_text(fill("config/registry.yaml", **values))
    port_is_free(settings, "registry", settings.registry_port)
    spawn(settings, "registry", "registry", "serve", config)
    until(lambda: _answers(f"http://{settings.registry}/v2/"), "the registry to answer")


def etcd(settings: Settings) -> None:
    """The database, without fsync: it may lose its data when the machine loses power."""
    own, peer = (f"http://127.0.0.1:{settings.etcd_port + more}" for more in (0, 1))
    port_is_free(settings, "etcd", settings.etcd_port)
    options = ["--data-dir", settings.state / "etcd", "--unsafe-no-fsync", "--log-level", "warn"]
    options += ["--listen-client-urls", own, "--advertise-client-urls", own]
    options += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
    spawn(settings, "etcd", "etcd", *options, "--initial-cluster", f"default={peer}")


def controllers(settings: Settings) -> None:
    """Controllers and scheduler; a lost node is noticed in 10 s instead of 50 s."""
    files = {
        "--kubeconfig": settings.state / "controllers.kubeconfig",
        "--service-account-private-key-file": pki(settings, "sa.key"),
        "--root-ca-file": pki(settings, "ca.crt"),
        "--cluster-signing-cert-file": pki(settings, "ca.crt"),
        "--cluster-signing-key-file": pki(settings, "ca.key"),
    }
    quick = ["--leader-elect=false", "--kube-api-qps=200", "--kube-api-burst=400"]
    quick += ["--secure-port=0"]
    options = [word for pair in files.items() for word in pair] + quick
    # No CIDRs: every real node has its own from us, and fake nodes need none.
    options += ["--allocate-node-cidrs=false", "--use-service-account-credentials"]
    options += ["--node-monitor-period=1s", "--node-monitor-grace-period=10s"]
    hpa = "--horizontal-pod-autoscaler"
    options += [f"{hpa}-sync-period=5s", f"{hpa}-downscale-stabilization=15s"]
    options += [f"{hpa}-cpu-initialization-period=10s", f"{hpa}-initial-readiness-delay=5s"]
    spawn(settings, "controllers", "kube-controller-manager", *options)
    config = settings.state / "scheduler.kubeconfig"
    spawn(settings, "scheduler", "kube-scheduler", "--kubeconfig", config, *quick)


def dns(settings: Settings) -> None:
    """CoreDNS on the bridge, and the Service that points there."""
    config = settings.within("Corefile")
    kubeconfig = settings.state / "coredns.kubeconfig"
    config.write_text(fill("config/Corefile", host=settings.host, kubeconfig=kubeconfig))
    spawn(settings, "coredns", "coredns", "-conf", config)
    apply(settings, fill("manifests/dns.yaml", host=settings.host, dns=DNS_ADDRESS))


def metrics(settings: Settings) -> None:
    """metrics-server; its resolution must be larger than its time-out."""
    config = settings.state / "metrics.kubeconfig"
    options = ["--kubeconfig", config, "--authentication-kubeconfig", config]
    options += ["--authorization-kubeconfig", config]
    options += ["--bind-address", settings.host, "--secure-port=4443"]
    options += ["--cert-dir", settings.state / "metrics-server"]
    options += ["--metric-resolution=10s", "--kubelet-request-timeout=5s"]
    options += ["--kubelet-preferred-address-types=InternalIP"]
    options += ["--kubelet-certificate-authority", pki(settings, "ca.crt")]
    options += ["--kubelet-client-certificate", pki(settings, "metrics.crt")]
    options += ["--kubelet-client-key", pki(settings, "metrics.key")]
    spawn(settings, "metrics-server", "metrics-server", *options)
    apply(settings, fill("manifests/metrics.yaml", host=settings.host))


def s3(settings: Settings) -> None:
    """A bucket store; buckets are folders of the state."""
    folder = settings.folder("s3")
    keys = {"ROOT_ACCESS_KEY": S3_KEY, "ROOT_SECRET_KEY": S3_SECRET}
    where = ["--port", settings.s3.removeprefix("http://"), "--health", "/healthz"]
    spawn(settings, "s3", "versitygw", *where, "posix", folder, environ=keys)
    until(lambda: _answers(f"{settings.s3}/healthz"), "the bucket store to answer")


def apply(settings: Settings, text: str) -> None:
    """Applies a manifest as the administrator, again where a busy server had no time for it."""
    until(lambda: _applied(settings, text), "the server to take a manifest", seconds=SLOWEST)


def port_is_free(settings: Settings, name: str, port: int) -> None:
    """Raises RuntimeError where a stranger has the port: a cluster must not talk to another's."""
    if processes.pid(settings, name) is not None:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            raise RuntimeError(
                f"port {port}, wanted for {name}, is taken: stop who has it, "
                "or set GRAFT_CLUSTER_NUMBER=1 for a second cluster"
            ) from error


def _applied(settings: Settings, text: str) -> bool:
    try:
        processes.run(settings, "kubectl", "apply", "-f-", stdin=text)
    except RuntimeError as error:
        if "did not complete within requested timeout" in str(error):
            return False
        raise
    return True


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def remove_state(settings: Settings) -> None:
    """Forgets everything but the cache."""
    shutil.rmtree(settings.state, ignore_errors=True)
