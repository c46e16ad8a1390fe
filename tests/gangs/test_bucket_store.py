"""A gang whose store is a bucket: no claim, and a lost pod costs no bit."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import s3fs

from tests.cluster.cluster import LocalCluster
from tests.cluster.fixtures import SPACE
from tests.cluster.given import Cluster
from tests.cluster.namespaces import Namespace
from tests.cluster.settings import S3_KEY, S3_SECRET
from tests.gangs.conftest import SETTINGS
from tests.gangs.jobs import Applied, apply, small
from tests.gangs.operators import Operator

SECRET = "store-keys"
PAIR = {"desired": 2}
# What is compared to the bit must not have its format chosen by a clock.
LONG = {"duration": {"epochs": 40}, "precision": "fp32"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A namespace whose jobs are run with a store in a bucket."""

    space: Namespace
    files: s3fs.S3FileSystem
    bucket: str

    @property
    def store(self) -> str:
        """Where the namespace's part of the bucket begins."""
        return f"{self.bucket}/graft/{self.space.name}"

    def weights(self, applied: Applied) -> bytes:
        """The trained weights, found as the status says."""
        artefact = applied.status["artefact"]
        digest = artefact["digest"].replace(":", "-")
        assert artefact["uri"] == f"s3://{self.store}/artefacts/{digest}"
        data: bytes = self.files.cat_file(f"{artefact['uri']}/model.safetensors")
        return data


@pytest.fixture
def place(bucketed: Place, request: pytest.FixtureRequest) -> Place:
    """The namespace, which tells what happened in it where the test fails."""
    request.node.stash[SPACE] = bucketed.space
    return bucketed


@pytest.fixture(scope="module")
def bucketed(
    cluster: Cluster,
    local_cluster: LocalCluster,
    operator: Operator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    """The operator of the other tests, which watches every namespace, rests meanwhile."""
    files = s3fs.S3FileSystem(
        key=S3_KEY,
        secret=S3_SECRET,
        endpoint_url=local_cluster.settings.s3,
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    bucket = f"gangs-{secrets.token_hex(4)}"
    files.mkdir(bucket)
    space = Namespace.make(cluster, "bucket store")
    space.apply(keys(local_cluster.settings.s3))
    own = operator_of(operator, space, bucket, tmp_path_factory.mktemp("operator"))
    space.logs.append(own.log)
    operator.kill()
    try:
        own.start()
        yield Place(space=space, files=files, bucket=bucket)
    finally:
        own.kill()
        operator.start()
        space.remove()
        files.rm(bucket, recursive=True)


def keys(endpoint: str) -> dict[str, object]:
    values = {
        "AWS_ACCESS_KEY_ID": S3_KEY,
        "AWS_SECRET_ACCESS_KEY": S3_SECRET,
        "AWS_ENDPOINT_URL": endpoint,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET},
        "stringData": values,
    }


def operator_of(other: Operator, space: Namespace, bucket: str, folder: Path) -> Operator:
    """As the other one, for this namespace alone, with its store in the bucket."""
    chosen = {
        "NAMESPACES": space.name,
        "STORE_URI": f"s3://{bucket}/graft",
        "STORE_SECRET": SECRET,
        "STORE_SCRATCH": "2Gi",
    }
    return Operator(
        kubeconfig=other.kubeconfig, folder=folder, settings=SETTINGS | other.settings | chosen
    )


def test_a_gang_resumes_from_the_bucket_and_its_model_is_there(place: Place) -> None:
    peace = apply(place.space, small("peace", workers=PAIR, training=LONG))
    peace.phase("Complete")
    applied = apply(place.space, small("deleted", workers=PAIR, training=LONG))
    before = applied.step(60)["progress"]["step"]
    place.space.kubectl("delete", "pod", applied.pod(0), "--wait=false")
    applied.step(before, attempt=2)
    status = applied.phase("Complete")
    names = [pod["metadata"]["name"] for pod in applied.pods(attempt=2)]
    logs = [place.space.kubectl("logs", name) for name in names]
    assert any("goes on from the checkpoint of step" in log for log in logs)
    assert status["restarts"]["disruption"] >= 1
    assert place.weights(applied) == place.weights(peace)
    folder = f"jobs/transferjob/deleted-{applied.object['metadata']['uid'][:8]}"
    assert status["checkpoint"]["uri"].startswith(f"s3://{place.store}/{folder}/checkpoints/step-")
    assert place.files.exists(f"{place.store}/{folder}/result.json")
    assert place.space.api.list("v1", "PersistentVolumeClaim", place.space.name) == []
