"""Job files for a cluster: what is sent, and which addresses only this machine can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from graft_api.errors import ConfigError
from graft_cli.cluster import manifests

JOB = """\
apiVersion: graft.dev/v1alpha1
kind: TransferJob
metadata: {name: reviews}
spec:
  app: {name: text_classify}
  model: {from: {zoo: minilm-l6-en}}
  data:
    train: {uri: "%s"}
"""
INSTEAD = (
    "is a file of this machine, which a cluster does not see:"
    " use pvc://claim/path, configmap://name/key, s3://, https:// or example://"
)


def sent(
    folder: Path, uri: str = "example://a.tsv", *settings: str, given: str | None = None
) -> dict[str, Any]:
    (folder / "job.yaml").write_text(JOB % uri)
    file = str(folder / "job.yaml")
    return manifests.read(file, settings=settings, namespace="team-a", given=given)


def test_nothing_is_sent_but_what_was_written(tmp_path: Path) -> None:
    written = yaml.safe_load(JOB % "example://a.tsv")
    written["metadata"]["namespace"] = "team-a"
    assert sent(tmp_path) == written


def test_a_setting_is_sent_as_if_it_stood_in_the_file(tmp_path: Path) -> None:
    body = sent(tmp_path, "example://a.tsv", "training.seed=7", "metadata.name=b")
    assert (body["spec"]["training"], body["metadata"]["name"]) == ({"seed": 7}, "b")


@pytest.mark.parametrize(
    "uri",
    ["pvc://corpus/a.tsv", "configmap://rows/a.tsv", "s3://b/a.tsv", "https://x.example/a.tsv"],
)
def test_what_pods_can_read_is_taken(tmp_path: Path, uri: str) -> None:
    assert sent(tmp_path, uri)["spec"]["data"]["train"]["uri"] == uri


@pytest.mark.parametrize("uri", ["train.tsv", "../a/*.tsv", "/home/me/a.tsv", "file:///data/a.tsv"])
def test_files_of_this_machine_are_refused_with_their_line(tmp_path: Path, uri: str) -> None:
    with pytest.raises(ConfigError) as caught:
        sent(tmp_path, uri)
    file = tmp_path / "job.yaml"
    assert caught.value.message == f"{file}: line 8: spec.data.train.uri: {uri} {INSTEAD}"


def test_an_output_of_this_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        sent(tmp_path, "example://a.tsv", "output.uri=/models")
    assert caught.value.message.endswith(
        "spec.output.uri: /models leave it out for the store of the cluster"
    )


@pytest.mark.parametrize(
    ("workers", "folders"),
    [
        pytest.param({}, (), id="none of their own"),
        pytest.param({"image": "mine:1"}, ("/",), id="an own image may hold anything"),
        pytest.param(
            {
                "podTemplate": {
                    "spec": {
                        "containers": [
                            {
                                "name": "worker",
                                "volumeMounts": [{"mountPath": "/data", "name": "d"}],
                            }
                        ]
                    }
                }
            },
            ("/data",),
            id="what the overlay mounts",
        ),
    ],
)
def test_folders_that_pods_have(workers: dict[str, Any], folders: tuple[str, ...]) -> None:
    spec = {"workers": workers, "data": {"train": {"uri": "/data/a.tsv"}}}
    assert manifests.mounted_folders(spec) == folders
    assert bool(list(manifests.unseen(spec))) == (not folders)


def test_a_namespace_said_twice_has_to_be_the_same(tmp_path: Path) -> None:
    assert sent(tmp_path, given="b")["metadata"]["namespace"] == "b"
    setting = "metadata.namespace=c"
    assert sent(tmp_path, "s3://a", setting)["metadata"]["namespace"] == "c"
    with pytest.raises(ConfigError, match=r"metadata\.namespace is c, -n says b"):
        sent(tmp_path, "s3://a", setting, given="b")


def test_what_this_version_cannot_do_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        sent(tmp_path, "gs://bucket/a.tsv")
    assert ": line 8: spec.data.train.uri: " in caught.value.message
