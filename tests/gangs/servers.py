"""ServeDeployments in a cluster: waited for, asked, and watched while they change."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import urllib3

from tests.cluster import pods
from tests.cluster.namespaces import Namespace
from tests.gangs.jobs import Applied, Object

PORT = 8000
RATE = float(os.environ.get("GRAFT_TEST_REQUESTS_PER_SECOND", "20"))
# An open loop: a request is sent when its time has come, whatever became of those before it.
CLIENT = """
import json, signal, sys, threading, time, urllib.request
url, body = sys.argv[1], json.dumps({"texts": ["well done"]}).encode()
end, failed, versions = threading.Event(), [], []
signal.signal(signal.SIGTERM, lambda *_: end.set())
def ask():
    asked = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            versions.append(json.load(answer)["version"])
    except Exception as error:
        failed.append(repr(error))
due = time.monotonic()
while not end.wait(max(0, due - time.monotonic())):
    threading.Thread(target=ask).start()
    due += float(sys.argv[2])
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join()
told = {"done": len(versions), "failed": failed, "versions": sorted(set(versions))}
print(json.dumps(told), flush=True)
"""


def serve(name: str, **spec: Any) -> Object:
    """Two pods with the model that the spec names."""
    usual = {
        "replicas": 2,
        "resources": {"cpu": "100m", "memory": "1Gi"},
    }
    return {
        "apiVersion": "graft.dev/v1alpha1",
        "kind": "ServeDeployment",
        "metadata": {"name": name},
        "spec": usual | spec,
    }


def ready(applied: Applied) -> Object:
    """The status once every pod answers with the model that is due."""
    return applied.until(
        lambda s: _true(s, "Ready") and not _true(s, "Progressing"), "Ready", seconds=240
    )


def _true(status: Object, kind: str) -> bool:
    found = status.get("conditions") or ()
    return any(c["type"] == kind and c["status"] == "True" for c in found)


def in_step(status: Object, number: int) -> bool:
    """Whether a canary is in that step."""
    rollout = status["rollout"]
    return (rollout["state"], rollout.get("step")) == ("Step", number)


def version(uri: str) -> str:
    """What answers of the artefact at that address are called."""
    return uri.rpartition("sha256-")[2][:12]


def addresses(space: Namespace, name: str) -> list[str]:
    """Of the pods that are ready and not about to go."""
    found = space.pods(f"graft.dev/job={name},graft.dev/role=server")
    return [pod["status"]["podIP"] for pod in found if _ready(pod)]


def ask(space: Namespace, name: str, *texts: str) -> list[Object]:
    """What one of the pods answers."""
    url = f"http://{addresses(space, name)[0]}:{PORT}/v1/predict"
    answer = urllib3.request("POST", url, json={"texts": list(texts)}, retries=False)
    assert answer.status == 200, answer.data
    found: list[Object] = answer.json()["predictions"]
    return found


def _ready(pod: Object) -> bool:
    if "deletionTimestamp" in pod["metadata"]:
        return False
    found = pod["status"].get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in found)


@dataclass(frozen=True, slots=True)
class Client:
    """A pod that asks the Service RATE times a second until it is told to end."""

    space: Namespace
    name: str

    @classmethod
    def start(cls, space: Namespace, image: str, deployment: str, *, name: str) -> Client:
        """It asks when this returns."""
        url = f"http://{deployment}-serve.{space.name}.svc/v1/predict"
        body = pods.restricted(name, image, CLIENT, terminationGracePeriodSeconds=20)
        body["spec"]["containers"][0]["command"] += [url, str(1 / RATE)]
        space.apply(body)
        space.pod(name, lambda pod: pod["status"].get("phase") == "Running")
        return cls(space, name)

    def end(self) -> Object:
        """How many requests were answered, and what became of the others."""
        code = "import os, signal; os.kill(1, signal.SIGTERM)"
        self.space.kubectl("exec", self.name, "--", "python3", "-c", code)
        phase, told = self.space.ended(self.name)
        assert phase == "Succeeded", told
        found: Object = json.loads(told.splitlines()[-1])
        return found
