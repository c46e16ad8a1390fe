"""A job file to the object that is sent: as written, `--set` over it, checked for a cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from graft_api import overrides as overriding
from graft_api import planner, yamltree
from graft_api.decoding import decode
from graft_api.errors import ConfigError
from graft_api.faults import DecodeError, Path
from graft_api.yamltree import Tree
from graft_cli import jobfile

from .api import Object

INSTEAD = (
    "is a file of this machine, which a cluster does not see:"
    " use pvc://claim/path, configmap://name/key, s3://, https:// or example://"
)
LEFT_OUT = "leave it out for the store of the cluster"


def read(file: str, *, settings: Sequence[str], namespace: str, given: str | None) -> Object:
    """The object to send, with its namespace; nothing in it but what the person wrote.

    `given` is the namespace of the command line, `namespace` the one to use without any.

    Raises:
        ConfigError: every mistake of the file, with its line; nothing was sent.
    """
    text = jobfile.content(file)
    rooted = [_rooted(setting) for setting in settings]
    try:
        job = decode(text, overrides=rooted)
        tree = yamltree.read(text.decode("utf-8-sig"))
        overriding.apply(tree, rooted)
        faults = [tree.fault(path, message) for path, message in unseen(tree.data["spec"])]
        if faults:
            raise DecodeError(faults)
        _plan(job, tree)
    except DecodeError as error:
        raise jobfile.named(file, error) from None
    return _placed(file, tree.data, namespace=namespace, given=given)


def unseen(spec: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """The URIs that only this machine can read, with what to write instead."""
    inside = mounted_folders(spec)
    for path, uri in _uris(spec, ("spec",)):
        where = uri.removeprefix("file://")
        if jobfile.SCHEME.match(uri) and where == uri:
            continue
        absolute = PurePosixPath(where)
        if absolute.is_absolute() and any(absolute.is_relative_to(folder) for folder in inside):
            continue
        yield path, f"{uri} {LEFT_OUT if path[1] == 'output' else INSTEAD}"


def mounted_folders(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Folders that pods have of their own: mounts of the overlay, all of an own image."""
    workers = spec.get("workers") or {}
    if workers.get("image"):
        return ("/",)
    pod = (workers.get("podTemplate") or {}).get("spec") or {}
    mounts = (m for c in pod.get("containers") or () for m in c.get("volumeMounts") or ())
    return tuple(str(mount["mountPath"]) for mount in mounts if mount.get("mountPath"))


def _uris(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _uris(item, (*path, index))
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name == "uri" and isinstance(inner, str):
            yield (*path, name), inner
        elif name == "uris" and isinstance(inner, list):
            yield from (((*path, name, i), uri) for i, uri in enumerate(inner))
        elif name not in jobfile.OPAQUE:
            yield from _uris(inner, (*path, name))


def _rooted(setting: str) -> str:
    """The setting with its path from the top."""
    path, equals, text = setting.partition("=")
    root = re.split(r"[.\[]", path)[0]
    return setting if root in jobfile.ROOTS or not equals else f"spec.{path}{equals}{text}"


def _plan(job: Any, tree: Tree) -> None:
    """Raises what this version cannot honour, with lines."""
    try:
        planner.plan(job)
    except DecodeError as error:
        lines = {_dotted(path): path for path in (*tree.lines, *tree.overrides)}
        raise DecodeError(
            tree.fault(lines.get(fault.path, ()), fault.message) if fault.path in lines else fault
            for fault in error.faults
        ) from None


def _dotted(path: Path) -> str:
    from graft_api.faults import dotted

    return dotted(path)


def _placed(file: str, data: Object, *, namespace: str, given: str | None) -> Object:
    meta = dict(data["metadata"])
    written = meta.get("namespace")
    if written and given and written != given:
        raise ConfigError(
            f"{file}: metadata.namespace is {written}, -n says {given}",
            hint="leave one of them out",
        )
    meta["namespace"] = given or written or namespace
    body = {key: value for key, value in data.items() if key != "status"}
    return body | {"metadata": meta}
