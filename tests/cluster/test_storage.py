"""Where pods keep things: a volume of all nodes, and buckets."""

from __future__ import annotations

import secrets

import s3fs

from tests.cluster import pods
from tests.cluster.cluster import LocalCluster
from tests.cluster.namespaces import Namespace
from tests.cluster.settings import S3_KEY, S3_SECRET, WORKER_UID
from tests.cluster.storage import CLAIM

WRITE = "open('/store/said', 'w').write('from node1')"
READ = "print(open('/store/said').read(), end='')"


def test_what_one_node_writes_another_reads(namespace: Namespace, base_image: str) -> None:
    folder = namespace.store()
    namespace.apply(pods.restricted("writer", base_image, WRITE, claim=CLAIM, **pods.on("node1")))
    assert namespace.ended("writer") == ("Succeeded", "")
    namespace.apply(pods.restricted("reader", base_image, READ, claim=CLAIM, **pods.on("node2")))
    assert namespace.ended("reader") == ("Succeeded", "from node1")
    assert (folder / "said").stat().st_uid == WORKER_UID


def test_a_bucket_gives_back_what_was_put(local_cluster: LocalCluster) -> None:
    store = s3fs.S3FileSystem(
        key=S3_KEY,
        secret=S3_SECRET,
        endpoint_url=local_cluster.settings.s3,
        skip_instance_cache=True,
    )
    bucket = f"test-{secrets.token_hex(4)}"
    store.mkdir(bucket)
    content = secrets.token_bytes(6 << 20)
    with store.open(f"{bucket}/a/b.bin", "wb") as handle:
        handle.write(content)
    assert store.find(bucket) == [f"{bucket}/a/b.bin"]
    assert store.cat_file(f"{bucket}/a/b.bin") == content
    store.rm(bucket, recursive=True)
