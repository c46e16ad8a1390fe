"""Images unpacked once into the cache; the disk of a new node is a hard-linked copy.

Layers are never written in place, so a node has gigabytes of image after a second and no disk
of its own for them; only the databases are copied. References carry the registry's port, so each
port has a store.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.cluster import processes
from tests.cluster.build import locked, timed
from tests.cluster.settings import Settings, fill
from tests.cluster.wait import until

MARK = "holds.txt"
CONTENT = "io.containerd.content.v1.content"
DATABASE = "io.containerd.metadata.v1.bolt"


def fill_store(settings: Settings, images: Iterable[str]) -> None:
    """The store holds these images and no others; a store that does is left alone."""
    wanted = "\n".join(sorted(images))
    folder = _folder(settings)
    with locked(settings, "images"):
        if (folder / MARK).is_file() and (folder / MARK).read_text() == wanted:
            return
        with timed("image store of the nodes"):
            shutil.rmtree(folder, ignore_errors=True)
            fresh = folder.with_suffix(".partial")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.parent.mkdir(parents=True, exist_ok=True)
            _pull(settings, fresh, wanted.split())
            _link_blobs(settings, fresh)
            (fresh / MARK).write_text(wanted)
            fresh.rename(folder)


def clone(settings: Settings, target: Path) -> None:
    """The store on a node's disk, unless the node has one."""
    source = _folder(settings)
    if not source.is_dir() or (target / DATABASE).exists():
        return
    subprocess.run(["cp", "-al", f"{source}/.", str(target)], check=True)
    for database in source.rglob("*.db"):
        copy = target / database.relative_to(source)
        copy.unlink()
        shutil.copy2(database, copy)


def runtime_config(settings: Settings, folder: Path, *, root: Path, run: Path) -> str:
    """containerd's settings; the folder gets what they refer to."""
    names = folder / "certs.d" / settings.registry
    names.mkdir(parents=True, exist_ok=True)
    hosts = fill("node/hosts.toml", host=settings.host, port=settings.registry_port)
    (names / "hosts.toml").write_text(hosts)
    values = {"registry": settings.registry, "folder": folder, "root": root, "run": run}
    return fill("node/containerd.toml", **values)


def _link_blobs(settings: Settings, root: Path) -> None:
    """The store's packed layers become the registry's own files: gigabytes are kept once."""
    theirs = settings.cache / "registry" / "docker" / "registry" / "v2" / "blobs" / "sha256"
    for blob in (root / CONTENT / "blobs" / "sha256").iterdir():
        kept = theirs / blob.name[:2] / blob.name / "data"
        if kept.is_file():
            link = blob.with_suffix(".link")
            link.hardlink_to(kept)
            link.replace(blob)


def _folder(settings: Settings) -> Path:
    return settings.cache / "store" / str(settings.registry_port)


def _pull(settings: Settings, root: Path, images: Iterable[str]) -> None:
    work = settings.folder("prepull")
    config = work / "containerd.toml"
    config.write_text(runtime_config(settings, work, root=root, run=work / "run"))
    processes.spawn(settings, "prepull", "containerd", "-c", config)
    client = ["ctr", "-a", work / "run" / "containerd.sock"]
    until((work / "run" / "containerd.sock").is_socket, "containerd to answer")
    for image in images:
        options = ["-n", "k8s.io", "images", "pull", "--plain-http"]
        processes.run(settings, *client, *options, image)
    processes.halt(settings, "prepull", how=signal.SIGTERM)
