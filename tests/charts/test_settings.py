"""What the operator reads from the environment that the chart gives it."""

from __future__ import annotations

import pytest

from graft_api.errors import ConfigError
from graft_operator.settings import PREFIX, Settings, read_settings
from tests.charts.rendering import DIGEST, Object, container


def variables(values: Object | None = None) -> dict[str, str]:
    """The settings that the operator reads, with the pod's own in place of references."""
    return {each["name"]: each.get("value", "here") for each in container(values)["env"]}


def settings(values: Object | None = None) -> Settings:
    return read_settings(variables(values))


def test_operator_gets_every_setting_and_no_other() -> None:
    # The health server listens on all addresses of the pod; the key is read from its file.
    fields = set(Settings.model_fields) - {"health_host", "control_key"}
    assert set(variables()) == {f"{PREFIX}{name.upper()}" for name in fields}
    references = {e["name"]: e["valueFrom"] for e in container()["env"] if "valueFrom" in e}
    assert references == {
        "GRAFT_OPERATOR_IDENTITY": {"fieldRef": {"fieldPath": "metadata.name"}},
        "GRAFT_OPERATOR_NAMESPACE": {"fieldRef": {"fieldPath": "metadata.namespace"}},
    }


def test_operator_reads_the_defaults_of_the_chart() -> None:
    assert settings().model_dump() == Settings().model_dump() | {
        "namespace": "here",
        "identity": "here",
        "worker_image": "graft/worker:0.1.0",
        "serve_image": "graft/serve:0.1.0",
        "control_key_file": "/etc/graft/control/key",
        "store_create": {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "100Gi"}},
        },
    }


def test_operator_reads_what_the_administrator_chose() -> None:
    chosen = settings(
        {
            "namespaces": ["team-a", "team-b"],
            "worker": {"image": {"digest": DIGEST}, "imagePullSecrets": ["pull"]},
            "serve": {"gateway": True, "prometheus": "http://prometheus.watch:9090"},
            "store": {"claim": "shared", "size": "1Ti", "storageClassName": "nfs"},
            "reconcile": {"threads": 8, "requestsPerSecond": 1000000, "statusSeconds": 2.5},
        }
    )
    assert chosen.namespaces == ("team-a", "team-b")
    assert chosen.worker_image == f"graft/worker@{DIGEST}"
    assert chosen.image_pull_secrets == ("pull",)
    assert (chosen.gateway, chosen.prometheus) == (True, "http://prometheus.watch:9090")
    assert (chosen.threads, chosen.requests_per_second, chosen.status_seconds) == (8, 1e6, 2.5)
    assert chosen.store_claim == "shared"
    assert chosen.store_create == {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "1Ti"}},
        "storageClassName": "nfs",
    }


@pytest.mark.parametrize(
    ("store", "made"),
    [
        ({"create": False}, {}),
        (
            {"storageClassName": "-", "accessModes": ["ReadWriteOnce"]},
            {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "100Gi"}},
                "storageClassName": "",
            },
        ),
    ],
)
def test_claim_of_the_store(store: Object, made: Object) -> None:
    assert settings({"store": store}).store_create == made


def test_store_in_a_bucket() -> None:
    bucket = {"uri": "s3://bucket/graft", "secretName": "keys", "scratch": "20Gi"}
    chosen = settings({"store": {"s3": bucket}})
    assert chosen.store_uri == "s3://bucket/graft"
    assert (chosen.store_secret, chosen.store_scratch) == ("keys", "20Gi")
    assert chosen.store_create == {}


@pytest.mark.parametrize("uri", ["gs://bucket", "s3://", "s3:///prefix", "s3://a b"])
def test_store_at_another_address_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match="GRAFT_OPERATOR_STORE_URI"):
        read_settings({"GRAFT_OPERATOR_STORE_URI": uri})
