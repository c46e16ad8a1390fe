"""What a person types beside a running operator: submit, look, ask why, stop, scale, remove."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.cluster.namespaces import Namespace
from tests.cluster.wait import until
from tests.e2e.jobs import GRAFT
from tests.gangs.jobs import Applied, Object, apply, small
from tests.gangs.measured import tell

# The operator of these tests stands outside of the cluster and holds no Lease.
WHY_SECONDS = 90.0
LONGER = {"duration": {"epochs": 80}}  # so that a second worker joins, and there is a rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """`graft` in a namespace."""

    space: Namespace
    folder: Path

    def type(self, *words: str, code: int = 0) -> str:
        """What the command printed to stdout; it ends with the code."""
        done = self.ended(*words)
        assert done.returncode == code, f"{done.stdout}{done.stderr}"
        return done.stdout

    def ended(self, *words: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, **self.space.cluster.environ}
        command = [*GRAFT, *words, "--namespace", self.space.name]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    def why(self, name: str) -> Object:
        """The main cause that is found for the job: its name, what it says, what to do."""
        cause: Object = json.loads(self.type("why", name, "--output", "json"))["cause"]
        return cause

    def until_why(self, name: str, says: str, do: str) -> Object:
        """The main cause as soon as it says this, with such a remedy."""

        def said() -> Object | None:
            cause = self.why(name)
            remedied = any(do in step for step in cause["do"])
            return cause if says in cause["says"] and remedied else None

        return until(said, f"graft why to say {says!r}, and to do {do!r}", seconds=WHY_SECONDS)

    def submit(self, job: Object, *words: str) -> Applied:
        """The job, submitted from a file."""
        path = self.folder / f"{job['metadata']['name']}.yaml"
        path.write_text(yaml.safe_dump(job))
        self.type("submit", str(path), *words)
        return Applied(space=self.space, name=job["metadata"]["name"])


@pytest.fixture
def terminal(space: Namespace, store: Path, tmp_path: Path) -> Terminal:
    """A terminal in the namespace of the test."""
    return Terminal(space=space, folder=tmp_path)


def test_a_job_from_submit_to_removal(terminal: Terminal):
    workers = {"min": 1, "max": 2, "desired": 1}
    applied = terminal.submit(small("reviews", workers=workers, training=LONGER))
    applied.step(40)
    began = time.monotonic()
    listed = terminal.type("ls")
    tell("graft ls", time.monotonic() - began)
    assert "reviews" in listed
    assert "Running" in listed
    assert "reviews-t1-0" in terminal.type("show", "reviews")
    assert "Training: step" in terminal.type("logs", "reviews", "--worker", "0")
    assert "Nothing is wrong" in terminal.type("why", "reviews")
    terminal.type("scale", "reviews", "2")
    applied.until(lambda s: (s.get("workers") or {}).get("world") == 2, "two workers")
    terminal.type("stop", "reviews")
    stopped = applied.phase("Suspended")
    assert "resume" in terminal.type("why", "reviews")
    terminal.type("resume", "reviews")
    done = terminal.type("watch", "reviews")
    assert applied.status["phase"] == "Complete", done
    assert applied.status["progress"]["step"] > stopped["checkpoint"]["step"]
    terminal.type("rm", "reviews", "--yes")
    until(lambda: not terminal.space.pods(), "the end of its pods")


def test_submit_can_wait_for_the_model_or_for_the_failure(terminal: Terminal):
    short = {"duration": {"steps": 10}}
    terminal.submit(small("waited", training=short), "--wait")
    bad = small("bad", training=short)
    bad["spec"]["data"]["train"] = {"uri": "example://reviews/none.tsv"}
    path = terminal.folder / "bad.yaml"
    path.write_text(yaml.safe_dump(bad))
    failed = terminal.ended("submit", str(path), "--wait")
    assert failed.returncode in (1, 2), failed.stderr
    assert "none.tsv" in failed.stderr + failed.stdout


def test_kubectl_finds_the_plugin(terminal: Terminal):
    apply(terminal.space, small("listed", run={"suspend": True}))
    path = f"{Path(GRAFT[0]).parent}{os.pathsep}{terminal.space.cluster.environ['PATH']}"
    environ = {**terminal.space.cluster.environ, "PATH": path}
    words = [terminal.space.cluster.program("kubectl"), "graft", "ls", "-n", terminal.space.name]
    told = subprocess.run(words, env=environ, capture_output=True, text=True, check=True).stdout
    assert "listed" in told


def huge(job: Object) -> None:
    job["spec"]["workers"]["resources"] = {"cpu": "900", "memory": "1Gi"}
    job["spec"]["data"]["prepare"] = {"resources": {"cpu": "100m", "memory": "1Gi"}}


def no_data(job: Object) -> None:
    job["spec"]["data"]["train"] = {"uri": "example://reviews/none.tsv"}


def raising(job: Object) -> None:
    enabled = {"name": "GRAFT_FAULTS_ENABLED", "value": "1"}
    job["spec"]["workers"]["env"] = [enabled, {"name": "GRAFT_FAULT_AT", "value": "0:20:raise"}]


def queued(job: Object) -> None:
    job["spec"]["run"] = {"queue": "team-a"}


WHY: dict[str, tuple[Callable[[Object], None], str, str]] = {
    "no node is large enough": (huge, "No node has enough cpu", "workers.resources"),
    "the data is not there": (no_data, "none.tsv", "correct the data"),
    "the code raises": (raising, "a rehearsed failure", "graft logs odd --failed"),
    "the queue does not admit it": (queued, "queue team-a", ""),
}


@pytest.mark.parametrize("name", WHY)
def test_why_says_what_is_the_matter(terminal: Terminal, name: str):
    change, says, do = WHY[name]
    job = small("odd", training={"duration": {"epochs": 4}})
    change(job)
    apply(terminal.space, job)
    terminal.until_why("odd", says, do)


def test_why_names_an_image_that_nobody_has(terminal: Terminal, worker_image: str):
    image = f"{worker_image.rpartition(':')[0]}:none"
    apply(terminal.space, small("odd", workers={"image": image}))
    assert image in terminal.until_why("odd", "There is no such image", "workers.image")["says"]


def test_why_names_a_quota(terminal: Terminal):
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}}
    terminal.space.apply(quota | {"spec": {"hard": {"pods": "0"}}})
    apply(terminal.space, small("crowded"))
    terminal.until_why("crowded", "ResourceQuota none", "describe resourcequota")
