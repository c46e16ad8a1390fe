"""Every program of the test cluster, its module and its version: one table."""

from __future__ import annotations

from dataclasses import dataclass

KUBERNETES = "v1.37.2"
SUITE = "bookworm"  # of Debian, for the base image

CONTAINERD = "github.com/containerd/containerd/v2/cmd/{}@v2.4.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program that `go install` builds."""

    name: str
    module: str


# Small ones first: images need the registry alone.
PROGRAMS = (
    Program(name="registry", module="github.com/distribution/distribution/v3/cmd/registry@v3.1.2"),
    Program(name="crane", module="github.com/google/go-containerregistry/cmd/crane@v0.22.1"),
    Program(name="containerd", module=CONTAINERD.format("containerd")),
    Program(name="containerd-shim-runc-v2", module=CONTAINERD.format("containerd-shim-runc-v2")),
    Program(name="ctr", module=CONTAINERD.format("ctr")),
    Program(name="coredns", module="github.com/coredns/coredns@v1.15.0"),
    Program(name="helm", module="helm.sh/helm/v4/cmd/helm@v4.3.1"),
    Program(name="kwok", module="sigs.k8s.io/kwok/cmd/kwok@v0.8.0"),
    Program(name="metrics-server", module="sigs.k8s.io/metrics-server/cmd/metrics-server@v0.9.0"),
    Program(name="versitygw", module="github.com/versity/versitygw/cmd/versitygw@v1.8.0"),
    Program(name="promtool", module="github.com/prometheus/prometheus/cmd/promtool@v0.316.0"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A type of another project, whose module has the file."""

    module: str
    path: str


ROUTES = Definition(
    module="sigs.k8s.io/gateway-api@v1.6.3",
    path="config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
)
SCALED_OBJECTS = Definition(
    module="github.com/kedacore/keda/v2@v2.21.0",
    path="config/crd/bases/keda.sh_scaledobjects.yaml",
)

# One binary: the name it is called by picks the part.
KUBE_PARTS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "kubectl",
    "etcd",
)

# Debian package by a program of it. g++ is for tests of compiled layers.
PACKAGES = {
    "gcc": "gcc libc6-dev",
    "g++": "g++",
    "openssl": "openssl",
    "runc": "runc",
    "buildah": "buildah",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
    "iptables": "iptables",
    "nft": "nftables",
    "ip": "iproute2",
    "conntrack": "conntrack",
    "debootstrap": "debootstrap",
    "nsenter": "util-linux",
}
