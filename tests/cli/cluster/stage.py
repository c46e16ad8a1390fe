"""A namespace, the objects that a test puts in it, and the command line that looks at them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from graft_api.vocabulary import API_VERSION, Label
from graft_operator.cluster import requests
from graft_operator.cluster.direct import Direct
from graft_operator.cluster.kubeconfig import read
from graft_operator.cluster.requests import Ref, Request

Object = dict[str, Any]
Result = subprocess.CompletedProcess[str]
SECONDS = 30.0
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
JOB = """\
apiVersion: graft.dev/v1alpha1
kind: TransferJob
metadata: {name: reviews}
spec:
  app: {name: text_classify}
  model: {from: {zoo: minilm-l6-en}}
  data:
    train: {uri: example://reviews/train.tsv}
    validation: {uri: example://reviews/dev.tsv}
"""


def install(kubeconfig: Path, folder: Path) -> None:
    """Makes our kinds known, and waits until the server serves them."""
    api = Direct(read({"KUBECONFIG": str(kubeconfig)}), user_agent="graft-tests")
    for file in sorted(folder.glob("*.yaml")):
        body = yaml.safe_load(file.read_text())
        path = f"{CRDS}/{body['metadata']['name']}?fieldManager=graft-tests&force=true"
        kind = requests.APPLY_PATCH
        answer = api.send(Request(verb="PATCH", path=path, body=body, content_type=kind))
        assert answer.ok, answer.message()
    deadline = time.monotonic() + SECONDS
    while not api.send(requests.get(Ref(kind="TransferJob"))).ok:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    api.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Plays the operator and the cluster: writes what they would write."""

    api: Direct
    namespace: str
    folder: Path

    @classmethod
    def open(cls, kubeconfig: Path, folder: Path, *, namespace: str) -> Stage:
        config = yaml.safe_load(kubeconfig.read_text())
        for entry in config["contexts"]:
            entry["context"]["namespace"] = namespace
        (folder / "kubeconfig").write_text(yaml.safe_dump(config))
        (folder / "job.yaml").write_text(JOB)
        api = Direct(read({"KUBECONFIG": str(kubeconfig)}), user_agent="graft-tests")
        stage = cls(api=api, namespace=namespace, folder=folder)
        stage.send(requests.create(_object("v1", "Namespace", namespace)))
        account = _object("v1", "ServiceAccount", "default")
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        answer = api.send(Request(verb="POST", path=path, body=account))
        assert answer.ok or answer.code == 409, answer.message()  # the cluster makes it as well
        return stage

    def close(self) -> None:
        self.send(requests.delete(Ref(kind="Namespace", name=self.namespace)))
        self.api.close()

    def graft(self, *arguments: str, stdin: str = "", **environ: str) -> Result:
        """Runs the command line to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environ | environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts the command line."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.command(*arguments), cwd=self.folder, env=self.environ, stdout=pipe, stderr=pipe,
            text=True,
        )  # fmt: skip

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "graft_cli", *arguments]

    @property
    def environ(self) -> dict[str, str]:
        return os.environ | {"KUBECONFIG": str(self.folder / "kubeconfig"), "NO_COLOR": "1"}

    def send(self, request: Request) -> Object:
        """What the server answers when it does as asked; a server that settles is asked again."""
        deadline = time.monotonic() + SECONDS
        while (answer := self.api.send(request)).code == 429 and time.monotonic() < deadline:
            time.sleep(0.5)
        assert answer.ok, answer.message()
        data: Object = answer.json()
        return data

    def job(self, name: str = "reviews", *, kind: str = "TransferJob", **spec: Any) -> Object:
        """A job, made as another tool would make it."""
        written: Object = yaml.safe_load(JOB)["spec"] | spec
        if kind == "PretrainJob":
            written = {
                "model": {"from": {"config": {"architecture": "bert"}}},
                "data": {"train": {"uri": "example://a.txt"}},
                "objective": {"name": "mlm"},
                "training": {"duration": {"steps": 10}},
            }
        return self.make(_object(API_VERSION, kind, name) | {"spec": written})

    def deployment(self, name: str, **status: Any) -> Object:
        """A ServeDeployment of two pods, with the status as the operator writes it."""
        origin = {"job": {"kind": "TransferJob", "name": "wiki"}}
        spec = {"model": {"from": origin}, "replicas": 2}
        self.make(_object(API_VERSION, "ServeDeployment", name) | {"spec": spec})
        ref = Ref(kind="ServeDeployment", namespace=self.namespace, name=name)
        return self.send(requests.merge(ref, {"status": status}, subresource="status"))

    def status(self, name: str = "reviews", **status: Any) -> Object:
        """The status as the operator writes it."""
        ref = Ref(kind="TransferJob", namespace=self.namespace, name=name)
        return self.send(requests.merge(ref, {"status": status}, subresource="status"))

    def pod(self, index: int = 0, *, node: str = "", **status: Any) -> Object:
        """A worker pod that nobody runs; `labels` and `name` over those of the first attempt."""
        labels = {
            Label.JOB: "reviews",
            Label.KIND: "TransferJob",
            Label.ATTEMPT: "1",
            Label.ROLE: "worker",
            "batch.kubernetes.io/job-completion-index": str(index),
        } | status.pop("labels", {})
        body = _object("v1", "Pod", status.pop("name", f"reviews-t1-{index}-x"))
        body["metadata"]["labels"] = labels
        container = {"name": "worker", "image": "worker:1"}
        spec: Object = {"containers": [container], "schedulerName": "nobody"}
        body["spec"] = spec | ({"nodeName": node} if node else {})
        made = self.make(body)
        ref = Ref(kind="Pod", namespace=self.namespace, name=made["metadata"]["name"])
        return self.send(requests.merge(ref, {"status": status}, subresource="status"))

    def event(self, about: str, reason: str, note: str) -> None:
        """A warning about one of ours."""
        kind, _, name = about.partition("/")
        body = _object("events.k8s.io/v1", "Event", f"{name}.{time.monotonic_ns():x}")
        place = {"kind": kind, "name": name, "namespace": self.namespace}
        body |= {
            "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "regarding": place,
            "reason": reason,
            "note": note,
            "type": "Warning",
            "action": "Trying",
            "reportingController": "graft-tests",
            "reportingInstance": "graft-tests",
        }
        self.make(body)

    def lease(self, *, age: float) -> None:
        """The operator's sign of life, that old; here it lives in the test's namespace."""
        renewed = (datetime.now(UTC) - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        body = _object("coordination.k8s.io/v1", "Lease", "graft-operator")
        self.make(body | {"spec": {"holderIdentity": "operator-1", "renewTime": renewed}})

    def node(self, name: str, *, port: int) -> None:
        """A node whose kubelet listens on this machine."""
        self.send(requests.create(_object("v1", "Node", name)))
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }
        ref = Ref(kind="Node", name=name)
        self.send(requests.merge(ref, {"status": status}, subresource="status"))

    def get(self, kind: str, name: str) -> Object | None:
        """The object; None where there is none."""
        answer = self.api.send(requests.get(Ref(kind=kind, namespace=self.namespace, name=name)))
        return answer.json() if answer.ok else None

    def forget(self, kind: str, name: str) -> None:
        """Removes an object of the whole cluster."""
        self.send(requests.delete(Ref(kind=kind, name=name)))

    def make(self, body: Object) -> Object:
        body["metadata"]["namespace"] = self.namespace
        return self.send(requests.create(body, manager="graft-tests"))


def says(kind: str, status: str, reason: str, message: str = "") -> Object:
    """A condition."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


def _object(version: str, kind: str, name: str) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}
