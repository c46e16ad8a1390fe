"""The load: so many TransferJobs at once, by as many connections as an operator has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import urllib3

from benchmarks.fleet.plane import SPACE, Plane
from tests.cluster import kwok
from tests.cluster.certificates import pki

Object = dict[str, Any]

CONNECTIONS = 32
JOBS = f"/apis/graft.dev/v1alpha1/namespaces/{SPACE}/transferjobs"
POLICIES = f"/apis/networking.k8s.io/v1/namespaces/{SPACE}/networkpolicies"
CHILDREN = f"/apis/batch/v1/namespaces/{SPACE}/jobs"
PODS = f"/api/v1/namespaces/{SPACE}/pods"
FOREVER = "100h"  # a fake pod runs for longer than any row


def name_of(number: int) -> str:
    return f"job-{number:05d}"


def transfer_job(name: str) -> Object:
    """One worker; its pods land on fake nodes and run until the row is over."""
    small = {"cpu": "100m", "memory": "128Mi"}
    template = {
        "metadata": {"annotations": {"graft.dev/fake-seconds": FOREVER}},
        "spec": kwok.PLACE,
    }
    return {
        "apiVersion": "graft.dev/v1alpha1",
        "kind": "TransferJob",
        "metadata": {"name": name, "namespace": SPACE},
        "spec": {
            "app": {"name": "text_classify"},
            "model": {"from": {"zoo": "minilm-l6-en"}},
            "data": {
                "train": {"uri": "example://reviews/train.tsv"},
                "validation": {"uri": "example://reviews/dev.tsv"},
                "prepare": {"resources": small},
            },
            "workers": {"resources": small, "podTemplate": template},
            "run": {"deadlines": {"start": "10h"}},
        },
    }


class Crowd:
    """Many connections to the server, as the administrator."""

    def __init__(self, plane: Plane) -> None:
        settings = plane.settings
        self._url = f"https://{settings.host}:{settings.api_port}"
        self._pool = urllib3.PoolManager(
            maxsize=CONNECTIONS,
            ca_certs=str(pki(settings, "ca.crt")),
            cert_file=str(pki(settings, "admin.crt")),
            key_file=str(pki(settings, "admin.key")),
        )

    def post(self, path: str, body: bytes) -> bytes:
        """The object as the server made it."""
        headers = {"Content-Type": "application/json", "User-Agent": "bench"}
        answer = self._pool.request("POST", self._url + path, body=body, headers=headers)
        if answer.status != 201:
            raise RuntimeError(f"POST {path}: {answer.status} {answer.data[:300]!r}")
        return answer.data

    def delete(self, path: str) -> None:
        """The object goes, and in its time what it owns."""
        body = b'{"propagationPolicy": "Background"}'
        headers = {"Content-Type": "application/json", "User-Agent": "bench"}
        answer = self._pool.request("DELETE", self._url + path, body=body, headers=headers)
        if answer.status >= 300:
            raise RuntimeError(f"DELETE {path}: {answer.status} {answer.data[:300]!r}")


def create(plane: Plane, count: int, *, then: Callable[[Crowd, bytes], None] | None = None) -> None:
    """So many jobs; `then` is given each answer of the server, on the same connection."""
    crowd = Crowd(plane)

    def one(body: bytes) -> None:
        answer = crowd.post(JOBS, body)
        if then is not None:
            then(crowd, answer)

    _all(one, [json.dumps(transfer_job(name_of(number))).encode() for number in range(count)])


def _all(work: Callable[[bytes], None], bodies: Iterable[bytes]) -> None:
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        for done in threads.map(work, bodies):
            assert done is None
