"""A plain kopf operator as its documentation teaches it: handlers per object, nothing set.

`python -m kopf run --all-namespaces benchmarks/peers/kopf_default.py`
"""

from __future__ import annotations

from typing import Any

import kopf
import kubernetes
from kubernetes.client.exceptions import ApiException

from benchmarks.peers.children import children

KIND = ("graft.dev", "v1alpha1", "transferjobs")


@kopf.on.create(*KIND)
def create(body: Any, namespace: Any, logger: Any, **_: Any) -> None:
    policy, job = children(body)
    try:
        kubernetes.client.NetworkingV1Api().create_namespaced_network_policy(namespace, policy)
        kubernetes.client.BatchV1Api().create_namespaced_job(namespace, job)
    except ApiException as error:
        if error.status != 409:
            raise
    logger.info("the children are made")


@kopf.on.update(*KIND)
def update(body: Any, namespace: Any, logger: Any, **_: Any) -> None:
    _policy, job = children(body)
    size = {"spec": {"parallelism": job["spec"]["parallelism"]}}
    kubernetes.client.BatchV1Api().patch_namespaced_job(job["metadata"]["name"], namespace, size)
    logger.info("the children are changed")
