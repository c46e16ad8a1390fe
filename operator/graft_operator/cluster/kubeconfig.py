"""The context of a kubeconfig: server, credentials, namespace; read without the slow client."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft_api.errors import ConfigError

DEFAULT_FILE = "~/.kube/config"
IN_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
HINT = "set KUBECONFIG to the file of a cluster, or see `kubectl config get-contexts`"

# What a connection without the client knows; a context that says more needs the client.
CLUSTER_KEYS = {
    "server",
    "certificate-authority",
    "certificate-authority-data",
    "insecure-skip-tls-verify",
    "disable-compression",
    "extensions",
}
USER_KEYS = {
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
    "tokenFile",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One context of a kubeconfig; `folders` are those of the files that its parts stand in."""

    name: str
    namespace: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]
    folders: tuple[Path, Path]  # of the cluster and of the user

    @property
    def server(self) -> str:
        """Address of the API server."""
        return str(self.cluster.get("server") or "").rstrip("/")

    @property
    def plain(self) -> bool:
        """Whether it asks for nothing but addresses, certificates and tokens."""
        return not (set(self.cluster) - CLUSTER_KEYS or set(self.user) - USER_KEYS)

    def authority(self) -> bytes | None:
        """The certificate authority in PEM; None: those of the machine."""
        return _material(self.cluster, "certificate-authority", self.folders[0])

    def certificate(self) -> bytes | None:
        """The client's certificate and key in PEM, one after the other."""
        parts = [
            _material(self.user, key, self.folders[1])
            for key in ("client-certificate", "client-key")
        ]
        return b"\n".join(part for part in parts if part) or None

    def token(self) -> str:
        """The bearer token; empty where there is none."""
        if name := self.user.get("tokenFile"):
            return _file(self.folders[1] / name).decode().strip()
        return str(self.user.get("token") or "")


def in_cluster(environ: Mapping[str, str], context: str | None) -> bool:
    """Whether the pod that this process runs in says which cluster is meant."""
    return bool(
        "KUBERNETES_SERVICE_HOST" in environ and not environ.get("KUBECONFIG") and not context
    )


def namespace(environ: Mapping[str, str], *, context: str | None = None) -> str:
    """The namespace of the pod that this process runs in, or of the context in use.

    Raises:
        ConfigError: the file or its context cannot be used.
    """
    if in_cluster(environ, context):
        return _file(IN_POD).decode().strip() if IN_POD.exists() else "default"
    return read(environ, context=context).namespace


def read(environ: Mapping[str, str], *, context: str | None = None) -> Context:
    """The context of that name, else the one in use, from the files that KUBECONFIG names.

    Raises:
        ConfigError: there is no file, no such context, or it is not whole.
    """
    names = [name for name in (environ.get("KUBECONFIG") or DEFAULT_FILE).split(os.pathsep) if name]
    files = [path for name in names if (path := Path(name).expanduser()).is_file()]
    if not files:
        raise ConfigError(f"kubeconfig {' '.join(names)}: no such file", hint=HINT)
    shown = " ".join(map(str, files))
    contents = [(path.absolute().parent, _yaml(path)) for path in files]
    current = context or next((c["current-context"] for _, c in contents if _current(c)), "")
    chosen, _ = _named(contents, "context", current, shown)
    cluster, cluster_folder = _named(contents, "cluster", chosen.get("cluster"), shown)
    user, user_folder = _named(contents, "user", chosen.get("user"), shown)
    return Context(
        name=current,
        namespace=str(chosen.get("namespace") or "default"),
        cluster={key: value for key, value in cluster.items() if value},
        user={key: value for key, value in user.items() if value},
        folders=(cluster_folder, user_folder),
    )


def _current(content: Mapping[str, Any]) -> bool:
    return bool(content.get("current-context"))


def _named(
    contents: Iterable[tuple[Path, Mapping[str, Any]]], part: str, name: object, shown: str
) -> tuple[Mapping[str, Any], Path]:
    """The entry of that name; the first file that has it wins, as for kubectl."""
    for folder, content in contents:
        for entry in content.get(f"{part}s") or ():
            if name and isinstance(entry, dict) and entry.get("name") == name:
                return entry.get(part) or {}, folder
    missing = f"no {part} {name!r}" if name else "no current-context" if part == "context" else ""
    raise ConfigError(f"kubeconfig {shown}: {missing or f'the context names no {part}'}", hint=HINT)


def _yaml(path: Path) -> Mapping[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(_file(path), Loader=loader)  # noqa: S506  (a safe loader)
    except yaml.YAMLError as error:
        raise ConfigError(f"kubeconfig {path}: not valid YAML: {error}", hint=HINT) from None
    return content if isinstance(content, dict) else {}


def _material(holder: Mapping[str, Any], key: str, folder: Path) -> bytes | None:
    if data := holder.get(f"{key}-data"):
        try:
            return base64.b64decode(str(data), validate=True)
        except binascii.Error:
            raise ConfigError(f"kubeconfig: {key}-data is not base64", hint=HINT) from None
    return _file(folder / holder[key]) if key in holder else None


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"kubeconfig: {path}: {error.strerror}", hint=HINT) from None
