"""A certificate authority of the cluster's own, and kubeconfigs signed by it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.processes import run
from tests.cluster.settings import API_SERVICE, Settings

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
CLIENT = "extendedKeyUsage=clientAuth"
DAYS = "3650"
# Users of the control plane; administrators all, told apart in the audit log.
STAFF = ("admin", "controllers", "scheduler", "coredns", "metrics", "kwok", "netpol", "kube-proxy")


def make_all(settings: Settings) -> None:
    """Everything that the control plane needs; what exists is kept."""
    authority(settings)
    names = f"IP:127.0.0.1,IP:{API_SERVICE},IP:{settings.host},DNS:localhost,DNS:kubernetes"
    service = "DNS:kubernetes.default,DNS:kubernetes.default.svc"
    serving = f"subjectAltName={names},{service}"
    certificate(settings, "apiserver", subject="/CN=kube-apiserver", extension=serving)
    certificate(settings, "front", subject="/CN=front-proxy", extension=CLIENT)
    for name in STAFF:
        certificate(settings, name, subject=f"/O=system:masters/CN={name}", extension=CLIENT)
        kubeconfig(settings, name, settings.state / f"{name}.kubeconfig")


def authority(settings: Settings) -> None:
    """The authority, and the key that service account tokens are signed with."""
    key, crt = pki(settings, "ca.key"), pki(settings, "ca.crt")
    if not crt.is_file():
        who = ("-subj", "/CN=graft-test-ca", "-days", DAYS)
        run(settings, "openssl", "req", "-x509", *KEY, "-keyout", key, "-out", crt, *who)
    key, pub = pki(settings, "sa.key"), pki(settings, "sa.pub")
    if not pub.is_file():
        run(settings, "openssl", "genrsa", "-out", key, "2048")
        run(settings, "openssl", "rsa", "-in", key, "-pubout", "-out", pub)


def certificate(settings: Settings, name: str, *, subject: str, extension: str) -> None:
    """A key and a certificate of the authority, unless they exist."""
    key, csr, crt = (pki(settings, f"{name}.{end}") for end in ("key", "csr", "crt"))
    if crt.is_file():
        return
    run(settings, "openssl", "req", *KEY, "-keyout", key, "-out", csr, "-subj", subject)
    extensions = pki(settings, f"{name}.ext")
    extensions.write_text(extension)
    signed = ("-CA", pki(settings, "ca.crt"), "-CAkey", pki(settings, "ca.key"), "-CAcreateserial")
    files = ("-in", csr, "-out", crt, "-days", DAYS, "-extfile", extensions)
    run(settings, "openssl", "x509", "-req", *files, *signed)


def kubeconfig(settings: Settings, name: str, path: Path) -> None:
    """A kubeconfig of the user whose certificate has this name."""
    server = {
        "server": f"https://{settings.host}:{settings.api_port}",
        "certificate-authority": str(pki(settings, "ca.crt")),
    }
    user = {
        "client-certificate": str(pki(settings, f"{name}.crt")),
        "client-key": str(pki(settings, f"{name}.key")),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "graft", "cluster": server}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "graft", "context": {"cluster": "graft", "user": name}}],
        "current-context": "graft",
    }
    path.write_text(json.dumps(config, indent=1))


def pki(settings: Settings, name: str) -> Path:
    """A file of the authority's folder."""
    return settings.within("pki", name)
