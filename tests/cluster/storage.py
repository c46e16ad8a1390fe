"""A volume that pods on every node read and write: a folder of the machine."""

from __future__ import annotations

import os
from pathlib import Path

from tests.cluster.api import Api, Object
from tests.cluster.settings import WORKER_UID

CLAIM = "graft-store"
SIZE = "10Gi"


def shared_volume(shared: Path, api: Api, namespace: str, claim: str = CLAIM) -> Path:
    """The folder behind a claim that is bound; it is made in one that all nodes share.

    `fsGroup` does not change a hostPath, so the workers' user must have the folder beforehand. The
    empty class and the reference bind this volume to this claim and to nothing else.
    """
    folder = shared / f"{namespace}-{claim}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        os.chown(folder, WORKER_UID, WORKER_UID)
    except PermissionError:  # by others than root
        folder.chmod(0o777)
    name = f"{namespace}-{claim}"
    api.apply([_volume(name, namespace, claim, folder), _claim(name, claim)], namespace)
    return folder


def remove(api: Api, namespace: str, claim: str = CLAIM) -> None:
    """Forgets the volume; its folder stays for who wants to look."""
    api.delete("v1", "PersistentVolume", f"{namespace}-{claim}")


def _volume(name: str, namespace: str, claim: str, folder: Path) -> Object:
    spec = {
        "capacity": {"storage": SIZE},
        "accessModes": ["ReadWriteMany"],
        "storageClassName": "",
        "persistentVolumeReclaimPolicy": "Retain",
        "claimRef": {"namespace": namespace, "name": claim},
        "hostPath": {"path": str(folder), "type": "Directory"},
    }
    about = {"name": name}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": about, "spec": spec}


def _claim(volume: str, claim: str) -> Object:
    spec = {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": "",
        "volumeName": volume,
        "resources": {"requests": {"storage": SIZE}},
    }
    about = {"name": claim}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": about, "spec": spec}
