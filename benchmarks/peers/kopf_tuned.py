"""The same operator with every public switch set well: threads, one pool, raw answers, no events.

`python -m kopf run --all-namespaces benchmarks/peers/kopf_tuned.py`
"""

from __future__ import annotations

from functools import cache
from typing import Any

import kopf
import kubernetes
from kubernetes.client.exceptions import ApiException

from benchmarks.peers.children import children

KIND = ("graft.dev", "v1alpha1", "transferjobs")
THREADS = 32


class Clients:
    """One pool of connections for all threads; made once the login has set the default."""

    def __init__(self) -> None:
        configuration = kubernetes.client.Configuration.get_default_copy()
        configuration.connection_pool_maxsize = THREADS
        client = kubernetes.client.ApiClient(configuration)
        self.batch = kubernetes.client.BatchV1Api(client)
        self.networking = kubernetes.client.NetworkingV1Api(client)


@cache
def clients() -> Clients:
    return Clients()


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.execution.max_workers = THREADS
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.persistence.consistency_timeout = 0
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage()
    settings.queueing.idle_timeout = 1.0
    settings.watching.chunk_size = 500
    settings.watching.server_timeout = 270


@kopf.on.create(*KIND)
def create(body: Any, namespace: Any, **_: Any) -> None:
    policy, job = children(body)
    made = clients()
    try:
        made.networking.create_namespaced_network_policy(namespace, policy, _preload_content=False)
        made.batch.create_namespaced_job(namespace, job, _preload_content=False)
    except ApiException as error:
        if error.status != 409:
            raise


@kopf.on.update(*KIND)
def update(body: Any, namespace: Any, **_: Any) -> None:
    _policy, job = children(body)
    size = {"spec": {"parallelism": job["spec"]["parallelism"]}}
    name = job["metadata"]["name"]
    clients().batch.patch_namespaced_job(name, namespace, size, _preload_content=False)
